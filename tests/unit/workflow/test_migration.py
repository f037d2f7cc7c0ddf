"""Promises to those who have a store of Faceset 0.1."""

import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from faceset.errors import FacesetError
from faceset.footage.decoding import Listing, decoded_frames, read_picture
from faceset.project.project import REPOSITORY, Project
from faceset.store.format import FORMAT, check_format, state_of
from faceset.store.locks import alone, claimed, shared
from faceset.store.objects import Store
from faceset.training.cutting import cut_key
from faceset.training.pixels import cut_face
from faceset.workflow.jobs import run_stage
from faceset.workflow.keys import cutting_code, cutting_context
from faceset.workflow.migration import CUTTING_LIKE_0_1, _context_0_1, bring_up_to_date
from faceset.workflow.priming import prime
from faceset.workflow.roots import Root, roots
from factory import PICTURES, project, write_pictures, write_project, write_video
from killing import in_child

STAGES_RUN = ("frames", "ingest", "crop", "embed", "track", "cluster", "manifest", "clean", "extract", "assemble")


@pytest.fixture(scope="module")
def of_0_1() -> types.ModuleType:
    """The functions of 0.1 that decoded and cut."""
    path = Path(__file__).parents[2] / "data" / "faceset_0_1" / "cutting.py"
    spec = importlib.util.spec_from_file_location("cutting_of_0_1", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a store of format 1, as 0.1 left it after a whole run, as the current folder."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    run_all(project())
    make_old(tmp_path / "store", tmp_path)
    return tmp_path


def run_all(of: Project) -> None:
    for name in STAGES_RUN:
        run_stage(of, name, **{key: {"source": "photos", "faceset": "main"}[key] for key in wildcards(name)})


def wildcards(name: str) -> tuple[str, ...]:
    from faceset.stages.table import STAGES

    return STAGES[name].wildcards


def make_old(store: Path, folder: Path) -> None:
    """Make a store one of format 1: its locks, roots, actions and cut pixels as 0.1 wrote them."""
    (store / "format").unlink()
    shutil.rmtree(store / "lock")
    (store / "locks").unlink()
    (store / "lock").touch()
    (store / "locks").mkdir()
    shutil.rmtree(store / "roots", ignore_errors=True)
    (store / "roots").mkdir()
    text = os.fsencode(folder) + b"\0" + os.fsencode(store)
    (store / "roots" / hashlib.sha256(os.fsencode(folder)).hexdigest()).write_bytes(text)
    for path in store.glob("actions/*/*.json"):
        value = json.loads(path.read_bytes())
        old = {
            "made_from": {"stage": value["made_from"]["stage"], "params": {}},
            **{k: value[k] for k in ("outputs", "ran_on")},
        }
        path.write_text(json.dumps(old, sort_keys=True, separators=(",", ":")) + "\n")
    for context in store.glob("cuts/*/*"):
        context.rename(context.with_name(_context_0_1(context.parent.name)))


def test_todays_code_cuts_the_pixels_that_0_1_cut(of_0_1: types.ModuleType, tmp_path: Path) -> None:
    turned = np.array([[0.8, -0.3, 12.25], [0.3, 0.8, -7.5]])
    matrices = [turned, turned * 4, turned * 0.2, np.array([[1.0, 0, 500], [0, 1, 500]])]
    write_pictures(tmp_path / "photos", ("a.png", "b.jpg"))
    for name in ("a.png", "b.jpg"):
        path = tmp_path / "photos" / name
        frame, before = read_picture(path), of_0_1._decoded(path.read_bytes(), path)
        assert np.array_equal(frame, before)
        for matrix in matrices:
            cut = cut_face(frame, matrix, 64)
            image = of_0_1.warp_face(before, matrix, 64)
            assert cut.packed == of_0_1.pack(image)
            assert cut.digest == of_0_1.pixel_digest(image)
            assert cut_key("ab" * 32, 7, matrix, 64) == of_0_1.cut_key("ab" * 32, 7, matrix, 64)
    video = write_video(tmp_path / "film.mp4", 25)
    with of_0_1._open_video(video) as container:
        frames = list(of_0_1._decode(container))
    flags = np.array([bool(frame.key_frame) for frame in frames])
    for rotation in (0, 90):
        listing = Listing(
            [None] * 25, [""] * 25, [frame.pts for frame in frames], flags, np.full(25, rotation, np.int16)
        )
        found = dict(decoded_frames(video, listing, [0, 3, 11, 24]))
        for position, frame in found.items():
            assert np.array_equal(frame, of_0_1._to_picture(frames[position], rotation))
    assert cutting_code() in CUTTING_LIKE_0_1, (
        f"the code that cuts has changed. If pixels cannot have, add its digest to CUTTING_LIKE_0_1: {cutting_code()}"
    )


def test_a_store_of_0_1_is_brought_up_to_date_once_and_no_face_is_cut_again(folder: Path) -> None:
    packs = {path.name: path.stat().st_mtime_ns for path in Path("store/cuts").rglob("*.parquet")}
    assert packs
    assert bring_up_to_date(project().store)
    assert not bring_up_to_date(project().store)
    assert state_of(Path("store")) == "current"
    assert roots(Path("store")) == [Root(folder)]
    prime(project())
    run_all(project())
    assert {path.name: path.stat().st_mtime_ns for path in Path("store/cuts").rglob("*.parquet")} == packs
    assert [path.name for path in Path("store/cuts/photos").iterdir()] == [cutting_context()]
    assert len(list(Path("results/facesets/main/faces").glob("*.png"))) == len(PICTURES)


@pytest.mark.usefixtures("folder")
def test_a_migration_killed_anywhere_is_completed_by_the_next_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    kill_at, killed, copy = 0, True, tmp_path / "killed"
    while killed:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree("store", copy)
        code, _ = in_child(lambda: bring_up_to_date(Store(copy)), kill_at)
        killed = code == -signal.SIGKILL
        assert killed or code == 0
        if killed and state_of(copy) == "old":
            assert bring_up_to_date(Store(copy))
        assert state_of(copy) == "current"
        assert len(roots(copy)) <= 1
        assert [path.name for path in (copy / "cuts/photos").iterdir()] == [cutting_context()]
        with shared(copy), claimed(copy, "something"):
            pass
        kill_at += 1
    with capfd.disabled():
        print(f"\nmigration: killed at each of {kill_at - 1} operations", file=sys.stderr)
    assert kill_at > 5


def test_a_run_of_0_1_keeps_a_store_from_being_migrated(folder: Path) -> None:
    import fcntl

    with (folder / "store/lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with pytest.raises(FacesetError, match="which a run is using"):
            bring_up_to_date(project().store)
    assert state_of(Path("store")) == "old"


@pytest.mark.usefixtures("folder")
def test_an_older_store_is_not_touched_by_commands_but_by_the_next_run() -> None:
    for use in (shared, alone):
        with pytest.raises(FacesetError, match="Run the workflow once"), use(Path("store")):
            pass


def test_a_newer_store_is_refused_in_one_line(tmp_path: Path) -> None:
    check_format(tmp_path / "store")
    (tmp_path / "store/format").write_text(f"{FORMAT + 1}\n")
    for use in (shared, alone):
        with (
            pytest.raises(FacesetError, match=rf"a store of format {FORMAT + 1}.*newer Faceset"),
            use(tmp_path / "store"),
        ):
            pass
    for nonsense in ("", "two", "9" * 5000, "\0"):
        (tmp_path / "store/format").write_text(nonsense)
        with pytest.raises(FacesetError, match="expected the number of a format"), shared(tmp_path / "store"):
            pass


def test_code_of_0_1_cannot_take_a_lock_of_a_newer_store(tmp_path: Path) -> None:
    store = tmp_path / "store"
    check_format(store)
    # What it did to remove from a store, and to make something in it.
    with pytest.raises(IsADirectoryError):
        os.open(store / "lock", os.O_RDWR | os.O_CREAT)
    with pytest.raises(FileExistsError):
        (store / "locks").mkdir(parents=True, exist_ok=True)


def test_a_run_says_that_it_brings_a_store_up_to_date(folder: Path) -> None:
    (folder / "config/config.yaml").write_text("facesets: {main: {policy: all, extract: {size_px: 64}}}\n")
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--snakefile",
        REPOSITORY / "Snakefile",
        "--cores",
        "1",
    ]
    done = subprocess.run([*command, "results/photos/frames.json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "store: brought up to date; all is recomputed once" in done.stderr
