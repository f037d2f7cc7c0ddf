"""Clusters: which tracks, over all sources, are one person.

`group_tracks` is the seam: how tracks become people. All else here (names, order, tables) stays when it changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster.hierarchy import fcluster, leaves_list, linkage

from faceset.embeddings import Metric, condensed_distances, distances, read_embeddings
from faceset.errors import FacesetError
from faceset.schemas import CLUSTERS, FACES, PAIRS, TRACKS
from faceset.tables import read_table, write_table

# So far apart that no average with it comes below a threshold, yet within float64's exact sums.
NEVER = 1e12
# Two clusters whose means are up to this many thresholds apart are worth a person's look.
PAIR_SHARE = 1.25
PAIRS_LISTED = 100


@dataclass(frozen=True)
class Grouping:
    """Of T tracks: `labels` (T,) tells which are one person, `order` (T,) the places that put similar ones together."""

    labels: npt.NDArray[np.int64]
    order: npt.NDArray[np.int64]


def group_tracks(
    vectors: npt.NDArray[np.float64], cannot_link: npt.NDArray[np.int64], metric: Metric, threshold: float
) -> Grouping:
    """Group T tracks into people by average linkage, never putting two that cannot link into one group.

    Takes memory for all T (T - 1) / 2 distances.

    Parameters
    ----------
    vectors
        (T, D) mean embeddings.
    cannot_link
        (P, 2) pairs of tracks that are surely two people.
    metric, threshold
        Of the identity model: groups join while the mean distance between them is at most the threshold.
    """
    count = len(vectors)
    if count < 2:
        return Grouping(np.zeros(count, np.int64), np.arange(count))
    apart = condensed_distances(vectors, metric)
    first, second = cannot_link.min(axis=1), cannot_link.max(axis=1)
    apart[count * first - first * (first + 1) // 2 + second - first - 1] = NEVER
    tree = linkage(apart, "average")
    order = np.empty(count, np.int64)
    order[leaves_list(tree)] = np.arange(count)
    return Grouping(fcluster(tree, threshold, "distance").astype(np.int64), order)


def simultaneous_tracks(frames: pd.Series, tracks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The (P, 2) pairs of tracks that have faces in one frame, the lower number first, without repeats.

    `frames` names the frame of each face, `tracks` numbers its track.
    """
    table = pd.DataFrame({"frame": frames.to_numpy(), "track": tracks})
    shared = table[table.duplicated("frame", keep=False)]
    pairs = shared.merge(shared, on="frame", suffixes=("", "_other"))
    pairs = pairs[pairs["track"] < pairs["track_other"]][["track", "track_other"]].drop_duplicates()
    return pairs.to_numpy(np.int64).reshape(-1, 2)


def make_clusters(
    faces: Mapping[str, Path],
    embeddings: Mapping[str, Path],
    tracks: Mapping[str, Path],
    clusters_output: Path,
    pairs_output: Path,
    threshold: float,
) -> None:
    """Write the `clusters` and `pairs` tables over all sources, from each source's faces, embeddings and tracks.

    Raises FacesetError if the sources' embeddings are of different models.
    """
    table, vectors, metric = _gather(faces, embeddings, tracks)
    if table.empty:
        write_table(clusters_output, CLUSTERS, {name: [] for name in CLUSTERS.arrow.names})
        write_table(pairs_output, PAIRS, {name: [] for name in PAIRS.arrow.names})
        return
    names, numbers = np.unique(table["track"].to_numpy(str), return_inverse=True)
    means = _means(vectors, numbers, len(names))
    grouping = group_tracks(means, simultaneous_tracks(table["frame"], numbers), metric, threshold)
    labels = grouping.labels[numbers]
    found, groups = np.unique(labels, return_inverse=True)
    centres = _means(vectors, groups, len(found))
    distance = np.empty(len(table))
    for group in range(len(found)):
        rows = np.flatnonzero(groups == group)
        distance[rows] = distances(vectors[rows], centres[group : group + 1], metric)[:, 0]
    table = table.assign(group=groups, distance=distance.astype(np.float32), track_order=grouping.order[numbers])
    # The table is in the order of face ids, and the sort keeps it: ties go to the least id.
    central = table.sort_values("distance", kind="stable").drop_duplicates("group").set_index("group")["face_id"]
    table = table.assign(cluster=table["group"].map(central), outlier=table["distance"] > threshold)
    frames = table["frame"]
    table = table.sort_values(["track_order", "position"], kind="stable").assign(order=np.arange(len(table)))
    table = table.sort_values("face_id", kind="stable")
    write_table(clusters_output, CLUSTERS, {name: table[name] for name in CLUSTERS.arrow.names})
    sizes = np.bincount(groups, minlength=len(found))
    pairs = likely_pairs(centres, simultaneous_tracks(frames, groups), sizes, metric, threshold * PAIR_SHARE)
    names = central.sort_index().to_numpy(str)
    write_table(
        pairs_output,
        PAIRS,
        {
            "cluster": [names[pair.larger] for pair in pairs],
            "other": [names[pair.smaller] for pair in pairs],
            "distance": [pair.distance for pair in pairs],
        },
    )


class Pair(NamedTuple):
    """Two groups, by number, and how far apart their means are."""

    distance: float
    larger: int
    smaller: int


def likely_pairs(
    centres: npt.NDArray[np.float64],
    cannot_link: npt.NDArray[np.int64],
    sizes: npt.NDArray[np.int64],
    metric: Metric,
    limit: float,
) -> list[Pair]:
    """The pairs of G groups that may be one person, nearest first, a hundred at most.

    Parameters
    ----------
    centres, sizes
        (G, D) mean embeddings and (G,) numbers of faces.
    cannot_link
        (P, 2) pairs of groups that are surely two people.
    metric, limit
        Of the identity model, and the largest distance between means that is still worth a look.
    """
    apart = {(int(a), int(b)) for a, b in cannot_link}
    found = []
    for group in range(len(centres) - 1):
        near = distances(centres[group : group + 1], centres[group + 1 :], metric)[0]
        for other in np.flatnonzero(near <= limit) + group + 1:
            if (group, int(other)) not in apart:
                larger, smaller = (group, int(other)) if sizes[group] >= sizes[other] else (int(other), group)
                found.append(Pair(float(near[other - group - 1]), larger, smaller))
    return sorted(found)[:PAIRS_LISTED]


def _means(vectors: npt.NDArray[np.float64], groups: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float64]:
    totals = np.zeros((count, vectors.shape[1]))
    np.add.at(totals, groups, vectors)
    return np.asarray(totals / np.bincount(groups, minlength=count)[:, None])


def _gather(
    faces: Mapping[str, Path], embeddings: Mapping[str, Path], tracks: Mapping[str, Path]
) -> tuple[pd.DataFrame, npt.NDArray[np.float64], Metric]:
    tables, vectors, metrics, widths = [], [], set(), set()
    for source in sorted(faces):
        found = read_embeddings(embeddings[source])
        metrics.add(found.metric)
        widths.add(found.vectors.shape[1])
        places = read_table(faces[source], FACES, ["face_id", "frame", "position"]).to_pandas().set_index("face_id")
        of_track = read_table(tracks[source], TRACKS).to_pandas().set_index("face_id")["track"]
        table = places.loc[found.face_ids].reset_index()
        tables.append(
            table.assign(
                source=source, frame=source + "/" + table["frame"], track=of_track.loc[found.face_ids].to_numpy()
            )
        )
        vectors.append(found.vectors)
    if len(metrics) > 1 or len(widths) > 1:
        raise FacesetError("The sources' embeddings are of different models. Run again: all of them will be made anew.")
    table = pd.concat(tables, ignore_index=True)
    ordered = table.sort_values("face_id", kind="stable").index.to_numpy()
    return (
        table.loc[ordered].reset_index(drop=True),
        np.concatenate(vectors)[ordered].astype(np.float64),
        metrics.pop(),
    )
