"""Promises of verify: what is damaged is found, of every kind, and taken out; an interrupted pass is gone on with."""

import json
import os
from pathlib import Path

import pytest

from faceset.store.objects import Store
from faceset.upkeep import verify as module
from faceset.upkeep.verify import STATE, verify
from faceset.workflow.priming import prime
from two_sources import current, run_all

pytest_plugins = ("two_sources",)

STORE = Store(Path("store"))


def run() -> tuple[bool, str]:
    said: list[str] = []
    return verify(STORE, said.append), "\n".join(said)


def damage(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    damage(path, bytes(data))


@pytest.mark.usefixtures("folder")
def test_a_whole_store_is_whole_and_nothing_of_it_changes() -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("store").rglob("*") if path.is_file()}
    assert run() == (True, "All is as it was written.")
    after = {path: path.stat().st_mtime_ns for path in Path("store").rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.usefixtures("folder")
def test_an_object_of_every_stage_that_is_damaged_is_set_aside_and_made_anew() -> None:
    objects = {path.resolve() for path in Path("results").rglob("*") if path.is_symlink()}
    assert len({path.suffix for path in Path("results").rglob("*") if path.is_symlink()}) >= 3
    for path in objects:
        flip(path)
    whole, said = run()
    assert not whole
    assert all(path.name in said for path in objects)
    assert not any(path.exists() for path in objects)
    assert run()[0]
    prime(current())
    run_all()
    assert all(path.exists() for path in objects)
    assert run()[0]


@pytest.mark.usefixtures("folder")
def test_a_damaged_pack_of_cut_faces_is_set_aside_and_no_face_is_lost() -> None:
    packs = list(Path("store/cuts").rglob("*.parquet"))
    for pack in packs:
        flip(pack)
    assert not run()[0]
    assert not any(pack.exists() for pack in packs)
    pictures = sorted(Path("results/facesets/main/faces").iterdir())
    for picture in pictures:
        picture.unlink()
    Path("results/facesets/main/.faces.json").unlink()
    Path("results/facesets/main/faces").rmdir()
    prime(current())
    run_all()
    assert sorted(Path("results/facesets/main/faces").iterdir()) == pictures


@pytest.mark.parametrize("kind", ["empty", "other", "outputs", "made_from", "name", "gone object", "size"])
@pytest.mark.usefixtures("folder")
def test_a_damaged_action_of_any_kind_is_removed(kind: str) -> None:
    path = sorted(Path("store/actions").rglob("*.json"))[0]
    value = json.loads(path.read_bytes())
    artifact = next(iter(value["outputs"].values()))
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "other":
        path.write_bytes(sorted(Path("store/actions").rglob("*.json"))[1].read_bytes())
    elif kind == "outputs":
        path.write_text(json.dumps({**value, "outputs": []}))
    elif kind == "made_from":
        path.write_text(json.dumps({**value, "made_from": {**value["made_from"], "stage": "none"}}))
    elif kind == "name":
        path = path.rename(path.with_name("mine.json"))
    elif kind == "gone object":
        Path("store/objects", artifact["sha256"][:2], artifact["sha256"]).unlink()
    elif kind == "size":
        artifact["size"] += 1
        path.write_text(json.dumps(value))
    whole, said = run()
    assert not whole
    assert str(path) in said
    assert not path.exists()
    assert run()[0]


@pytest.mark.usefixtures("folder")
def test_what_is_no_object_is_set_aside() -> None:
    Path("store/objects/ab").mkdir(exist_ok=True)
    Path("store/objects/ab/notes.txt").write_text("mine")
    Path("store/objects/ab/folder").mkdir()
    assert not run()[0]
    assert {path.name for path in Path("store/quarantine").glob("*/*")} == {"notes.txt", "folder"}


def test_an_interrupted_pass_is_gone_on_with(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    digest = module.file_digest

    def interrupted(path: Path) -> str:
        if len(read) == 5:
            raise KeyboardInterrupt
        read.append(path.name)
        return digest(path)

    monkeypatch.setattr(module, "file_digest", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run()
    with (folder / "store" / STATE).open("a") as state:
        state.write("0123")  # a line that a crash cut short
    again: list[str] = []
    monkeypatch.setattr(module, "file_digest", lambda path: again.append(path.name) or digest(path))
    whole, said = run()
    assert whole
    assert "Going on from where it was interrupted: 5 objects were right then." in said
    assert not set(read) & set(again)
    assert not (folder / "store" / STATE).exists()
    assert len(read) + len(again) == len(list(Path("store/objects").glob("*/*")))


def test_a_pass_goes_on_behind_a_line_that_was_cut_short(folder: Path) -> None:
    first = min(path.name for path in Path("store/objects").glob("*/*"))
    (folder / "store" / STATE).write_text(first[:10])
    os.sync()
    assert run()[0]
