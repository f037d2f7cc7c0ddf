"""A finished project of two sources, `photos` and `more`, and two facesets, `main` of both and `other` of `more`.

A test module has its fixture `folder` by `pytest_plugins = ("two_sources",)`.
"""

import contextlib
import os
import shutil
from pathlib import Path

import pytest

from faceset.alignments.files import fsa_bytes
from faceset.project.project import Project, load_project
from faceset.stages.graph import all_instances
from faceset.workflow.jobs import run_stage
from faceset.workflow.priming import prime
from factory import alignments, face, write_pictures

EXTRACT = {"policy": "all", "extract": {"size_px": 64}}
CONFIG = {"facesets": {"main": EXTRACT, "other": {**EXTRACT, "sources": ["more"]}}}
SOURCES = {"photos": ("a.png", "b.png", "c.png"), "more": ("d.png", "e.png")}


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("finished") / "work")


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project, primed, as the current folder."""
    copy = tmp_path / "work"
    shutil.copytree(finished, copy, symlinks=True)
    monkeypatch.chdir(copy)
    settle()
    return copy


def settle() -> None:
    """Make a copy of the project, in the current folder, one that has run: its footage hashed, its results there."""
    project = current()
    for source in project.sources.values():
        project.footage_digests(source).learn()
    prime(project)


def current() -> Project:
    """The project in the current folder."""
    return load_project(CONFIG)


def make(folder: Path) -> Path:
    """Write the project's footage and config, and run all of its stages in order, as Snakemake would."""
    write_footage(folder)
    with contextlib.chdir(folder):
        run_all()
    return folder


def write_footage(folder: Path) -> None:
    for number, (source, names) in enumerate(SOURCES.items()):
        write_pictures(folder / source, names, width=96 + 2 * number)  # each footage of its own
        read = alignments({name: [face(x=20 + number)] for name in names})
        (folder / source / "alignments.fsa").write_bytes(fsa_bytes(read.data))
    rows = "".join(f"{source}\t{source}\t\tmade up\n" for source in SOURCES)
    (folder / "config").mkdir()
    (folder / "config" / "sources.tsv").write_text(f"source\tframes\talignments\trights\n{rows}")
    lines = [f"  {name}: {{policy: all, extract: {{size_px: 64}}" for name in CONFIG["facesets"]]
    (folder / "config" / "config.yaml").write_text(f"facesets:\n{lines[0]}}}\n{lines[1]}, sources: [more]}}\n")


def run_all() -> list[str]:
    """Run every stage in the current folder; returns the targets that were computed."""
    project = current()
    return [
        " ".join([stage.name, *instance.values()])
        for stage, instance in all_instances(project)
        if run_stage(project, stage.name, **instance)
    ]


def everything(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by relative path; links by where they lead."""
    return {
        str(path.relative_to(folder)): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
