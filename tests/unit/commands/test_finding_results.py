"""Promises of all commands that read results: they go by records, under any prefix, and read no damaged object."""

import os
import shutil
from pathlib import Path

import pytest

from faceset.__main__ import make_parser
from faceset.errors import FacesetError

pytest_plugins = ("two_sources",)

READING = {
    "install": ("photos", "--dry-run"),
    "keep-from-folder": ("main", "sorted"),
    "identities": ("main", "photos", "out.fsa"),
    "compare": ("before.json", "before.json"),
    "draw": ("photos", "drawn"),
    "explain": ("photos/b_0",),
}
"""What is typed behind each, in the folder of the fixture."""


@pytest.fixture(autouse=True)
def project(folder: Path) -> None:  # noqa: ARG001 (it is the current folder)
    """A finished project, with copies of what commands are handed."""
    shutil.copytree("results/facesets/main/faces", "sorted")
    shutil.copyfile("results/cluster.json", "before.json")


def do(name: str, *more: str) -> None:
    words = [*name.split(), *READING.get(name, ()), *more]
    arguments = make_parser(words).parse_args(words)
    arguments.run(arguments)


def move_below_a_prefix() -> None:
    Path("sub").mkdir()
    Path("results").rename("sub/results")
    Path("results").mkdir()  # a wrong turn would find nothing here


@pytest.mark.parametrize("name", READING)
def test_no_plain_name_of_a_result_is_needed(name: str) -> None:
    links = [path for path in Path("results").rglob("*") if path.is_symlink()]
    assert links
    for link in links:
        link.unlink()
    do(name)


@pytest.mark.parametrize("name", READING)
def test_results_are_found_below_the_prefix_that_is_given(name: str) -> None:
    move_below_a_prefix()
    do(name, "--prefix", "sub")


@pytest.mark.parametrize("name", sorted(READING.keys() - {"compare"}))
def test_results_below_a_prefix_are_none_of_the_project_without(name: str) -> None:
    move_below_a_prefix()
    with pytest.raises(FacesetError, match=r"^results/.*\.json: not made yet\. Run the workflow"):
        do(name)


def test_compare_reads_the_faces_that_rows_are_about_below_the_prefix() -> None:
    Path("config/keep").mkdir()
    Path("config/keep/main.tsv").write_text("decision\tscope\tface\nkeep\tcluster\tphotos/b_0\n")
    move_below_a_prefix()
    do("compare", "--prefix", "sub/")
    with pytest.raises(FacesetError, match=r"^results/photos/ingest\.json: not made yet"):
        do("compare")


@pytest.mark.parametrize("name", READING)
def test_a_damaged_object_is_not_read_but_set_aside(name: str) -> None:
    for path in Path("store/objects").glob("*/*"):
        data = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(bytes([data[0] ^ 1]) + data[1:])
    with pytest.raises(FacesetError, match="its bytes are no longer those it is named by"):
        do(name)
    assert len(list(Path("store/quarantine").iterdir())) == 1


def test_forgetting_below_a_prefix_leaves_no_result_there() -> None:
    move_below_a_prefix()
    do("store forget", "source", "photos", "--prefix", "sub")
    assert not Path("sub/results/photos").exists()
    left = [path for path in Path("sub/results").rglob("*") if path.is_file() and b"photos" in path.read_bytes()]
    assert not left
    objects = {path.name for path in Path("store/objects").glob("*/*")}
    assert {path.readlink().name for path in Path("sub/results").rglob("*") if path.is_symlink()} <= objects


def test_what_is_printed_names_results_as_people_know_them(capsys: pytest.CaptureFixture[str]) -> None:
    move_below_a_prefix()
    do("explain", "--prefix", "sub")
    said = capsys.readouterr().out
    assert "from sub/results/clusters.parquet, sha256" in said
    assert "sub/results/facesets/main/faces/photos--b_0.png" in said
    assert f"store{os.sep}objects" not in said
