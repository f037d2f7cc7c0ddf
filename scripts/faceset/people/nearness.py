"""Nearness: how far each cluster is from the reference photos of a wanted person."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from faceset.errors import FacesetError
from faceset.models.embeddings import Metric, distances, read_embeddings
from faceset.models.tables import REFERENCE
from faceset.people.tables import CLUSTERS, NEARNESS
from faceset.tables.parquet import read_metadata, read_table, rows_of_faces, write_table

ROWS_AT_ONCE = 8_192


def rank_clusters(
    reference: Path, clusters: Path, embeddings: Mapping[str, Path], output: Path, threshold: float
) -> None:
    """Write the `nearness` table: every cluster that has faces in some sources, the nearest to the reference first.

    The distance is the mean one between the cluster's faces in these sources and the reference photos; of equals the
    least id comes first.

    Parameters
    ----------
    reference, clusters
        The table of the photos, and the clusters over all sources.
    embeddings
        The tables of the sources, by name.
    threshold
        The identity model's: a cluster no further than this is near.

    Raises FacesetError if the reference and the faces were embedded by different models.
    """
    cluster_of = read_table(clusters, CLUSTERS, ["face_id", "cluster"])
    model = read_metadata(reference)["model"]
    parts = []
    for source, path in embeddings.items():
        found = read_embeddings(path)
        if read_metadata(path)["model"] != model:
            raise FacesetError(f"{source}: its embeddings are not of {model}, as the reference's are. Run again.")
        photos = _vectors(reference, found.vectors.shape[1])
        means = _mean_distances(found.vectors, photos, found.metric)
        parts.append(
            pd.DataFrame(
                {"cluster": rows_of_faces(cluster_of, found.face_ids)["cluster"].to_numpy(), "distance": means}
            )
        )
    grouped = pd.concat(parts).groupby("cluster")["distance"]
    table = pd.DataFrame({"faces": grouped.size(), "distance": grouped.mean().astype(np.float32)})
    table = table.sort_values("distance", kind="stable").reset_index()  # groups come in the order of ids
    table["near"] = table["distance"] <= threshold
    write_table(output, NEARNESS, {name: table[name] for name in NEARNESS.names})


def _vectors(reference: Path, dimensions: int) -> npt.NDArray[np.float32]:
    column = read_table(reference, REFERENCE.of(dimensions), ["embedding"])["embedding"].combine_chunks()
    return np.asarray(column.flatten().to_numpy().reshape(-1, dimensions), np.float32)


def _mean_distances(
    vectors: npt.NDArray[np.float32], photos: npt.NDArray[np.float32], metric: Metric
) -> npt.NDArray[np.float64]:
    """The (N,) mean distances of (N, D) vectors to the (P, D) photos."""
    parts = [np.empty(0)]
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        parts.append(distances(vectors[start : start + ROWS_AT_ONCE], photos, metric).mean(axis=1))
    return np.concatenate(parts)
