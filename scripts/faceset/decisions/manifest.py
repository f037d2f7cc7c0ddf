"""The manifest: every face of a faceset's sources, kept or not, and the one reason why.

The narrowest keep-list row that reaches a face decides; a policy decides where rows leave all open; filters act on
what is kept then, but not on faces that a row keeps one by one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.decisions.keep_list import Row, Scope, read_keep_list
from faceset.decisions.reach import Notice, Target, find_targets
from faceset.decisions.tables import MANIFEST, NOTICES
from faceset.people.tables import CLUSTERS, NEARNESS, TRACKS
from faceset.tables.parquet import read_table, write_table
from faceset.tables.schema import Schema

Policy = Literal["largest", "all", "none"]

NO_CLUSTER_LEFT = "no cluster is left to keep"


@dataclass(frozen=True)
class _Verdict:
    """What is decided over a face, in the manifest's words."""

    kept: bool
    decided_by: str
    reason: str


@dataclass(frozen=True)
class _Decisions:
    """What is decided over each of N faces: arrays (N,) of bool, and of texts."""

    kept: npt.NDArray[np.bool_]
    decided_by: npt.NDArray[np.object_]
    reason: npt.NDArray[np.object_]

    def drop(self, which: npt.NDArray[np.bool_], decided_by: str, reasons: list[str]) -> None:
        """Drop the faces marked in `which` (N,), each for its reason."""
        self.kept[which] = False
        self.decided_by[which] = decided_by
        self.reason[which] = reasons


class _Filter(NamedTuple):
    """A setting, the measure it bounds, from which side, and what is said of a face out of bounds."""

    measure: str
    is_minimum: bool
    reason: str


_Verdicts = dict[Scope, dict[str, _Verdict]]
"""By scope, the verdicts over clusters, tracks and faces, by their ids."""

_SCOPES: tuple[Scope, ...] = ("cluster", "track", "face")  # each decides over those before

_FILTERS = {
    "min_size_px": _Filter("size", True, "smaller than {limit:.4g} px ({value:.4g} px)"),
    "min_blur": _Filter("blur", True, "less sharp than {limit:.4g} ({value:.4g})"),
    "max_distance": _Filter("distance", False, "further than {limit:.4g} from the mean face ({value:.4g})"),
}


def make_manifest(
    faces: Mapping[str, Path],
    measures: Mapping[str, Path],
    tracks: Mapping[str, Path],
    clusters: Path,
    keep_list: Path | None,
    policy: Policy,
    filters: Mapping[str, float | None],
    manifest_out: Path,
    notices_out: Path,
    nearness: Path | None = None,
) -> None:
    """Write the `manifest` table of a faceset, source by source in frame order, and the `notices` about it.

    Parameters
    ----------
    faces, measures, tracks
        Tables by source, of the faceset's sources in their order.
    clusters
        The table over all sources of the project.
    keep_list
        The person's decisions, if there are any.
    policy
        What decides where no row keeps a cluster or track.
    filters
        Bounds by setting, `config.Filters` as a mapping.
    nearness
        How near clusters are to the faceset's reference, if it has one: the policy `largest` goes by that then.

    Raises FacesetError for a keep-list that can not be read.
    """
    rows = read_keep_list(keep_list)
    cluster_of = _column_by_face([clusters], CLUSTERS, "cluster")
    table = _gather(faces, tracks, cluster_of)
    targets, row_notices = find_targets(rows, table, cluster_of)
    verdicts, contradictions = _settle(targets)
    notices = contradictions + row_notices
    if any(row.decision == "keep" and row.scope != "face" for row in rows):
        rest = _Verdict(False, "row", "no row reaches it")
    else:
        ranks = read_table(nearness, NEARNESS).to_pandas() if nearness else None
        rest, policy_notice = _apply_policy(policy, table["cluster"], ranks, verdicts)
        notices.append(policy_notice)
    decisions = _decide(table, verdicts, rest)
    for setting, bound in _FILTERS.items():
        if limit := filters[setting]:
            values = _column_by_face(measures.values(), MEASURES, bound.measure).reindex(table["face_id"]).to_numpy()
            _apply_filter(decisions, bound, limit, values, table["face_id"].isin(list(verdicts["face"])).to_numpy())
    unusable = table["problem"].notna()
    decisions.drop(unusable.to_numpy(), "problem", table["problem"][unusable].tolist())
    if not decisions.kept.any():
        notices.append(_empty(decisions))
    table = table.assign(**vars(decisions))
    write_table(manifest_out, MANIFEST, {name: table[name] for name in MANIFEST.names})
    columns = zip(*notices, strict=True) if notices else [()] * len(Notice._fields)
    write_table(notices_out, NOTICES, dict(zip(Notice._fields, columns, strict=True)))


def _gather(faces: Mapping[str, Path], tracks: Mapping[str, Path], cluster_of: "pd.Series[str]") -> pd.DataFrame:
    columns = [name for name in FACES.names if name != "landmarks"]
    tables = [
        read_table(path, FACES, columns)
        .to_pandas()
        .sort_values(["position", "frame", "face_index"], kind="stable")
        .assign(source=source)
        for source, path in faces.items()
    ]
    table: pd.DataFrame = pd.concat(tables, ignore_index=True)
    track_of = _column_by_face(tracks.values(), TRACKS, "track")
    return table.assign(
        track=track_of.reindex(table["face_id"]).to_numpy(), cluster=cluster_of.reindex(table["face_id"]).to_numpy()
    )


def _column_by_face(paths: Iterable[Path], schema: Schema, column: str) -> "pd.Series[Any]":
    tables: list[pd.DataFrame] = [read_table(path, schema, ["face_id", column]).to_pandas() for path in paths]
    return pd.concat(tables, ignore_index=True).set_index("face_id")[column]


def _settle(targets: Sequence[Target]) -> tuple[_Verdicts, list[Notice]]:
    """The verdict over each group that rows decide over. Rows that disagree leave theirs undecided."""
    rows_of: dict[tuple[Scope, str], list[Row]] = {}
    for target in targets:
        rows_of.setdefault((target.row.scope, target.group), []).append(target.row)
    verdicts: _Verdicts = {scope: {} for scope in _SCOPES}
    notices = []
    for (scope, group), rows in rows_of.items():
        first = rows[0]
        if len({row.decision for row in rows}) == 1:
            note = f" ({first.note})" if first.note else ""
            reason = f"keep-list line {first.line}: {first.decision} {scope}{note}"
            verdicts[scope][group] = _Verdict(first.decision == "keep", "row", reason)
            continue
        lines = " and ".join(str(row.line) for row in rows)
        said = " and ".join(f"{row.line} ({row.decision} {row.face})" for row in rows)
        verdicts[scope][group] = _Verdict(False, "undecided", f"keep-list lines {lines} contradict each other")
        detail = (
            f"Keep-list lines {said} contradict each other: their faces are one {scope} now, {group}, of which "
            "nothing is kept until rows of a narrower scope, or fewer rows, decide it."
        )
        notices.append(Notice("contradiction", first.face, detail))
    return verdicts, notices


def _apply_policy(
    policy: Policy, clusters: "pd.Series[str]", nearness: pd.DataFrame | None, verdicts: _Verdicts
) -> tuple[_Verdict, Notice]:
    """The verdict over faces that no row reaches. That of the one cluster kept is added to `verdicts`."""
    kept, by = "", f"the policy `{policy}`"
    if policy == "all":
        rest = _Verdict(True, "policy", "the policy keeps all faces")
        done = "all faces that no row drops were kept"
    elif policy == "none":
        rest = _Verdict(False, "policy", "the policy keeps no face without a row")
        done = "no face was kept without a row"
    # A cluster that a row drops is out of the race: who drops a bystander wants the next one.
    elif nearness is not None:
        rest = _Verdict(False, "policy", "not in the cluster nearest to the reference")
        by = "the reference"
        kept, done = _nearest(nearness[~nearness["cluster"].isin(list(verdicts["cluster"]))])
        if kept:
            verdicts["cluster"][kept] = _Verdict(True, "policy", "cluster nearest to the reference")
    else:
        rest = _Verdict(False, "policy", "not in the largest cluster")
        kept, done = _largest(clusters[~clusters.isin(list(verdicts["cluster"]))])
        if kept:
            verdicts["cluster"][kept] = _Verdict(True, "policy", "largest cluster")
    detail = (
        f"No row of the keep-list keeps a cluster or track, so {by} decided: {done}. "
        "To decide yourself, copy rows from the report into the keep-list."
    )
    return rest, Notice("policy", kept, detail)


def _largest(clusters: "pd.Series[str]") -> tuple[str, str]:
    """The largest cluster, if there is one, and what was done, in words."""
    sizes = clusters.value_counts()
    if sizes.empty:
        return "", NO_CLUSTER_LEFT
    largest = min(sizes.index[sizes == sizes.max()])
    return largest, f"the largest cluster, {largest} with {sizes[largest]} faces of this faceset, was kept"


def _nearest(nearness: pd.DataFrame) -> tuple[str, str]:
    """The cluster nearest to the reference, if one is near, and what was done, in words."""
    if nearness.empty:
        return "", NO_CLUSTER_LEFT
    first = nearness.iloc[0]
    said = f"{first['cluster']} with {first['faces']} faces of this faceset, at a distance of {first['distance']:.3g}"
    if not first["near"]:
        return "", f"no cluster is near enough to be that person, not even the nearest, {said}, so none was kept"
    after = f" (the next one is at {nearness['distance'].iloc[1]:.3g})" if len(nearness) > 1 else ""
    return first["cluster"], f"the nearest cluster, {said}{after}, was kept"


def _decide(table: pd.DataFrame, verdicts: _Verdicts, rest: _Verdict) -> _Decisions:
    """Each face's verdict: of the narrowest scope that has one."""
    order = [rest]
    which = np.zeros(len(table), np.int64)
    for scope in _SCOPES:
        numbers = {group: len(order) + number for number, group in enumerate(verdicts[scope])}
        order += verdicts[scope].values()
        found = table["face_id" if scope == "face" else scope].map(numbers).fillna(-1).to_numpy(np.int64)
        which = np.where(found >= 0, found, which)
    return _Decisions(
        np.array([verdict.kept for verdict in order])[which],
        np.array([verdict.decided_by for verdict in order], object)[which],
        np.array([verdict.reason for verdict in order], object)[which],
    )


def _apply_filter(
    decisions: _Decisions,
    bound: _Filter,
    limit: float,
    values: npt.NDArray[np.float32],
    is_exempt: npt.NDArray[np.bool_],
) -> None:
    """Drop kept faces whose measure is out of bounds. A face without the measure is not."""
    is_out = values < limit if bound.is_minimum else values > limit
    dropped = is_out & decisions.kept & ~is_exempt
    reasons = [bound.reason.format(limit=limit, value=value) for value in values[dropped].tolist()]
    decisions.drop(dropped, "filter", reasons)


def _empty(decisions: _Decisions) -> Notice:
    if not len(decisions.kept):
        detail = "The sources of this faceset have no faces. Look at their problems in the report."
    else:
        names, counts = np.unique(decisions.decided_by.astype(str), return_counts=True)
        causes = ", ".join(f"{count} by {name}" for name, count in zip(names, counts, strict=True))
        detail = f"No face is kept ({causes}). Copy keep rows from the report into the keep-list, or ease the filters."
    return Notice("empty", "", detail)
