"""Promises of the store's lock: many use it together, one who removes things is alone, and it dies with its owner."""

import subprocess
import sys
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.store.locks import CLAIMS, alone, claimed, shared

HOLD = "import sys; from pathlib import Path; from faceset.store.locks import shared as s\nwith s(Path(sys.argv[1])):"


def test_runs_share_the_store_and_keep_out_who_removes_things(tmp_path: Path) -> None:
    with shared(tmp_path), shared(tmp_path):  # noqa: SIM117 (one after the other)
        with pytest.raises(FacesetError, match="a run is using this store"), alone(tmp_path):
            pass
    with alone(tmp_path):
        pass


def test_the_lock_of_a_killed_run_is_free(tmp_path: Path) -> None:
    code = f"{HOLD}\n print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        assert run.stdout.readline() == "held\n"
        with pytest.raises(FacesetError), alone(tmp_path):
            pass
        run.kill()
    with alone(tmp_path):
        pass


def test_a_run_waits_for_who_removes_things_and_says_so(tmp_path: Path) -> None:
    with alone(tmp_path):
        code = f"{HOLD}\n print('through', flush=True)"
        run = subprocess.Popen(
            [sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert run.stderr
        assert "waiting for what is being removed" in run.stderr.readline()
        assert run.poll() is None
    assert run.communicate()[0] == "through\n"


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="there is no store"), alone(tmp_path / "none"):
        pass
    assert not (tmp_path / "none").exists()


COUNT = """
import sys
from pathlib import Path
from faceset.store.locks import claimed
count = Path(sys.argv[1]) / "count"
for _ in range(100):
    with claimed(count.parent, "thing"):
        count.write_text(str(int(count.read_text()) + 1))
"""


def test_nobody_makes_a_thing_while_another_does(tmp_path: Path) -> None:
    (tmp_path / "count").write_text("0")
    runs = [subprocess.Popen([sys.executable, "-c", COUNT, tmp_path], stderr=subprocess.PIPE) for _ in range(8)]
    assert [
        run.communicate()[1].replace(b"faceset: waiting for another run that makes the same.\n", b"") for run in runs
    ] == [b""] * 8
    assert (tmp_path / "count").read_text() == "800"
    assert list((tmp_path / CLAIMS).iterdir()) == []


def test_what_a_killed_run_was_making_can_be_made(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from faceset.store.locks import CLAIMS, claimed as c\n"
        "with c(Path(sys.argv[1]), 'thing'): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout
        assert run.stdout.readline() == "held\n"
        run.kill()
    with claimed(tmp_path, "thing"), claimed(tmp_path, "another"):
        assert len(list((tmp_path / CLAIMS).iterdir())) == 2
    assert list((tmp_path / CLAIMS).iterdir()) == []
