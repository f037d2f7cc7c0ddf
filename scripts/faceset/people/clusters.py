"""Clusters: which faces, over all sources, are one person, and how sure that is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.sparse import csr_array

from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.errors import FacesetError
from faceset.models.embeddings import (
    Float32,
    Float64,
    Metric,
    comparable_vectors,
    distances_between,
    place_vectors,
    read_embedded,
)
from faceset.people.candidates import likely_pairs, likely_splits
from faceset.people.grouping import Grouping, group_tracks, simultaneous_tracks
from faceset.people.neighbours import NOBODY, nearest
from faceset.people.tables import CLUSTERS, DOUBTS, PAIRS, STEPS, TRACKS
from faceset.people.ward import CUT, ward_groups
from faceset.tables.parquet import read_table, write_table
from faceset.tables.schema import Schema

Int64 = npt.NDArray[np.int64]

# Two clusters whose means are up to this many thresholds apart are worth a person's look.
PAIR_SHARE = 1.25
LEAST_WEIGHT = 0.05
LOOSENESS_STEP = 0.1  # a tenth of strictness
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

    `threshold` is the identity model's, `looseness` what it is multiplied by, `method` is `default` or `ward`, and in
    the sources of `duplicates` two faces of one frame may be one person.
    """

    threshold: float
    looseness: float = 1
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


def make_clusters(
    sources: Mapping[str, SourceTables],
    clusters_output: Path,
    pairs_output: Path,
    doubts_output: Path,
    steps_output: Path,
    rules: Rules,
) -> None:
    """Write the `clusters`, `pairs`, `doubts` and `steps` tables over all sources.

    Raises FacesetError if the sources' embeddings are of different models, and for more faces than Ward can order.
    """
    gathered = _gather(sources, rules.duplicates)
    table, vectors, metric = gathered.table, gathered.vectors, gathered.metric
    if table.empty:
        outputs = (clusters_output, pairs_output, doubts_output, steps_output)
        for output, schema in zip(outputs, (CLUSTERS, PAIRS, DOUBTS, STEPS), strict=True):
            _write(output, schema, [])
        return
    threshold = rules.threshold * rules.looseness
    grouping, item_of = _group(gathered, rules)
    found, groups = np.unique(grouping.labels[item_of], return_inverse=True)
    centres = weighted_means(vectors, groups, np.ones(len(groups)), len(found))
    distance = distances_between(vectors, centres, groups, metric).astype(np.float32)
    # The table is in the order of face ids, and the sort keeps it: ties go to the least id.
    nearest_first = np.argsort(distance, kind="stable")
    central = nearest_first[np.unique(groups[nearest_first], return_index=True)[1]]
    names = table["face_id"].to_numpy(object)[central]
    following, following_distance = _next(vectors, groups, centres, metric)
    order = np.empty(len(table), np.int64)
    order[np.lexsort((np.arange(len(table)), table["position"], grouping.order[item_of]))] = np.arange(len(table))
    columns = {
        "face_id": table["face_id"],
        "source": table["source"],
        "track": table["track"],
        "cluster": names[groups],
        "order": order,
        "distance": distance,
        "next_cluster": [names[group] if group != NOBODY else None for group in following.tolist()],
        "next_distance": [value if value >= 0 else None for value in following_distance.tolist()],
        "outlier": distance > threshold,
    }
    write_table(clusters_output, CLUSTERS, columns)
    sizes = np.bincount(groups)
    pairs = likely_pairs(
        centres,
        simultaneous_tracks(table["frame"], groups),
        sizes,
        metric,
        threshold * PAIR_SHARE,
    )
    _write(pairs_output, PAIRS, [(names[pair.larger], names[pair.smaller], pair.distance) for pair in pairs])
    splits = likely_splits(vectors, groups, grouping.in_part[item_of], grouping.split_share, metric, threshold)
    face_ids = table["face_id"]
    _write(
        doubts_output,
        DOUBTS,
        [(names[s.group], face_ids.iat[s.row], s.faces, s.distance, s.share) for s in splits],
    )
    _write(steps_output, STEPS, _changes(grouping, names, sizes))


def _changes(grouping: Grouping, names: npt.NDArray[np.object_], sizes: Int64) -> list[tuple[object, ...]]:
    """Rows of the `steps` table, of (G,) groups by their names and sizes."""
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
        labels, order = ward_groups(vectors, CUT * rules.looseness)
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
        rules.threshold * rules.looseness,
        rules.threshold * LOOSENESS_STEP,
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
        raise FacesetError("The sources' embeddings are of different models. Run again: all of them will be made anew.")
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
    table = read_table(path, schema, ["face_id", *columns])
    rows: pd.DataFrame = table.select(columns).take(pc.index_in(face_ids, table["face_id"])).to_pandas()
    return rows


def face_weights(measures: pd.DataFrame, tracks: npt.ArrayLike) -> Float64:
    """(N,) how much each face counts in its track's mean: its size and its sharpness (`blur`), each as a share of the
    track's largest, multiplied; LEAST_WEIGHT at least, so that a track of zeros has a mean."""
    best = measures.groupby(np.asarray(tracks), sort=False).transform("max").to_numpy(np.float64)
    shares = measures.to_numpy(np.float64) / np.maximum(best, np.finfo(np.float64).tiny)
    return np.asarray(np.maximum(shares.prod(axis=1), LEAST_WEIGHT))
