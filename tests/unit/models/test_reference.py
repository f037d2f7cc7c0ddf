"""Promises of the reference: what real models see in photos of a wanted person, and who is nearest to them."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceset.errors import FacesetError
from faceset.models.detector import STAGES
from faceset.models.landmarks import MESH_MODEL
from faceset.models.reference import embed_reference
from faceset.models.tables import REFERENCE
from faceset.people.nearness import rank_clusters
from faceset.people.tables import CLUSTERS, NEARNESS
from faceset.tables.parquet import read_metadata, read_table, write_table
from factory import ids, picture, write_rows, write_vectors
from real_models import CATALOGUE, MODELS_DIR, identity_model, photo

MODELS = {name: CATALOGUE[name] for name in (*STAGES, MESH_MODEL, "dlib_resnet_v1")}


def embedded(folder: Path, pictures: Mapping[str, NDArray[np.uint8]]) -> Path:
    """The reference table of these pictures."""
    paths = {name: folder / name for name in pictures}
    for name, path in paths.items():
        cv2.imwrite(str(path), pictures[name])
    output = folder / "reference.parquet"
    assert embed_reference(paths, output, MODELS, MODELS_DIR, "cpu", 40) == "cpu"
    return output


def test_the_wanted_person_is_near_and_another_far(tmp_path: Path) -> None:
    path = embedded(tmp_path, {name: photo(name) for name in ("obama.jpg", "obama3.jpg", "biden.jpg")})
    rows = read_table(path, REFERENCE.of(128)).to_pylist()
    assert [row["photo"] for row in rows] == ["obama.jpg", "obama3.jpg", "biden.jpg"]
    first, second, other = (np.array(row["embedding"]) for row in rows)
    threshold = identity_model().model.threshold
    assert np.linalg.norm(first - second) < threshold < np.linalg.norm(first - other)
    assert read_metadata(path)["model"] == "dlib_resnet_v1"


def test_of_a_photo_of_several_the_largest_face_counts(tmp_path: Path) -> None:
    obama, biden = photo("obama.jpg"), photo("biden.jpg")
    small = cv2.resize(biden, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    both = np.zeros((max(len(obama), len(small)), obama.shape[1] + small.shape[1], 3), np.uint8)
    both[: len(obama), : obama.shape[1]] = obama
    both[: len(small), obama.shape[1] :] = small
    path = embedded(tmp_path, {"alone.png": obama, "both.png": both})
    alone, group = read_table(path, REFERENCE.of(128)).to_pylist()
    assert (alone["faces"], group["faces"]) == (1, 2)
    assert np.linalg.norm(np.subtract(alone["embedding"], group["embedding"])) < 0.1


def test_photos_without_a_face_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(FacesetError) as error:
        embedded(tmp_path, {"a.png": picture(1, 300, 200), "obama.jpg": photo("obama.jpg"), "b.png": picture(2)})
    assert f"in 2 of 3 reference photos: {tmp_path / 'a.png'}, {tmp_path / 'b.png'}." in str(error.value)
    assert "obama" not in str(error.value).replace(str(tmp_path), "")


# Nearness

PHOTOS = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)


def write_reference(path: Path, model: str = "made_up") -> Path:
    columns = {"photo": ["a", "b"], "sha256": ["", ""], "faces": [1, 1], "embedding": list(PHOTOS)}
    write_table(path, REFERENCE.of(2), columns, {"model": model})
    return path


def ranked(
    folder: Path, vectors: dict[str, dict[str, list[float]]], clusters: dict[str, str]
) -> list[dict[str, object]]:
    """The nearness of clusters (by face) in sources of these vectors (by face), at a threshold of 1."""
    embeddings = {
        source: write_vectors(folder / source, list(faces), np.array(list(faces.values())).reshape(-1, 2))
        for source, faces in vectors.items()
    }
    rows = [{"face_id": face, "cluster": cluster} for face, cluster in sorted(clusters.items())]
    table = write_rows(folder / "clusters", CLUSTERS, rows)
    rank_clusters(write_reference(folder / "reference"), table, embeddings, folder / "nearness", 1.0)
    return read_table(folder / "nearness", NEARNESS).to_pylist()


def test_clusters_are_ranked_by_their_mean_distance_over_the_sources_asked_for(tmp_path: Path) -> None:
    film, more = ids("film", 3), ids("more", 1)
    vectors = {"film": {film[0]: [3.0, 0.0], film[1]: [0.0, 0.0], film[2]: [1.0, 1.0]}, "more": {more[0]: [0.0, 0.0]}}
    clusters = {film[0]: "far", film[1]: "near", film[2]: "far", more[0]: "near", "elsewhere/000001_0": "unseen"}
    far = (2 + np.sqrt(10) + 1 + 1) / 4
    assert ranked(tmp_path, vectors, clusters) == [
        {"cluster": "near", "faces": 2, "distance": 1.0, "near": True},
        {"cluster": "far", "faces": 2, "distance": pytest.approx(far), "near": False},
    ]


def test_equally_near_clusters_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    faces = ids("film", 3)
    rows = ranked(tmp_path, {"film": {face: [0.0, 0.0] for face in faces}}, dict(zip(faces, "bca", strict=True)))
    assert [row["cluster"] for row in rows] == ["a", "b", "c"]


def test_sources_without_faces_have_no_near_clusters(tmp_path: Path) -> None:
    assert ranked(tmp_path, {"film": {}}, {}) == []


def test_a_reference_of_another_model_is_refused(tmp_path: Path) -> None:
    reference = write_reference(tmp_path / "reference", "another")
    embeddings = {"film": write_vectors(tmp_path / "film", ["film/a_0"], PHOTOS[:1])}
    clusters = write_rows(tmp_path / "clusters", CLUSTERS, [{"face_id": "film/a_0", "cluster": "film/a_0"}])
    with pytest.raises(FacesetError, match="film: its embeddings are not of another"):
        rank_clusters(reference, clusters, embeddings, tmp_path / "nearness", 1.0)
