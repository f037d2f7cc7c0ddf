"""Other ways to tell people apart than the default model, run as a user would."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from conftest import DEMO, Demo, snakemake
from faceset.demo.footage import PHOTOS as OF_TWO_PEOPLE
from faceset.project.project import REPOSITORY
from faceset.setup.fetch import fetch_package, read_member
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


def test_with_photos_of_the_wanted_person_their_cluster_is_kept(demo: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    shutil.copytree(demo.folder, folder, symlinks=True, ignore=shutil.ignore_patterns(".snakemake"))
    archive = fetch_package(OF_TWO_PEOPLE, REPOSITORY / ".cache/packages")
    photo = read_member(archive, "face_recognition-1.3.0/tests/test_images/biden.jpg")
    (folder / "wanted").mkdir()
    (folder / "wanted/biden (1).jpg").write_bytes(photo)
    (folder / "config/config.yaml").write_text(
        "facesets:\n  main: {reference: wanted}\n  collins: {extract: {size_px: 256}}\n"
    )
    run = snakemake(folder)
    assert run.code == 0, run.text
    assert {"reference main", "nearness main", "manifest main"} <= set(run.computed)
    assert not {"crop", "embed", "cluster"} & run.stages
    nearness = pd.read_parquet(folder / "results/facesets/main/nearness.parquet")
    assert nearness["near"].tolist() == [True, False, False, False]
    manifest = pd.read_parquet(folder / "results/facesets/main/manifest.parquet")
    assert set(manifest["cluster"][manifest["kept"]]) == {nearness["cluster"][0]}
    truth = pd.read_csv(DEMO / "truth.csv")["person"].value_counts()
    assert manifest["kept"].sum() == pytest.approx(truth["biden"], rel=0.03)
    assert "main: policy: " in run.text
    assert "the reference decided" in run.text
    assert snakemake(folder).nothing_to_do

    cv2.imwrite(str(folder / "wanted/wall.png"), np.full((200, 300, 3), 99, np.uint8))
    run = snakemake(folder)
    assert run.code != 0
    assert "in 1 of 2 reference photos: wanted/wall.png." in run.text
    assert "Traceback" not in run.text
