"""Promises of a project's paths."""

from collections.abc import Callable
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.project import load_project, prefix_of
from faceset.stages.table import STAGES
from factory import write_project


@pytest.mark.parametrize("prefix", ["", "a/", "a/b/", "/tmp/x/", "x-"])
@pytest.mark.parametrize("result", ["results/film/crop.json", "results/{source}/crop.json"])
def test_the_prefix_is_what_stands_before_a_result_s_own_path(prefix: str, result: str) -> None:
    assert prefix_of(f"{prefix}{result}", result) == prefix


def test_a_result_in_another_place_is_refused() -> None:
    with pytest.raises(FacesetError, match=r"elsewhere\.json: expected results/film/crop\.json"):
        prefix_of("elsewhere.json", "results/film/crop.json")


@pytest.mark.parametrize(
    ("put", "message"),
    [
        (lambda keep: (keep / "main.tsv").mkdir(parents=True), "config/keep/main.tsv: not a file"),
        (lambda keep: (keep.mkdir(), (keep / "main.tsv").symlink_to("gone")), "config/keep/main.tsv: not a file"),
        (lambda keep: keep.touch(), "config.yaml: keep_lists is 'config/keep', which is not a folder"),
        (lambda keep: keep.symlink_to("gone"), "config.yaml: keep_lists is 'config/keep', which is not a folder"),
    ],
    ids=["a folder", "a dangling link", "a file for the folder", "a dangling link for the folder"],
)
def test_what_is_in_a_keep_list_s_place_and_is_none_is_refused_by_plan_and_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: Callable[[Path], object], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    keep = Path("config/keep")
    load_project({})
    put(keep)
    with pytest.raises(FacesetError) as planned:
        load_project({})
    with pytest.raises(FacesetError) as run:
        STAGES["manifest"].files(load_project({}, check=False), {"faceset": "main"})
    assert str(planned.value) == str(run.value)
    assert str(run.value).startswith(message)


def test_a_keep_list_that_is_a_link_to_a_file_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    assert load_project({}).existing_keep_list("main") is None
    Path("config/keep").mkdir()
    Path("mine.tsv").touch()
    Path("config/keep/main.tsv").symlink_to(Path("mine.tsv").resolve())
    assert load_project({}).existing_keep_list("main") == Path("config/keep/main.tsv")
