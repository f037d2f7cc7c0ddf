"""Promises of the store's roots: every working directory that primed counts, until it is gone."""

import os
import shutil
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.stages.table import STAGES
from faceset.store.objects import Action, Artifact, Store
from faceset.workflow.records import publish
from faceset.workflow.roots import note_root, records_of, roots

ACTION = Action({"frames": Artifact("ab" * 32, 1)}, "cpu")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a working directory with one record."""
    path = tmp_path / "one"
    path.mkdir()
    monkeypatch.chdir(path)
    publish(Store(Path("../store")), STAGES["frames"], {"source": "film"}, ACTION)
    return path


def test_folders_are_noted_once_and_forgotten_when_they_are_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = folder.parent / "store"
    odd = folder.parent / os.fsdecode(b"two \xff\nlines")
    odd.mkdir()
    for path in (folder, odd, folder):
        monkeypatch.chdir(path)
        note_root(store)
    assert roots(store) == [folder, odd]
    monkeypatch.chdir(folder)
    shutil.rmtree(odd)
    assert roots(store) == [folder]


def test_a_copy_of_a_store_is_not_that_of_its_roots_but_a_store_that_was_moved_is(folder: Path) -> None:
    store = folder.parent / "store"
    note_root(store)
    shutil.copytree(store, folder.parent / "copy")
    assert roots(folder.parent / "copy") == []
    store.rename(folder.parent / "moved store")
    assert roots(folder.parent / "moved store") == [folder]


def test_a_damaged_root_is_named(folder: Path) -> None:
    note_root(folder.parent / "store")
    (root,) = (folder.parent / "store/roots").iterdir()
    root.write_text("/somewhere/else")
    with pytest.raises(FacesetError, match=root.name):
        roots(folder.parent / "store")


def test_records_are_found_also_behind_links_and_of_sources_that_are_no_more(folder: Path) -> None:
    moved = folder.parent / "moved"
    shutil.move(folder / "results/film", moved)
    (folder / "results/film").symlink_to(moved)
    (folder / "results/mine.json").write_text("not a record")
    (record,) = records_of(folder)
    assert (record.stage.name, record.where, record.action) == ("frames", {"source": "film"}, ACTION)
    assert record.path == folder / "results/film/frames.json"


def test_a_damaged_record_is_named(folder: Path) -> None:
    (folder / "results/film/frames.json").write_text("{}")
    with pytest.raises(FacesetError, match=r"film/frames\.json: not a record"):
        list(records_of(folder))
