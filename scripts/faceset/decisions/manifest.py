"""The manifest: every face of a faceset's sources, kept or not, and the one reason why.

The narrowest keep-list row that reaches a face decides; a policy decides where rows leave all open; filters act on
what is kept then, but not on faces that a row keeps one by one.
"""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.decisions.filters import FILTERS, FilterRule
from faceset.decisions.keep_list import Row, read_keep_list
from faceset.decisions.kinds import DecidedBy, Notice, PolicyCause, Reason, Scope
from faceset.decisions.reach import Target, find_targets
from faceset.decisions.sentences import notice_sentence, reason_sentence
from faceset.decisions.tables import MANIFEST, NOTICES
from faceset.people.tables import CLUSTERS, NEARNESS, TRACKS
from faceset.tables.parquet import arrow_schema, read_table, write_table
from faceset.tables.schema import Schema

Policy = Literal["largest", "all", "none"]


@dataclass(frozen=True)
class ManifestInputs:
    """What a manifest is made from.

    Parameters
    ----------
    faces, measures, tracks
        Tables by source, of the faceset's sources in their order.
    clusters
        The table over all sources of the project.
    keep_list
        The person's decisions, if there are any.
    nearness
        How near clusters are to the faceset's reference, if it has one: the policy `largest` goes by that then.
    """

    faces: Mapping[str, Path]
    measures: Mapping[str, Path]
    tracks: Mapping[str, Path]
    clusters: Path
    keep_list: Path | None = None
    nearness: Path | None = None


@dataclass(frozen=True)
class ManifestSettings:
    """What decides where no row keeps a cluster or track, and bounds by setting, `config.Filters` as a mapping."""

    policy: Policy
    filters: Mapping[str, float | None]


@dataclass(frozen=True)
class ManifestOutputs:
    """Where the `manifest` table of a faceset goes, and the `notices` about it."""

    manifest: Path
    notices: Path


@dataclass
class _Decisions:
    """What is decided over each of N faces: the place of its reason, (N,) int64, in the list of reasons."""

    reasons: list[Reason]
    which: npt.NDArray[np.int64]

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Whether each face is kept, (N,)."""
        return np.array([reason.kept for reason in self.reasons], np.bool_)[self.which]

    def replace(self, faces: npt.NDArray[np.bool_], reasons: Sequence[Reason]) -> None:
        """Give each of the faces marked, (N,), another reason."""
        self.which[faces] = len(self.reasons) + np.arange(len(reasons))
        self.reasons += reasons

    def columns(self) -> dict[str, pa.Array]:
        """The manifest's columns that tell reasons, the sentence last."""
        names = [field.name for field in dataclasses.fields(Reason)]
        values = {name: [getattr(reason, name) for reason in self.reasons] for name in names}
        values["reason"] = [reason_sentence(reason) for reason in self.reasons]
        return {
            name: pa.array(column, arrow_schema(MANIFEST).field(name).type).take(pa.array(self.which))
            for name, column in values.items()
        }


_Verdicts = dict[Scope, dict[str, Reason]]
"""By scope, what is decided over clusters, tracks and faces, by their ids."""

_SCOPES: tuple[Scope, ...] = ("cluster", "track", "face")  # each decides over those before


def make_manifest(inputs: ManifestInputs, settings: ManifestSettings, outputs: ManifestOutputs) -> None:
    """Write the `manifest` table of a faceset, source by source in frame order, and the `notices` about it.

    Raises FacesetError for a keep-list that cannot be read.
    """
    rows = read_keep_list(inputs.keep_list)
    cluster_of = _column_by_face([inputs.clusters], CLUSTERS, "cluster")
    table = _gather(inputs.faces, inputs.tracks, cluster_of)
    targets, row_notices = find_targets(rows, table, cluster_of)
    verdicts, contradictions = _settle(targets)
    notices = contradictions + row_notices
    if any(row.decision == "keep" and row.scope != "face" for row in rows):
        rest = Reason(False, "row", "unreached")
    else:
        ranks = read_table(inputs.nearness, NEARNESS).to_pandas() if inputs.nearness else None
        rest, policy_notice = _apply_policy(settings.policy, table["cluster"], ranks, verdicts)
        notices.append(policy_notice)
    decisions = _decide(table, verdicts, rest)
    is_exempt = table["face_id"].isin(list(verdicts["face"])).to_numpy()
    for setting, bounded in FILTERS.items():
        if limit := settings.filters[setting]:
            measured = _column_by_face(inputs.measures.values(), MEASURES, bounded.measure)
            values = measured.reindex(table["face_id"]).to_numpy()
            _apply_filter(decisions, setting, limit, values, is_exempt)
    unusable = table["problem"].notna()
    decisions.replace(unusable.to_numpy(), [Reason(False, "problem", code) for code in table["problem"][unusable]])
    if not decisions.kept.any():
        notices.append(_empty(decisions))
    columns = {**table, **decisions.columns()}
    write_table(outputs.manifest, MANIFEST, {name: columns[name] for name in MANIFEST.names})
    _write_notices(outputs.notices, notices)


def _write_notices(path: Path, notices: Sequence[Notice]) -> None:
    names = [field.name for field in dataclasses.fields(Notice)]
    columns = {name: [getattr(notice, name) for notice in notices] for name in names}
    columns["detail"] = [notice_sentence(notice) for notice in notices]
    write_table(path, NOTICES, columns)


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
    """What is decided over each group that rows decide over. Rows that disagree leave theirs undecided."""
    rows_of: dict[tuple[Scope, str], list[Row]] = {}
    for target in targets:
        rows_of.setdefault((target.row.scope, target.group), []).append(target.row)
    verdicts: _Verdicts = {scope: {} for scope in _SCOPES}
    notices = []
    for (scope, group), rows in rows_of.items():
        first = rows[0]
        other = next((row for row in rows if row.decision != first.decision), None)
        if other is None:
            note = first.note or None
            verdicts[scope][group] = Reason(first.decision == "keep", "row", scope, first.line, note=note)
            continue
        verdicts[scope][group] = Reason(False, "undecided", "contradiction", first.line, other.line)
        notices.append(
            Notice(
                "contradiction",
                face=first.face,
                lines=tuple(row.line for row in rows),
                decisions=tuple(row.decision for row in rows),
                faces=tuple(row.face for row in rows),
                scope=scope,
                group=group,
            )
        )
    return verdicts, notices


def _apply_policy(
    policy: Policy, clusters: "pd.Series[str]", nearness: pd.DataFrame | None, verdicts: _Verdicts
) -> tuple[Reason, Notice]:
    """What is decided over faces that no row reaches. That over the one cluster kept is added to `verdicts`."""
    if policy != "largest":
        return Reason(policy == "all", "policy", policy), Notice("policy", policy)
    # A cluster that a row drops is out of the race: who drops a bystander wants the next one.
    dropped = list(verdicts["cluster"])
    if nearness is not None:
        notice = _nearest(nearness[~nearness["cluster"].isin(dropped)])
        kept, rest = Reason(True, "policy", "nearest"), Reason(False, "policy", "not_nearest")
    else:
        notice = _largest(clusters[~clusters.isin(dropped)])
        kept, rest = Reason(True, "policy", "largest"), Reason(False, "policy", "not_largest")
    if notice.face is not None:
        verdicts["cluster"][notice.face] = kept
    return rest, notice


def _largest(clusters: "pd.Series[str]") -> Notice:
    """What the policy does: a notice that names the largest cluster as its face, if there is one."""
    sizes = clusters.value_counts()
    if sizes.empty:
        return Notice("policy", "largest_of_none")
    largest = min(sizes.index[sizes == sizes.max()])
    return dataclasses.replace(_of_cluster("largest", largest, sizes[largest]), face=largest)


def _nearest(nearness: pd.DataFrame) -> Notice:
    """What the reference does: a notice that names the nearest cluster as its face, if that is near enough."""
    if nearness.empty:
        return Notice("policy", "nearest_of_none")
    first = nearness.iloc[0]
    cause: PolicyCause = "nearest" if first["near"] else "nearest_too_far"
    return dataclasses.replace(
        _of_cluster(cause, first["cluster"], first["faces"]),
        face=first["cluster"] if first["near"] else None,
        distance=float(first["distance"]),
        next_distance=float(nearness["distance"].iloc[1]) if len(nearness) > 1 else None,
    )


def _of_cluster(cause: PolicyCause, cluster: str, faces: int) -> Notice:
    return Notice("policy", cause, scope="cluster", group=cluster, now=int(faces))


def _decide(table: pd.DataFrame, verdicts: _Verdicts, rest: Reason) -> _Decisions:
    """Each face's reason: of the narrowest scope that has one."""
    reasons = [rest]
    which = np.zeros(len(table), np.int64)
    for scope in _SCOPES:
        numbers = {group: len(reasons) + number for number, group in enumerate(verdicts[scope])}
        reasons += verdicts[scope].values()
        found = table["face_id" if scope == "face" else scope].map(numbers).fillna(-1).to_numpy(np.int64)
        which = np.where(found >= 0, found, which)
    return _Decisions(reasons, which)


def _apply_filter(
    decisions: _Decisions,
    setting: FilterRule,
    limit: float,
    values: npt.NDArray[np.float32],
    is_exempt: npt.NDArray[np.bool_],
) -> None:
    """Drop kept faces whose measure is out of bounds. A face without the measure is not."""
    dropped = FILTERS[setting].is_beyond(values, limit) & decisions.kept & ~is_exempt
    bound = float(np.float32(limit))  # as the table holds it
    decisions.replace(
        dropped, [Reason(False, "filter", setting, value=value, limit=bound) for value in values[dropped].tolist()]
    )


def _empty(decisions: _Decisions) -> Notice:
    if not len(decisions.which):
        return Notice("empty", "no_faces")
    counts: Counter[DecidedBy] = Counter()
    for place, count in zip(*np.unique(decisions.which, return_counts=True), strict=True):
        counts[decisions.reasons[place].decided_by] += int(count)
    names = tuple(sorted(counts))
    return Notice("empty", "none_kept", decided_by=names, counts=tuple(counts[name] for name in names))
