"""Promises of embeddings: tables, distances, and what the identity model sees."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest
from faceset.alignments.tables import FACES
from faceset.crops.tables import CHIPS
from faceset.errors import FacesetError
from faceset.models.chip_embeddings import embed_chips
from faceset.models.embeddings import (
    Embeddings,
    Metric,
    comparable_vectors,
    distances,
    distances_between,
    read_embeddings,
    squared_limit,
)
from faceset.models.stored_identities import take_identities
from faceset.people.tables import TRACKS
from faceset.tables.parquet import read_metadata
from factory import (
    FolderParts,
    alignments,
    crop_into,
    face,
    ids,
    landmarks,
    picture,
    write_frames,
    write_pictures,
    write_rows,
    write_vectors,
)
from real_models import MODELS_DIR, identity_model


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("count", [0, 1, 70_000])
def test_embeddings_are_read_as_they_were_written(tmp_path: Path, count: int, metric: Metric) -> None:
    vectors = np.random.default_rng(0).normal(size=(count, 4)).astype(np.float32)
    path = write_vectors(tmp_path / "embeddings.parquet", names := ids("film", count), vectors, metric)
    found = read_embeddings(path)
    assert found.face_ids == names
    assert found.vectors.dtype == np.float32
    assert np.array_equal(found.vectors, vectors)
    assert found.metric == metric


def test_what_is_no_embeddings_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.parquet").write_bytes(b"")
    write_rows(tmp_path / "tracks.parquet", TRACKS, [])
    for name in ("empty.parquet", "tracks.parquet"):
        with pytest.raises(FacesetError, match=f"{name}: not an embeddings table"):
            read_embeddings(tmp_path / name)
    write_vectors(tmp_path / "odd.parquet", ["a"], np.ones((1, 4)), "manhattan")  # type: ignore[arg-type]
    with pytest.raises(FacesetError, match="unknown metric 'manhattan'"):
        read_embeddings(tmp_path / "odd.parquet")


def test_distances_are_those_of_the_metric() -> None:
    a, b = [[3.0, 0.0], [0.0, 2.0]], [[3.0, 4.0]]
    np.testing.assert_allclose(distances(a, b, "euclidean"), [[4.0], [np.sqrt(13)]])
    np.testing.assert_allclose(distances(a, b, "cosine"), [[1 - 3 / 5], [1 - 4 / 5]])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_row_by_row_and_comparable_distances_are_those_of_the_metric(metric: Metric) -> None:
    random = np.random.default_rng(0)
    vectors, others, of = random.normal(size=(7, 3)), random.normal(size=(4, 3)), np.array([3, 0, 0, 1, 2, 3, 1])
    expected = distances(vectors, others, metric)[np.arange(7), of]
    np.testing.assert_allclose(distances_between(vectors, others, of, metric), expected)
    apart = comparable_vectors(vectors, metric) - comparable_vectors(others, metric)[of]
    limits = [squared_limit(metric, threshold) for threshold in expected]
    np.testing.assert_allclose(np.sum(apart**2, axis=1), limits, rtol=1e-4)


def test_a_face_gets_the_same_embedding_by_68_and_by_98_landmarks_in_one_source(tmp_path: Path) -> None:
    names = ids("film", 3)
    chip = cv2.imencode(".jpg", picture(1, 384, 384))[1].tobytes()
    points = [np.ravel(landmarks(20, 10, 100, count)) for count in (68, 98, 68)]
    rows = [{"face_id": name, "position": 0, "landmarks": flat} for name, flat in zip(names, points, strict=True)]
    faces = write_rows(tmp_path / "faces.parquet", FACES, rows)
    chips = write_rows(
        tmp_path / "chips.parquet",
        CHIPS,
        [{"face_id": name, "sha256": bytes(32), "chip": chip} for name in names],
    )
    output, no_parts = tmp_path / "embeddings.parquet", FolderParts(tmp_path)
    assert embed_chips(chips, faces, output, identity_model().model, MODELS_DIR, "cpu", no_parts) == "cpu"
    found = read_embeddings(output)
    assert found.face_ids == names
    assert found.metric == "euclidean"
    np.testing.assert_allclose(found.vectors[1], found.vectors[0], atol=1e-5)
    assert np.array_equal(found.vectors[2], found.vectors[0])


def test_a_source_without_faces_gets_an_empty_table(tmp_path: Path) -> None:
    faces = write_rows(tmp_path / "faces.parquet", FACES, [])
    chips, no_parts = write_rows(tmp_path / "chips.parquet", CHIPS, []), FolderParts(tmp_path)
    embed_chips(chips, faces, tmp_path / "embeddings.parquet", identity_model().model, MODELS_DIR, "cpu", no_parts)
    assert read_embeddings(tmp_path / "embeddings.parquet").vectors.shape == (0, 128)


def test_in_parts_the_same_comes_out_and_only_parts_that_changed_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    footage = write_pictures(tmp_path / "photos", [f"{number}.png" for number in range(7)])
    frames = write_frames(footage, tmp_path / "frames")

    def embed(name: str, x: int, parts: FolderParts) -> Embeddings:
        names = ids("film", 7)
        rows = [
            {"face_id": face, "position": place, "landmarks": np.ravel(landmarks(20 + (place == 3) * x, 10, 40))}
            for place, face in enumerate(names)
        ]
        folder = tmp_path / name
        folder.mkdir()
        faces = write_rows(folder / "faces", FACES, [{**row, "problem": None} for row in rows])
        crop_into(folder, footage, frames, faces)
        embed_chips(folder / "chips", faces, folder / "out", identity_model().model, MODELS_DIR, "cpu", parts)
        return read_embeddings(folder / "out")

    parts = FolderParts(tmp_path / "parts", "embeddings")
    whole = embed("whole", 0, parts)
    assert parts.made == []
    monkeypatch.setattr("faceset.footage.parts.FRAMES_A_PART", 2)
    in_parts = embed("in parts", 0, parts)
    assert len(parts.made) == 4
    assert in_parts.face_ids == whole.face_ids
    np.testing.assert_allclose(in_parts.vectors, whole.vectors, atol=1e-5)
    parts.made.clear()
    edited = embed("edited", 2, parts)
    assert len(parts.made) == 1
    changed = np.flatnonzero(np.abs(edited.vectors - whole.vectors).max(axis=1) > 1e-4)
    assert changed.tolist() == [3]


# What the alignments bring

VECTORS = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)


def taken(
    folder: Path, frames: Mapping[str, Sequence[Mapping[str, Any]]], metric: Metric = "cosine", name: str = "mine"
) -> Path:
    """The embeddings of a source of these frames, each of faces that have these identities."""
    pictures = write_pictures(folder / "pictures", sorted(frames))
    write_frames(pictures, folder / "frames")
    read = alignments({frame: [face(identity=identity) for identity in faces] for frame, faces in frames.items()})
    outputs = [folder / output for output in ("faces", "alignments", "problems")]
    ingest(IngestInputs(read, "made up", "film", pictures, folder / "frames"), IngestOutputs(*outputs))
    take_identities(outputs[0], outputs[1], folder / "embeddings", "film", name, 3, metric)
    return folder / "embeddings"


def identity(number: int, name: str = "mine") -> dict[str, list[float]]:
    return {name: VECTORS[number].tolist(), "another": [1.0]}


def test_the_alignments_embeddings_are_taken_in_the_order_of_frames(tmp_path: Path) -> None:
    frames = {"b.png": [identity(2), identity(3)], "a.png": [identity(0)]}
    path = taken(tmp_path, frames)
    found = read_embeddings(path)
    assert found.face_ids == ["film/a_0", "film/b_0", "film/b_1"]
    assert np.array_equal(found.vectors, VECTORS[[0, 2, 3]])
    assert found.metric == "cosine"
    assert read_metadata(path)["model"] == "mine"


def test_faces_with_a_problem_need_no_identity(tmp_path: Path) -> None:
    frames = {"a.png": [identity(0), {"mine": [float("nan")] * 3}], "b.png": [identity(1)]}
    assert read_embeddings(taken(tmp_path, frames)).face_ids == ["film/a_0", "film/b_0"]


def test_a_source_without_faces_has_embeddings_of_the_right_length(tmp_path: Path) -> None:
    assert read_embeddings(taken(tmp_path, {"a.png": []})).vectors.shape == (0, 3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({}, r"source film: 1 of 3 usable faces have no identity mine, the first is source film, frame b, face 1\."),
        ({}, r"bring: another \(2\), mine \(2\), none \(1\)\. In config\.yaml, set identity\.model"),
        ({"other": [1.0] * 3}, r"bring: another \(2\), mine \(2\), other \(1\)\."),
        ({"mine": [1.0] * 4}, "source film, frame b, face 1: its identity mine has 4 numbers, not 3"),
        ({"mine": [0.0] * 3}, "source film, frame b, face 1: its identity mine is not finite, or all zeros"),
    ],
)
def test_an_identity_that_can_not_be_used_is_named_with_its_face(
    tmp_path: Path, wrong: dict[str, list[float]], told: str
) -> None:
    with pytest.raises(FacesetError, match=told):
        taken(tmp_path, {"a.png": [identity(0)], "b.png": [identity(1), wrong]})


def test_a_vector_without_length_is_one_like_others_for_the_euclidean_distance(tmp_path: Path) -> None:
    assert not read_embeddings(taken(tmp_path, {"a.png": [{"mine": [0.0] * 3}]}, "euclidean")).vectors.any()
