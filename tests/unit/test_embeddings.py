"""Promises of embeddings: tables, distances, and what the identity model sees."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.embed import embed_chips
from faceset.embeddings import Metric, condensed_distances, distances, read_embeddings
from faceset.errors import FacesetError
from faceset.schemas import CHIPS, FACES, TRACKS
from factory import ids, landmarks, picture, write_rows, write_vectors
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


def test_condensed_distances_are_the_upper_triangle() -> None:
    vectors = np.random.default_rng(0).normal(size=(7, 3))
    square = distances(vectors, vectors, "cosine")
    np.testing.assert_allclose(condensed_distances(vectors, "cosine"), square[np.triu_indices(7, 1)])


def test_a_face_gets_the_same_embedding_by_68_and_by_98_landmarks_in_one_source(tmp_path: Path) -> None:
    names = ids("film", 3)
    chip = cv2.imencode(".jpg", picture(1, 384, 384))[1].tobytes()
    points = [np.ravel(landmarks(20, 10, 100, count)) for count in (68, 98, 68)]
    rows = [{"face_id": name, "landmarks": flat} for name, flat in zip(names, points, strict=True)]
    faces = write_rows(tmp_path / "faces.parquet", FACES, rows)
    chips = write_rows(tmp_path / "chips.parquet", CHIPS, [{"face_id": name, "chip": chip} for name in names])
    output = tmp_path / "embeddings.parquet"
    assert embed_chips(chips, faces, output, identity_model().model, MODELS_DIR, "cpu") == "cpu"
    found = read_embeddings(output)
    assert found.face_ids == names
    assert found.metric == "euclidean"
    np.testing.assert_allclose(found.vectors[1], found.vectors[0], atol=1e-5)
    assert np.array_equal(found.vectors[2], found.vectors[0])


def test_a_source_without_faces_gets_an_empty_table(tmp_path: Path) -> None:
    faces = write_rows(tmp_path / "faces.parquet", FACES, [])
    chips = write_rows(tmp_path / "chips.parquet", CHIPS, [])
    embed_chips(chips, faces, tmp_path / "embeddings.parquet", identity_model().model, MODELS_DIR, "cpu")
    assert read_embeddings(tmp_path / "embeddings.parquet").vectors.shape == (0, 128)
