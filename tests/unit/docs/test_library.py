"""The script that uses the library without Snakemake does what it says."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pandas as pd

from faceset.project.project import REPOSITORY
from factory import PICTURES, write_project


def run(folder: Path) -> list[str]:
    command = [sys.executable, REPOSITORY / "docs/library.py", "photos", "face.png"]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "scripts")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_script_computes_once_tells_who_is_who_and_cuts_a_face(tmp_path: Path) -> None:
    write_project(tmp_path)
    (tmp_path / "config" / "config.yaml").write_text("device: cpu\n")
    told = run(tmp_path)
    stages = ["frames photos", "ingest photos", "crop photos", "embed photos", "track photos", "cluster"]
    assert told[: len(stages)] == [f"{stage} computed" for stage in stages]
    clusters = pd.read_parquet(tmp_path / "results/clusters.parquet")
    people = dict(line.split(": ", 1) for line in told[len(stages) : -1])
    assert set(people) == set(clusters["cluster"])
    assert sum(int(text.split()[0]) for text in people.values()) == len(PICTURES)
    assert told[-1] == f"face.png: {clusters['face_id'].min()}"
    assert cv2.imread(str(tmp_path / "face.png")).shape == (256, 256, 3)
    again = run(tmp_path)
    assert again[: len(stages)] == [f"{stage} known" for stage in stages]
    assert again[len(stages) :] == told[len(stages) :]
