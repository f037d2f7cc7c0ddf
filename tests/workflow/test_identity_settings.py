"""Other ways to tell people apart than the default model, run as a user would."""

import json
from pathlib import Path

import pandas as pd
from conftest import snakemake
from test_bad_input import PHOTOS, make_project


def test_people_are_told_apart_by_what_the_alignments_bring(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "work")
    settings = folder / "config/config.yaml"
    settings.write_text("identity: {embeddings: from-alignments, model: vggface2}\ndevice: cuda\n")
    run = snakemake(folder, "--cores", "2", "--resources", "gpu=0")
    assert run.code == 0, run.text
    clusters = pd.read_parquet(folder / "results/clusters.parquet").set_index("face_id")["cluster"]
    truth = json.loads((PHOTOS / "truth.json").read_text())
    people = [truth[f"{face.split('/')[1][:-2]}.jpg"][int(face[-1])]["identity"] for face in clusters.index]
    counts = pd.crosstab(clusters, people)
    assert (counts.gt(0).sum(axis=1) == 1).all(), "a cluster of two people"
    assert (counts.max() / counts.sum() >= 0.5).all(), "a person in scattered clusters"

    settings.write_text("identity: {embeddings: from-alignments}\n")
    run = snakemake(folder)
    assert run.code != 0
    assert (
        "source photos: 32 of 32 usable faces have no identity dlib_resnet_v1, the first is source photos, " in run.text
    )
    assert "Its faces bring: t-face_ir-101 (32), vggface2 (32)." in run.text
    assert "Traceback" not in run.text
