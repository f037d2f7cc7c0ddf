"""Embeddings as arrays, and the distance that their model measures people by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial.distance import cdist

from faceset.arrays import Float32, Float64, Int64
from faceset.errors import FacesetError, is_machine_fault
from faceset.models.tables import EMBEDDINGS
from faceset.tables.parquet import iterate_rows, read_metadata, read_table, write_table

Metric = Literal["euclidean", "cosine"]

ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of some faces: `vectors` is (N, D) float32, `face_ids` has N entries."""

    face_ids: list[str]
    vectors: Float32
    metric: Metric


@dataclass(frozen=True)
class Embedded:
    """Which faces a table has embeddings of, in its order, and of what kind those are."""

    face_ids: pa.StringArray
    dimensions: int
    metric: Metric


def write_embeddings(path: Path, embeddings: Embeddings, model: str, model_sha256: str) -> None:
    """Write the `embeddings` table; the model and its metric go into the table's metadata."""
    dimensions = embeddings.vectors.shape[1]
    column = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.vectors.ravel()), dimensions)
    write_table(
        path,
        EMBEDDINGS.of(dimensions),
        {"face_id": embeddings.face_ids, "embedding": column},
        {"model": model, "model_sha256": model_sha256, "metric": embeddings.metric},
    )


def read_embeddings(path: Path) -> Embeddings:
    """Read an `embeddings` table.

    Raises FacesetError where the file is not one.
    """
    embedded = read_embedded(path)
    vectors = np.empty((len(embedded.face_ids), embedded.dimensions), np.float32)
    place_vectors(path, vectors, np.arange(len(vectors)))
    return Embeddings(embedded.face_ids.to_pylist(), vectors, embedded.metric)


def read_embedded(path: Path) -> Embedded:
    """Read all of an `embeddings` table but the embeddings.

    Raises FacesetError where the file is not one.
    """
    dimensions = _dimensions(path)
    face_ids = read_table(path, EMBEDDINGS.of(dimensions), ["face_id"])["face_id"].combine_chunks()
    metric = read_metadata(path).get("metric")
    if metric not in ("euclidean", "cosine"):
        raise FacesetError(f"{path}: unknown metric {metric!r}. Delete the file and run again.")
    return Embedded(face_ids, dimensions, "cosine" if metric == "cosine" else "euclidean")


def place_vectors(path: Path, vectors: Float32, places: Int64) -> None:
    """Read the N embeddings of a table into those rows of (M, D) `vectors` that `places` (N,) names.

    So they lie in memory once; read as a whole, a million take several times the memory and the time.

    Raises FacesetError where the file is no `embeddings` table of D dimensions.
    """
    start = 0
    for rows in iterate_rows(path, EMBEDDINGS.of(vectors.shape[1]), ROWS_AT_ONCE):
        part = places[start : start + len(rows)]
        vectors[part] = rows["embedding"].flatten().to_numpy().reshape(-1, vectors.shape[1])
        start += len(rows)


def _dimensions(path: Path) -> int:
    try:
        return int(pq.read_schema(path).field("embedding").type.list_size)
    except (OSError, pa.ArrowException, KeyError, AttributeError) as error:
        if is_machine_fault(error):
            raise
        raise FacesetError(f"{path}: not an embeddings table. Delete it and run again.") from error


def unusable_rows(vectors: npt.NDArray[np.floating], metric: Metric) -> Int64:
    """Which of (N, D) vectors have no distance to any: not finite, or, for the cosine, without a direction."""
    finite = np.isfinite(vectors).all(axis=1)
    return np.flatnonzero(~finite if metric == "euclidean" else ~finite | ~vectors.any(axis=1))


def distances(a: npt.ArrayLike, b: npt.ArrayLike, metric: Metric) -> Float64:
    """The (A, B) distances between each of A and each of B vectors, (A, D) and (B, D)."""
    return np.asarray(cdist(np.asarray(a), np.asarray(b), metric), np.float64)


def distances_between(
    vectors: npt.NDArray[np.floating], others: npt.NDArray[np.floating], of: Int64, metric: Metric
) -> Float64:
    """The (N,) distances between each of (N, D) vectors and that one of the (M, D) others that `of` (N,) names."""
    found = np.empty(len(vectors))
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        one, other = vectors[part].astype(np.float64), others[of[part]].astype(np.float64)
        if metric == "euclidean":
            found[part] = np.linalg.norm(one - other, axis=1)
        else:
            lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
            found[part] = 1 - np.einsum("nd,nd->n", one, other) / lengths
    return found


def comparable_vectors(vectors: npt.NDArray[np.floating], metric: Metric) -> Float32:
    """(N, D) vectors whose squared Euclidean distances are in step with the metric: `squared_limit` tells how."""
    if metric == "euclidean":
        return np.ascontiguousarray(vectors, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.ascontiguousarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny), np.float32)


def squared_limit(metric: Metric, threshold: float) -> float:
    """The squared distance between comparable vectors that are a threshold apart; |a - b|^2 = 2 (1 - cos)."""
    return threshold**2 if metric == "euclidean" else 2 * threshold
