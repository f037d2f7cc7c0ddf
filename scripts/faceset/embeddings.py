"""Embeddings as arrays, and the distance that their model measures people by."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.spatial.distance import cdist

from faceset.errors import FacesetError
from faceset.schemas import embeddings_schema
from faceset.tables import iterate_rows, read_metadata, write_table

Metric = Literal["euclidean", "cosine"]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Embeddings:
    """The embeddings of some faces: `vectors` is (N, D) float32, `face_ids` has N entries."""

    face_ids: list[str]
    vectors: Float32
    metric: Metric


def write_embeddings(path: Path, embeddings: Embeddings, model: str, model_sha256: str) -> None:
    """Write the `embeddings` table; the model and its metric go into the table's metadata."""
    dimensions = embeddings.vectors.shape[1]
    column = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.vectors.ravel()), dimensions)
    write_table(
        path,
        embeddings_schema(dimensions),
        {"face_id": embeddings.face_ids, "embedding": column},
        {"model": model, "model_sha256": model_sha256, "metric": embeddings.metric},
    )


def read_embeddings(path: Path) -> Embeddings:
    """Read an `embeddings` table.

    Raises FacesetError where the file is not one.
    """
    count, dimensions = _shape(path)
    metric = read_metadata(path).get("metric")
    if metric not in ("euclidean", "cosine"):
        raise FacesetError(f"{path}: unknown metric {metric!r}. Delete the file and run again.")
    face_ids: list[str] = []
    vectors = np.empty((count, dimensions), np.float32)
    # Read at once, they would lie in memory several times.
    for rows in iterate_rows(path, embeddings_schema(dimensions), ROWS_AT_ONCE):
        part = rows["embedding"].flatten().to_numpy().reshape(-1, dimensions)
        vectors[len(face_ids) : len(face_ids) + len(rows)] = part
        face_ids += rows["face_id"].to_pylist()
    return Embeddings(face_ids, vectors, "cosine" if metric == "cosine" else "euclidean")


def _shape(path: Path) -> tuple[int, int]:
    try:
        metadata = pq.read_metadata(path)
        return metadata.num_rows, int(metadata.schema.to_arrow_schema().field("embedding").type.list_size)
    except (OSError, pa.ArrowException, KeyError, AttributeError) as error:
        raise FacesetError(f"{path}: not an embeddings table. Delete it and run again.") from error


def unusable_rows(vectors: npt.NDArray[np.floating], metric: Metric) -> npt.NDArray[np.int64]:
    """Which of (N, D) vectors have no distance to any: not finite, or, for the cosine, without a direction."""
    finite = np.isfinite(vectors).all(axis=1)
    return np.flatnonzero(~finite if metric == "euclidean" else ~finite | ~vectors.any(axis=1))


def distances(a: npt.ArrayLike, b: npt.ArrayLike, metric: Metric) -> Float64:
    """The (A, B) distances between each of A and each of B vectors, (A, D) and (B, D)."""
    return np.asarray(cdist(np.asarray(a), np.asarray(b), metric), np.float64)


def distances_between(
    vectors: npt.NDArray[np.floating], others: npt.NDArray[np.floating], of: npt.NDArray[np.int64], metric: Metric
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
