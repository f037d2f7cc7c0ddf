"""A project of many sources: what a run costs in which there is nothing to compute."""

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2

from benchmarks.extraction import face, made_up_picture
from benchmarks.measuring import table
from faceset.alignments.files import fsa_bytes
from faceset.project.project import REPOSITORY, load_project
from faceset.stages.graph import all_instances
from faceset.workflow.jobs import run_stage

SOURCES = 50
PICTURES = 20
CONFIG: dict[str, Any] = {"facesets": {"main": {"policy": "all", "extract": {"size_px": 64}}}}


def report() -> list[str]:
    """Measure runs that find everything known."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "project"
        _write(folder)
        started = time.perf_counter()
        with contextlib.chdir(folder):
            targets = _run_all()
        rows = [(f"everything computed, in one process, {targets:,} targets", f"{time.perf_counter() - started:.0f}")]
        shutil.rmtree(folder / "results")
        rows.append(("a fresh working directory restored from the store", _snakemake(folder)))
        rows.append(("no change", _snakemake(folder)))
        rows.append(("a dry run (-n)", _snakemake(folder, "-n")))
    return [
        "# Projects",
        "",
        f"{SOURCES} sources of {PICTURES} small pictures with a face each; from the start of `snakemake` to its end.",
        "What these runs do does not depend on the number of faces: they read records, not tables.",
        "",
        *table(("run", "seconds"), rows),
    ]


def _write(folder: Path) -> None:
    (folder / "config").mkdir(parents=True)
    lines = ["source\tframes\talignments\trights"]
    for source in range(SOURCES):
        footage = folder / f"film{source}"
        footage.mkdir()
        frames = {}
        for number in range(PICTURES):
            picture = cv2.resize(made_up_picture(PICTURES * source + number), (320, 180))
            cv2.imwrite(str(footage / f"{number:06d}.jpg"), picture)
            frames[f"{number:06d}.jpg"] = {"faces": [face(100, 40, 80, source)], "video_meta": {}}
        (footage / "alignments.fsa").write_bytes(fsa_bytes({"__meta__": {"version": 2.4}, "__data__": frames}))
        lines.append(f"film{source}\tfilm{source}\t\tmade up")
    (folder / "config" / "sources.tsv").write_text("\n".join([*lines, ""]))
    (folder / "config" / "config.yaml").write_text("facesets: {main: {policy: all, extract: {size_px: 64}}}\n")


def _run_all() -> int:
    """Run every stage in the current folder; returns how many targets there are."""
    project, targets = load_project(CONFIG), 0
    for stage, instance in all_instances(project):
        run_stage(project, stage.name, **instance)
        targets += 1
    return targets


def _snakemake(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--cores", "2", *arguments]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - started
    said = done.stdout + done.stderr
    if "Nothing to be done" not in said and "a run would compute nothing" not in said:
        raise RuntimeError(said)
    return f"{seconds:.1f}"
