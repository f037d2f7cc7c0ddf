"""Promises of the store's roots: every working directory that primed counts, until it is gone."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.project import Project
from faceset.stages.table import STAGES
from faceset.store.actions import Action, Artifact
from faceset.workflow.records import publish
from faceset.workflow.roots import Root, note_root, records_of, roots
from factory import project, write_project

ACTION = Action({"frames": Artifact("ab" * 32, 1)}, "cpu")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a working directory with one record."""
    path = tmp_path / "one"
    path.mkdir()
    monkeypatch.chdir(path)
    write_project(path)
    publish(here(), STAGES["frames"], {"source": "film"}, ACTION)
    return path


def here(prefix: str = "") -> Project:
    """The project of the current folder, in a store beside that."""
    return replace(project(store="../store"), prefix=prefix)


def test_folders_are_noted_once_and_forgotten_when_they_are_gone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = folder.parent / "store"
    odd = folder.parent / os.fsdecode(b"two \xff\nlines")
    shutil.copytree(folder, odd, symlinks=True)
    for path in (folder, odd, folder):
        monkeypatch.chdir(path)
        note_root(here())
    assert roots(store) == [Root(folder), Root(odd)]
    monkeypatch.chdir(folder)
    shutil.rmtree(odd)
    assert roots(store) == [Root(folder)]


def test_a_folder_is_a_root_for_each_prefix_that_results_have_in_it(folder: Path) -> None:
    for prefix in ("b/", "", "a/", "b/"):
        note_root(here(prefix))
    publish(here("a/"), STAGES["frames"], {"source": "other"}, ACTION)
    found = roots(folder.parent / "store")
    assert found == [Root(folder), Root(folder, "a/"), Root(folder, "b/")]
    of_root = {str(root): [record.path for record in records_of(root)] for root in found}
    assert of_root == {
        f"{folder}": [folder / "results/film/frames.json"],
        f"{folder}/a": [folder / "a/results/other/frames.json"],
        f"{folder}/b": [],
    }


def test_a_copy_of_a_store_is_not_that_of_its_roots_but_a_store_that_was_moved_is(folder: Path) -> None:
    store = folder.parent / "store"
    note_root(here())
    shutil.copytree(store, folder.parent / "copy")
    assert roots(folder.parent / "copy") == []
    store.rename(folder.parent / "moved store")
    assert roots(folder.parent / "moved store") == [Root(folder)]


def test_a_damaged_root_is_named(folder: Path) -> None:
    note_root(here())
    (root,) = (folder.parent / "store/roots").iterdir()
    root.write_text("/somewhere/else")
    with pytest.raises(FacesetError, match=root.name):
        roots(folder.parent / "store")


def test_records_are_found_also_behind_links_and_of_sources_that_are_no_more(folder: Path) -> None:
    moved = folder.parent / "moved"
    shutil.move(folder / "results/film", moved)
    (folder / "results/film").symlink_to(moved)
    (folder / "results/mine.json").write_text("not a record")
    (record,) = records_of(Root(folder))
    assert (record.stage.name, record.instance, record.action) == ("frames", {"source": "film"}, ACTION)
    assert record.path == folder / "results/film/frames.json"


def test_a_damaged_record_is_named(folder: Path) -> None:
    (folder / "results/film/frames.json").write_text("{}")
    with pytest.raises(FacesetError, match=r"film/frames\.json: not a record"):
        list(records_of(Root(folder)))
