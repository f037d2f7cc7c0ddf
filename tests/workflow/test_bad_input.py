"""What a user may get wrong ends in one clear line, without a traceback, and with nothing half written.

Two tables: what is told before anything runs, and what is told by the job that meets it. Each row is a mistake, made
in an otherwise good project, and what the user must be told.
"""

import pickle
import shutil
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Run, all_bytes, snakemake
from faceset.project.project import REPOSITORY

PHOTOS = REPOSITORY / "tests/data/golden/photos/src"
HEADER = "source\tframes\talignments\trights\n"
Mistake = Callable[[Path], None]


def make_project(folder: Path) -> Path:
    """A good project of one small folder of frames and its alignments."""
    (folder / "config/keep").mkdir(parents=True)
    (folder / "config/config.yaml").write_text("sources: config/sources.tsv\n")
    (folder / "config/sources.tsv").write_text(f"{HEADER}photos\tfootage\tphotos.fsa\tour own\n")
    shutil.copytree(PHOTOS / "frames", folder / "footage")
    shutil.copyfile(PHOTOS / "alignments.fsa", folder / "photos.fsa")
    return folder


def config(text: str) -> Mistake:
    return lambda folder: (folder / "config/config.yaml").write_text(text) and None


def sources(text: str) -> Mistake:
    return lambda folder: (folder / "config/sources.tsv").write_text(text) and None


def keep_list(text: str) -> Mistake:
    return lambda folder: (folder / "config/keep/main.tsv").write_text(text) and None


def alignments(data: bytes) -> Mistake:
    return lambda folder: (folder / "photos.fsa").write_bytes(data) and None


def pickled(value: Any) -> Mistake:
    return alignments(zlib.compress(pickle.dumps(value)))


class RunsACommand:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("owned"),)


def empty_footage(folder: Path) -> None:
    shutil.rmtree(folder / "footage")
    (folder / "footage").mkdir()


def same_stem(folder: Path) -> None:
    (folder / "footage/frame_000001.png").write_bytes(b"")


def broken_picture(folder: Path) -> None:
    (folder / "footage/frame_000003.jpg").write_bytes(b"no picture")


def text_as_video(folder: Path) -> None:
    (folder / "film.mp4").write_text("no video")
    sources(f"{HEADER}film\tfilm.mp4\tdetect\tour own\n")(folder)


def truncated_alignments(folder: Path) -> None:
    data = (folder / "photos.fsa").read_bytes()
    (folder / "photos.fsa").write_bytes(data[: len(data) // 2])


def of_other_footage(folder: Path) -> None:
    for path in (folder / "footage").iterdir():
        path.rename(path.with_name("other_" + path.name))


def own_file_in_the_way(folder: Path) -> None:
    (folder / "results/photos").mkdir(parents=True)
    (folder / "results/photos/frames.parquet").write_text("mine")


BEFORE_ANYTHING_RUNS: dict[str, tuple[Mistake, str]] = {
    "no config": (lambda folder: (folder / "config/config.yaml").unlink(), "config/config.yaml"),
    "config is no YAML": (config("sources: [\n"), "config/config.yaml"),
    "unknown key": (config("source: config/sources.tsv\n"), "unknown key source; did you mean sources?"),
    "unknown nested key": (
        config("facesets: {main: {extract: {size: 256}}}\n"),
        "unknown key facesets.main.extract.size; did you mean size_px?",
    ),
    "wrong kind of value": (config("facesets: {main: {extract: {size_px: big}}}\n"), "facesets.main.extract.size_px"),
    "value out of range": (config("detect: {min_face_px: 3}\n"), "detect.min_face_px is 3"),
    "unknown policy": (config("facesets: {main: {policy: biggest}}\n"), "facesets.main.policy is 'biggest'"),
    "unknown device": (config("device: gpu\n"), "device is 'gpu'"),
    "unknown model": (config("identity: {model: dlib}\n"), "dlib_resnet_v1"),
    "faceset of unknown source": (config("facesets: {main: {sources: [film]}}\n"), "known here: photos"),
    "faceset of no source": (config("facesets: {main: {sources: []}}\n"), "facesets.main.sources"),
    "no faceset": (config("facesets: {}\n"), "facesets is {}"),
    "unsafe faceset name": (config("facesets: {a/b: {}}\n"), "'a/b' cannot be the name of a faceset"),
    "no sources file": (lambda folder: (folder / "config/sources.tsv").unlink(), "sources.tsv: no such file"),
    "empty sources file": (sources(""), "sources.tsv: empty"),
    "no sources in it": (sources(HEADER), "no sources under the header"),
    "unknown column": (sources("source\tframe\talignments\trights\n"), "'frame'; did you mean frames?"),
    "missing column": (sources("source\tframes\trights\nx\tfootage\t\n"), "no column 'alignments'"),
    "too many cells": (sources(HEADER + "photos\tfootage\t\t\t\tx\n"), "line 2: 6 cells under a header of 4"),
    "source twice": (sources(HEADER + "a\tfootage\t\tx\na\tfootage\t\tx\n"), "line 3: the source 'a' is there twice"),
    "unsafe source name": (sources(HEADER + "../a\tfootage\t\tx\n"), "'../a' cannot be the name of a source"),
    "reserved source name": (sources(HEADER + "facesets\tfootage\t\tx\n"), "'facesets' cannot be the name"),
    "empty frames cell": (sources(HEADER + "a\t\t\tx\n"), "the column `frames` is empty"),
    "footage not there": (sources(HEADER + "a\tnowhere\t\tx\n"), "nowhere: no such video or folder"),
    "footage of no known kind": (sources(HEADER + "a\tphotos.fsa\t\tx\n"), "neither a folder of pictures nor a video"),
    "alignments not there": (sources(HEADER + "a\tfootage\tnone.fsa\tx\n"), "none.fsa: no such alignments file"),
    "empty footage": (empty_footage, "no pictures in it"),
    "two pictures of one name": (same_stem, "would be the same frame"),
    "keep-list with an unknown column": (
        keep_list("decision\tscope\tfaces\nkeep\tcluster\tphotos/frame_000001_0\n"),
        "did you mean face?",
    ),
    "keep-list with an unknown decision": (
        keep_list("decision\tscope\tface\nkeap\tcluster\tphotos/frame_000001_0\n"),
        "main.tsv, line 2",
    ),
    "keep-list with an unknown scope": (
        keep_list("decision\tscope\tface\nkeep\tclusters\tphotos/frame_000001_0\n"),
        "did you mean cluster?",
    ),
    "keep-list with no face id": (keep_list("decision\tscope\tface\nkeep\tface\tframe_000001_0\n"), "line 2"),
    "keep-list against itself": (
        keep_list("decision\tscope\tface\nkeep\tface\tphotos/a_0\ndrop\tface\tphotos/a_0\n"),
        "line 2 says keep and line 3 says drop of the same face",
    ),
    "something in a result's place": (own_file_in_the_way, "frames.parquet"),
}

IN_A_JOB: dict[str, tuple[Mistake, str]] = {
    "broken picture": (broken_picture, "frame_000003.jpg: cannot be decoded as a picture"),
    "text as video": (text_as_video, "film.mp4: cannot be opened as a video"),
    "alignments cut short": (truncated_alignments, "photos.fsa: cut short"),
    "alignments not compressed": (alignments(b"{}"), "it is not zlib-compressed"),
    "alignments no pickle": (alignments(zlib.compress(b"hello")), "photos.fsa: "),
    "alignments of no frames": (pickled([1, 2]), "expected alignments, found"),
    "alignments too old": (pickled({"a.jpg": []}), "photos.fsa: version 1.0, older than 2.0"),
    "a face without landmarks": (
        pickled({"__meta__": {"version": 2.4}, "__data__": {"frame_000001.jpg": {"faces": [{"x": 1}]}}}),
        "frame_000001.jpg",
    ),
    "alignments that run code": (pickled(RunsACommand()), "photos.fsa: "),
    "alignments of other footage": (of_other_footage, "none of its 14 frames is in the footage"),
}


@pytest.mark.parametrize("name", BEFORE_ANYTHING_RUNS)
def test_told_before_anything_runs(name: str, tmp_path: Path) -> None:
    mistake, told = BEFORE_ANYTHING_RUNS[name]
    run = _run_with(mistake, make_project(tmp_path))
    _is_told(run, told)
    assert not run.computed


@pytest.mark.parametrize("name", IN_A_JOB)
def test_told_by_the_job_that_meets_it(name: str, tmp_path: Path) -> None:
    mistake, told = IN_A_JOB[name]
    _is_told(_run_with(mistake, make_project(tmp_path), "--until", "ingest"), told)
    assert not list((tmp_path / "results").rglob("ingest.json"))
    assert not list((tmp_path / "store/tmp").iterdir())
    assert not list(REPOSITORY.glob("owned")) + list(tmp_path.rglob("owned"))


def test_the_size_of_the_matrix_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with capfd.disabled():
        print(
            f"\nbad input: {len(BEFORE_ANYTHING_RUNS)} mistakes told before anything runs, {len(IN_A_JOB)} by a job",
            file=sys.stderr,
        )
    assert len(BEFORE_ANYTHING_RUNS) + len(IN_A_JOB) >= 40


def _run_with(mistake: Mistake, folder: Path, *arguments: str) -> Run:
    mistake(folder)
    before = all_bytes(folder)
    run = snakemake(folder, "--cores", "2", *arguments)
    after = all_bytes(folder)
    assert {name: after.get(name) for name in before} == before
    return run


def _is_told(run: Run, told: str) -> None:
    assert run.code != 0
    assert told in run.text, run.text
    assert "Traceback" not in run.text, run.text
