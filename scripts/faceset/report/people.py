"""Who is in the footage: the clusters, largest first, and which of their faces to show a person.

Everything here is numbers and names; the pictures come in `pictures`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from faceset.arrays import Float64
from faceset.crops.tables import MEASURES
from faceset.decisions.tables import MANIFEST
from faceset.people.tables import CLUSTERS, TRACKS
from faceset.tables.parquet import arrow_schema, read_table
from faceset.tables.schema import Schema

FACES_SHOWN = 24
OUTLIERS_SHOWN = 8
BINS = 15
LOW, HIGH = 5, 95

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Spread:
    """How one measure is spread over a cluster.

    `low` and `high` bound the middle nine tenths; `counts` are the faces in equal bins over `limits`, what lies
    beyond counted in the outermost ones.
    """

    measure: str
    low: float
    high: float
    limits: tuple[float, float]
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Person:
    """One cluster.

    `shown` are ids of faces: outliers first, then an even walk through the rest. The medoid is not among them.
    """

    cluster: str
    faces: int
    tracks: int
    outliers: int
    sources: dict[str, int]
    shown: tuple[str, ...]
    spreads: tuple[Spread, ...]


@dataclass(frozen=True)
class Place:
    """Where a face lies: its track, and how far it is from its cluster and from the nearest other one, if any."""

    track: str
    outlier: bool
    distance: float
    next_cluster: str | None
    next_distance: float | None


@dataclass(frozen=True)
class Verdict:
    """What one faceset's manifest says of a face."""

    faceset: str
    kept: bool
    reason: str


class People:
    """All clusters of a project. Holds a few numbers and names a face, and no picture."""

    def __init__(self, clusters: Path, measures: Mapping[str, Path]) -> None:
        self._table = read_table(clusters, CLUSTERS)
        encoded = self._table["cluster"].combine_chunks().dictionary_encode()
        self._names: list[str] = encoded.dictionary.to_pylist()
        codes = encoded.indices.to_numpy()
        sizes = np.bincount(codes, minlength=len(self._names))
        # Rows cluster by cluster, each in the order that puts similar faces side by side.
        rows = np.lexsort((self._table["order"].to_numpy(), codes))
        self._rows = dict(zip(self._names, np.split(rows, np.cumsum(sizes)[:-1]), strict=True)) if len(rows) else {}
        self.sizes: dict[str, int] = dict(
            sorted(zip(self._names, sizes.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0]))
        )
        self._sources = tuple(measures)
        self._measures = _measures_of(self._table["face_id"], measures)
        self._limits = {name: _limits(name, values) for name, values in self._measures.items()}

    def person(self, cluster: str) -> Person:
        """One cluster, looked at closely."""
        rows = self._rows[cluster]
        part = self._table.take(pa.array(rows))
        counts = {entry["values"]: entry["counts"] for entry in pc.value_counts(part["source"]).to_pylist()}
        return Person(
            cluster,
            len(rows),
            pc.count_distinct(part["track"]).as_py(),
            pc.sum(part["outlier"]).as_py(),
            {source: count for source in self._sources if (count := counts.get(source))},
            _choose(part, cluster),
            tuple(
                _spread(name, values[rows], self._limits[name])
                for name, values in self._measures.items()
                if np.isfinite(values[rows]).any()
            ),
        )

    def places(self, faces: Iterable[str]) -> dict[str, Place]:
        """Where each face lies."""
        table = _only(self._table, faces)
        return {
            row["face_id"]: Place(**{name: row[name] for name in Place.__annotations__}) for row in table.to_pylist()
        }


def track_lengths(wanted: Iterable[str], tracks: Mapping[str, Path]) -> dict[str, int]:
    """How many faces each track in `wanted` has."""
    wanted = pa.array(sorted(wanted), pa.string())
    lengths: dict[str, int] = {}
    for path in tracks.values():
        counts = pc.value_counts(read_table(path, TRACKS, ["track"])["track"])
        found = counts.filter(pc.is_in(counts.field("values"), value_set=wanted))
        lengths |= {entry["values"]: entry["counts"] for entry in found.to_pylist()}
    return lengths


def verdicts_on(wanted: Iterable[str], manifests: Mapping[str, Path]) -> dict[str, list[Verdict]]:
    """What the facesets say of the faces in `wanted`, in the order of the facesets."""
    wanted = sorted(wanted)
    verdicts: dict[str, list[Verdict]] = {face: [] for face in wanted}
    for faceset, path in manifests.items():
        for row in _only(read_table(path, MANIFEST, ["face_id", "kept", "reason"]), wanted).to_pylist():
            verdicts[row["face_id"]].append(Verdict(faceset, row["kept"], row["reason"]))
    return verdicts


def kept_by_cluster(manifest: Path) -> dict[str, tuple[int, int]]:
    """By cluster, how many faces a faceset keeps, and of how many of its sources'."""
    table = read_table(manifest, MANIFEST, ["cluster", "kept"])
    groups = table.group_by("cluster").aggregate([("kept", "sum"), ("kept", "count")])
    return {
        row["cluster"]: (row["kept_sum"], row["kept_count"]) for row in groups.to_pylist() if row["cluster"] is not None
    }


def _only(table: pa.Table, faces: Iterable[str]) -> pa.Table:
    return table.filter(pc.is_in(table["face_id"], value_set=pa.array(sorted(faces), pa.string())))


def _choose(part: pa.Table, medoid: str) -> tuple[str, ...]:
    part = part.filter(pc.not_equal(part["face_id"], medoid))
    outlier = part["outlier"].to_numpy()
    furthest = np.argsort(-part["distance"].to_numpy(), kind="stable")
    first = furthest[outlier[furthest]][:OUTLIERS_SHOWN]
    rest = np.flatnonzero(~outlier)
    places = min(FACES_SHOWN - len(first), len(rest))
    even = rest[np.arange(places) * (len(rest) - 1) // max(places - 1, 1)]
    return tuple(part["face_id"].take(pa.array(np.concatenate([first, even]))).to_pylist())


def _measures_of(face_ids: pa.ChunkedArray, measures: Mapping[str, Path]) -> dict[str, Float64]:
    names = ("yaw", "pitch", "size", "blur")
    table = _concatenated(MEASURES, measures, ("face_id", *names))
    places = pc.index_in(face_ids.combine_chunks(), value_set=table["face_id"].combine_chunks())
    # A face without measures is counted nowhere.
    return {
        name: pc.fill_null(table[name].combine_chunks().take(places).cast(pa.float64()), np.nan).to_numpy()
        for name in names
    }


def _concatenated(schema: Schema, paths: Mapping[str, Path], columns: tuple[str, ...]) -> pa.Table:
    empty = arrow_schema(schema).empty_table().select(list(columns))
    tables = [read_table(path, schema, columns).replace_schema_metadata(None) for path in paths.values()]
    return pa.concat_tables([empty, *tables])


def _limits(measure: str, values: Float64) -> tuple[float, float]:
    # Angles have natural bounds; the others share theirs over the project, so that clusters can be compared.
    if measure in ("yaw", "pitch"):
        return (-60.0, 60.0)
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (1, 99)).tolist() if len(finite) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _spread(measure: str, values: Float64, limits: tuple[float, float]) -> Spread:
    finite = values[np.isfinite(values)]
    low, high = np.percentile(finite, (LOW, HIGH)).tolist()
    counts, _ = np.histogram(np.clip(finite, *limits), bins=BINS, range=limits)
    return Spread(measure, low, high, limits, tuple(counts.tolist()))
