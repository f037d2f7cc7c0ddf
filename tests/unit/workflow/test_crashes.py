"""Promises of a project that is killed: at whichever operation on files, the next run completes by itself.

Each stage is run in a process that kills itself just before its nth operation on a file, for every n there is; then
again, to its end. No step is taken on trust: what the store says of itself then is checked byte by byte.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceset.digests import file_digest
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.workflow.priming import prime
from factory import learn_footage, project, run_job, write_project
from killing import in_child

STAGES_RUN = tuple(name for name in STAGES if name not in ("detect", "reference", "nearness"))


def tree(folder: Path) -> dict[str, str]:
    """What lies in a folder: the digest of each file, and where each link leads."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else file_digest(path)
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def results() -> dict[str, str]:
    """The results but for the ledger of the assembled folder, which holds times."""
    return {name: digest for name, digest in tree(Path("results")).items() if not name.endswith(".faces.json")}


def check_store() -> None:
    """Every object is what it is named by, and whatever an action or a record names is there."""
    store = project().store
    for path in store.root.glob("objects/*/*"):
        assert file_digest(path) == path.name
    names = [*store.root.glob("actions/*/*.json"), *Path("results").rglob("*.json")]
    for path in names:
        if not path.name.startswith(".") and path.name != "ro-crate-metadata.json":
            for artifact in Action.from_bytes(path.read_bytes()).outputs.values():
                assert file_digest(store.object_path(artifact)) == artifact.sha256


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder, in memory if that can be: what is flushed to a disk thousands of times takes minutes."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def steps(place: Path) -> dict[str, Path]:
    """By stage, a copy of a project just before that stage ran; under `end`, when all had run."""
    write_project(place / "work")
    found = {}
    with contextlib.chdir(place / "work"):
        for stage in STAGES_RUN:
            found[stage] = Path(shutil.copytree(place / "work", place / stage, symlinks=True))
            run_job(stage)
        found["end"] = Path(shutil.copytree(place / "work", place / "end", symlinks=True))
    return found


@pytest.fixture(autouse=True)
def _leave(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    """These tests change the current folder as they go; others find it as it was."""
    monkeypatch.chdir(place)


def start(folder: Path, place: Path) -> None:
    """Make a copy of a folder the current one."""
    os.chdir(place.parent)
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place, symlinks=True)
    os.chdir(place)
    if folder.name != "frames":
        learn_footage(project())  # copies have inodes of their own


def next_run(stage: str) -> None:
    """As far as the stage that was killed."""
    prime(project())
    run_job(stage)


@pytest.mark.parametrize("stage", STAGES_RUN)
def test_a_stage_killed_anywhere_is_completed_by_the_next_run(
    steps: dict[str, Path], stage: str, place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    following = [*STAGES_RUN, "end"][STAGES_RUN.index(stage) + 1]
    os.chdir(steps[following])
    expected = results()
    kill_at, killed = 0, True
    while killed:
        start(steps[stage], place / "killed")
        inputs = tree(Path("photos"))
        code, _ = in_child(lambda: run_job(stage), kill_at)
        killed = code == -signal.SIGKILL
        assert killed or code == 0
        check_store()
        assert in_child(lambda: next_run(stage))[0] == 0
        check_store()
        assert results() == expected
        assert tree(Path("photos")) == inputs
        kill_at += 1
    with capfd.disabled():
        print(f"\n{stage}: killed at each of {kill_at - 1} operations", file=sys.stderr)
    assert kill_at > 10


def test_a_killed_restoration_is_completed_by_the_next(
    steps: dict[str, Path], place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.chdir(steps["end"])
    expected = results()
    kill_at, killed = 0, True
    while killed:
        start(steps["end"], place / "killed")
        shutil.rmtree("results")
        code, _ = in_child(lambda: prime(project()), kill_at)
        killed = code == -signal.SIGKILL
        check_store()
        assert in_child(lambda: prime(project()))[0] == 0
        assert results() == expected
        kill_at += 1
    with capfd.disabled():
        print(f"\nrestoration: killed at each of {kill_at - 1} operations", file=sys.stderr)
