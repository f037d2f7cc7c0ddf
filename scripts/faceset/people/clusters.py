"""Clusters: which faces, over all sources, are one person, and how sure that is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from scipy.sparse import csr_array

from faceset.alignments.tables import FACES
from faceset.arrays import Float32, Float64, Int64
from faceset.crops.tables import MEASURES
from faceset.errors import FacesetError
from faceset.models.embeddings import Metric, comparable_vectors, distances_between, place_vectors, read_embedded
from faceset.people.candidates import merge_candidates, split_candidates
from faceset.people.grouping import Grouping, group_tracks, simultaneous_tracks
from faceset.people.neighbours import NOBODY, nearest
from faceset.people.tables import CLUSTERS, MERGE_CANDIDATES, SPLIT_CANDIDATES, STRICTNESS_CHANGES, TRACKS
from faceset.people.ward import CUT, ward_groups
from faceset.tables.parquet import read_table, rows_of_faces, write_table
from faceset.tables.schema import Schema

# Two clusters whose means are up to this many thresholds apart are worth a person's look.
MERGE_CANDIDATE_SHARE = 1.25
LEAST_WEIGHT = 0.05
THRESHOLD_SCALE_STEP = 0.1  # a tenth of strictness
ROWS_AT_ONCE = 65_536


class SourceTables(NamedTuple):
    """Where the tables of one source lie."""

    faces: Path
    measures: Path
    embeddings: Path
    tracks: Path


@dataclass(frozen=True)
class Rules:
    """When faces count as one person.

    `threshold` is the identity model's, `threshold_scale` what it is multiplied by, `method` is `default` or `ward`,
    and in the sources of `duplicates` two faces of one frame may be one person.
    """

    threshold: float
    threshold_scale: float = 1
    method: str = "default"
    duplicates: Collection[str] = ()


@dataclass(frozen=True)
class _Gathered:
    """All sources' faces in the order of their ids, N of them.

    `table` has the columns face_id, source, frame (unique to its source, or to the face where duplicates are allowed),
    position, track and weight; `vectors` is (N, D).
    """

    table: pd.DataFrame
    vectors: Float32
    metric: Metric


@dataclass(frozen=True)
class ClusterOutputs:
    """Where the tables of those names go."""

    clusters: Path
    merge_candidates: Path
    split_candidates: Path
    strictness_changes: Path


@dataclass(frozen=True)
class _Found:
    """N faces in G groups.

    `groups` (N,) are the groups of faces, `centres` (G, D) their mean embeddings, `distance` (N,) how far each face is
    from its own; `names` (G,) are the ids of the medoids.
    """

    groups: Int64
    centres: Float32
    distance: Float32
    names: npt.NDArray[np.object_]


def make_clusters(sources: Mapping[str, SourceTables], rules: Rules, outputs: ClusterOutputs) -> None:
    """Write the tables of clusters, and of what is doubtful about them, over all sources.

    Raises FacesetError if the sources' embeddings are of different models, and for more faces than Ward can order.
    """
    gathered = _gather(sources, rules.duplicates)
    if gathered.table.empty:
        _write(outputs.clusters, CLUSTERS, [])
        _write(outputs.merge_candidates, MERGE_CANDIDATES, [])
        _write(outputs.split_candidates, SPLIT_CANDIDATES, [])
        _write(outputs.strictness_changes, STRICTNESS_CHANGES, [])
        return
    grouping, item_of = _group(gathered, rules)
    found = _find(gathered, grouping.labels[item_of])
    _write_clusters(gathered, found, grouping.order[item_of], rules, outputs.clusters)
    _write_candidates(gathered, found, grouping, item_of, rules, outputs)
    changes = _strictness_changes(grouping, found.names, np.bincount(found.groups))
    _write(outputs.strictness_changes, STRICTNESS_CHANGES, changes)


def _find(gathered: _Gathered, labels: Int64) -> _Found:
    """The groups that faces of one label, (N,), are, with their means and medoids."""
    table, vectors = gathered.table, gathered.vectors
    found, groups = np.unique(labels, return_inverse=True)
    centres = weighted_means(vectors, groups, np.ones(len(groups)), len(found))
    distance = distances_between(vectors, centres, groups, gathered.metric).astype(np.float32)
    # The table is in the order of face ids, and the sort keeps it: ties go to the least id.
    nearest_first = np.argsort(distance, kind="stable")
    medoids = nearest_first[np.unique(groups[nearest_first], return_index=True)[1]]
    return _Found(groups, centres, distance, table["face_id"].to_numpy(object)[medoids])


def _write_clusters(gathered: _Gathered, found: _Found, group_order: Int64, rules: Rules, output: Path) -> None:
    """Write the `clusters` table; `group_order` (N,) puts faces of one item, and items that are alike, together."""
    table, names = gathered.table, found.names
    following, following_distance = _next(gathered.vectors, found.groups, found.centres, gathered.metric)
    order = np.empty(len(table), np.int64)
    order[np.lexsort((np.arange(len(table)), table["position"], group_order))] = np.arange(len(table))
    columns = {
        "face_id": table["face_id"],
        "source": table["source"],
        "track": table["track"],
        "cluster": names[found.groups],
        "order": order,
        "distance": found.distance,
        "next_cluster": [names[group] if group != NOBODY else None for group in following.tolist()],
        "next_distance": [value if value >= 0 else None for value in following_distance.tolist()],
        "outlier": found.distance > rules.threshold * rules.threshold_scale,
    }
    write_table(output, CLUSTERS, columns)


def _write_candidates(
    gathered: _Gathered, found: _Found, grouping: Grouping, item_of: Int64, rules: Rules, outputs: ClusterOutputs
) -> None:
    """Write which clusters may be one person, and which may be two."""
    table, groups, metric, names = gathered.table, found.groups, gathered.metric, found.names
    threshold = rules.threshold * rules.threshold_scale
    to_merge = merge_candidates(
        found.centres,
        simultaneous_tracks(table["frame"], groups),
        np.bincount(groups),
        metric,
        threshold * MERGE_CANDIDATE_SHARE,
    )
    rows: list[tuple[object, ...]] = [(names[pair.larger], names[pair.smaller], pair.distance) for pair in to_merge]
    _write(outputs.merge_candidates, MERGE_CANDIDATES, rows)
    parts = grouping.in_part[item_of]
    to_split = split_candidates(gathered.vectors, groups, parts, grouping.split_share, metric, threshold)
    face_ids = table["face_id"]
    rows = [(names[s.group], face_ids.iat[s.row], s.faces, s.distance, s.share) for s in to_split]
    _write(outputs.split_candidates, SPLIT_CANDIDATES, rows)


def _strictness_changes(grouping: Grouping, names: npt.NDArray[np.object_], sizes: Int64) -> list[tuple[object, ...]]:
    """Rows of the `strictness_changes` table, of (G,) groups by their names and sizes."""
    largest_first = np.lexsort((names, -sizes))
    looser = grouping.looser_labels[largest_first]
    firsts, first_of = np.unique(looser, return_index=True)
    target = largest_first[first_of[np.searchsorted(firsts, looser)]]
    joins = [
        ("looser", names[to], names[group]) for to, group in zip(target, largest_first, strict=True) if to != group
    ]
    return joins + [("stricter", names[group], None) for group in largest_first[grouping.parted[largest_first]]]


def _write(output: Path, schema: Schema, rows: list[tuple[object, ...]]) -> None:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema.columns)
    write_table(output, schema, dict(zip(schema.names, columns, strict=True)))


def _group(gathered: _Gathered, rules: Rules) -> tuple[Grouping, Int64]:
    """The groups of tracks, or of faces by Ward, and (N,) which of those each face is."""
    table, vectors = gathered.table, gathered.vectors
    if rules.method == "ward":
        labels, order = ward_groups(vectors, CUT * rules.threshold_scale)
        nothing = np.zeros(len(labels), np.bool_)
        groups = np.arange(labels.max() + 1)  # what another cut would change is not foretold
        return Grouping(labels, order, groups * 0.0, nothing, groups, groups < 0), np.arange(len(labels))
    tracks, names = pd.factorize(table["track"], sort=True)
    tracks = tracks.astype(np.int64)
    cannot_link = simultaneous_tracks(table["frame"], tracks)
    grouping = group_tracks(
        # Without a name here, so that they can go as soon as they were used.
        weighted_means(vectors, tracks, table["weight"].to_numpy(), len(names)),
        cannot_link,
        gathered.metric,
        rules.threshold * rules.threshold_scale,
        rules.threshold * THRESHOLD_SCALE_STEP,
    )
    return grouping, tracks


def weighted_means(vectors: Float32, groups: Int64, weights: Float64, count: int) -> Float32:
    """(count, D) the weighted mean of each group's vectors; `groups` and `weights` are (N,), of vectors (N, D)."""
    means = np.zeros((count, vectors.shape[1]), np.float32)
    rows_by_group = np.argsort(groups, kind="stable")
    for start in range(0, len(groups), ROWS_AT_ONCE):
        rows = rows_by_group[start : start + ROWS_AT_ONCE]
        first, last = groups[rows[0]], groups[rows[-1]]
        places = (weights[rows], (groups[rows] - first, np.arange(len(rows))))
        means[first : last + 1] += csr_array(places, shape=(last - first + 1, len(rows))) @ vectors[rows]
    means /= np.bincount(groups, weights, minlength=count)[:, None].astype(np.float32)
    return means


def _next(vectors: Float32, groups: Int64, centres: Float32, metric: Metric) -> tuple[Int64, Float32]:
    """(N,) the group whose mean is nearest to each vector but for its own, and how far it is; NOBODY and -1 if none."""
    if len(centres) < 2:
        return np.full(len(groups), NOBODY), np.full(len(groups), -1, np.float32)
    near, _ = nearest(comparable_vectors(vectors, metric), comparable_vectors(centres, metric), 2)
    found = np.where(near[:, 0] == groups, near[:, 1], near[:, 0])
    apart = distances_between(vectors, centres, np.maximum(found, 0), metric)
    return found, np.where(found == NOBODY, -1, apart).astype(np.float32)


def _gather(sources: Mapping[str, SourceTables], duplicates: Collection[str]) -> _Gathered:
    names, tables, kinds = sorted(sources), [], set()
    for name in names:
        embedded = read_embedded(sources[name].embeddings)
        kinds.add((embedded.metric, embedded.dimensions))
        table = _faces_of(name, sources[name], embedded.face_ids)
        tables.append(table.assign(frame=table["face_id"]) if name in duplicates else table)
    if len(kinds) > 1:
        raise FacesetError("The sources' embeddings are of different models. Run again: all are recomputed.")
    table = pd.concat(tables, ignore_index=True)
    ordered = table.sort_values("face_id", kind="stable").index.to_numpy()
    place = np.empty(len(table), np.int64)
    place[ordered] = np.arange(len(table))
    metric, width = kinds.pop()
    vectors = np.empty((len(table), width), np.float32)
    for name, part in zip(names, np.split(place, np.cumsum([len(one) for one in tables])[:-1]), strict=True):
        place_vectors(sources[name].embeddings, vectors, part)
    return _Gathered(table.loc[ordered].reset_index(drop=True), vectors, metric)


def _faces_of(source: str, tables: SourceTables, face_ids: pa.StringArray) -> pd.DataFrame:
    places = _rows_of(face_ids, tables.faces, FACES, ["frame", "position"])
    measures = _rows_of(face_ids, tables.measures, MEASURES, ["size", "blur"])
    track = _rows_of(face_ids, tables.tracks, TRACKS, ["track"])["track"]
    found: pd.DataFrame = places.assign(
        face_id=face_ids.to_pandas(),
        source=source,
        frame=source + "/" + places["frame"],
        track=track,
        weight=face_weights(measures, track),
    )
    return found


def _rows_of(face_ids: pa.StringArray, path: Path, schema: Schema, columns: list[str]) -> pd.DataFrame:
    """Of these faces, some columns of a table."""
    table = rows_of_faces(read_table(path, schema, ["face_id", *columns]), face_ids)
    rows: pd.DataFrame = table.select(columns).to_pandas()
    return rows


def face_weights(measures: pd.DataFrame, tracks: npt.ArrayLike) -> Float64:
    """(N,) how much each face counts in its track's mean: its size and its sharpness (`blur`), each as a share of the
    track's largest, multiplied; LEAST_WEIGHT at least, so that a track of zeros has a mean."""
    best = measures.groupby(np.asarray(tracks), sort=False).transform("max").to_numpy(np.float64)
    shares = measures.to_numpy(np.float64) / np.maximum(best, np.finfo(np.float64).tiny)
    return np.asarray(np.maximum(shares.prod(axis=1), LEAST_WEIGHT))
