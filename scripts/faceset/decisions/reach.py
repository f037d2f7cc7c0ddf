"""Which faces the rows of a keep-list mean now, after what has become of alignments and clusters since."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd

from faceset.alignments.problems import FaceProblem
from faceset.decisions.keep_list import MIN_BOX_OVERLAP, REACH_TOLERANCE, Row
from faceset.decisions.kinds import Notice, NoticeKind, StaleCause
from faceset.face_ids import split_face_id
from faceset.geometry.boxes import Box, overlaps


@dataclass(frozen=True)
class Target:
    """What a row decides over now: the cluster or track with the id `group`, or the face itself."""

    row: Row
    group: str


class _Face(NamedTuple):
    face_id: str
    x: int
    y: int
    w: int
    h: int
    track: str | None
    cluster: str | None
    problem: FaceProblem | None

    @property
    def box(self) -> Box:
        return self.x, self.y, self.w, self.h


def find_targets(
    rows: Sequence[Row], faces: pd.DataFrame, clusters: "pd.Series[str]"
) -> tuple[list[Target], list[Notice]]:
    """What each row decides over, and what a person should know of rows that no longer fit; both in row order.

    A row with a box means the face of its id if their boxes overlap by `MIN_BOX_OVERLAP`, else the face of that frame
    that overlaps best and by that much, else none. A row without, or about a face of other sources, goes by its id.
    A row about a single face or track of other sources has no target here.

    Parameters
    ----------
    rows
        The keep-list.
    faces
        All faces of the faceset's sources: face_id, source, frame, x, y, w, h, track, cluster, problem.
    clusters
        The cluster of every face of the project, by face id.
    """
    sources = set(faces["source"].unique())
    by_frame = _faces_by_frame(rows, faces)
    cluster_of = clusters[clusters.index.isin({row.face for row in rows})]
    sizes = {"cluster": clusters.value_counts(), "track": faces["track"].value_counts()}
    targets, notices = [], []
    for row in rows:
        source, frame, _ = split_face_id(row.face)
        if source in sources:
            target, notice = _target_in_frame(row, by_frame[source, frame])
        else:
            target, notice = _target_elsewhere(row, cluster_of)
        if notice:
            notices.append(notice)
        if target:
            targets.append(target)
            notices += _changed_reach(target, sizes)
    return targets, notices


def _faces_by_frame(rows: Sequence[Row], faces: pd.DataFrame) -> defaultdict[tuple[str, str], list[_Face]]:
    frames = {split_face_id(row.face)[1] for row in rows}
    near = faces[faces["frame"].isin(frames)].astype(object)
    near = near.where(near.notna(), None)
    found: defaultdict[tuple[str, str], list[_Face]] = defaultdict(list)
    columns = (near[name] for name in _Face._fields)
    for source, frame, *values in zip(near["source"], near["frame"], *columns, strict=True):
        found[source, frame].append(_Face(*values))
    return found


def _target_in_frame(row: Row, candidates: list[_Face]) -> tuple[Target | None, Notice | None]:
    face = next((candidate for candidate in candidates if candidate.face_id == row.face), None)
    if row.box is not None and (face is None or overlaps([row.box], [face.box]) < MIN_BOX_OVERLAP):
        shares = overlaps([row.box], [candidate.box for candidate in candidates])[0]
        face = candidates[shares.argmax()] if (shares >= MIN_BOX_OVERLAP).any() else None
        if face is None:
            return None, _stale(row, "no_face_at_box")
    if face is None:
        return None, _stale(row, "no_such_face")
    group = {"cluster": face.cluster, "track": face.track, "face": face.face_id}[row.scope]
    if face.problem is not None and (row.decision == "keep" or group is None):
        return None, _stale(row, "unusable_face", face.problem)
    if group is None:
        return None, _stale(row, "in_no_group")
    if face.face_id == row.face:
        return Target(row, group), None
    return Target(row, group), replace(_notice(row, "moved_row"), group=group, meant=face.face_id)


def _target_elsewhere(row: Row, cluster_of: "pd.Series[str]") -> tuple[Target | None, Notice | None]:
    if row.face not in cluster_of:
        return None, _stale(row, "in_no_source")
    return (Target(row, cluster_of[row.face]) if row.scope == "cluster" else None), None


def _notice(row: Row, kind: NoticeKind) -> Notice:
    """A notice about one row, for what there is to say to be added to."""
    return Notice(kind, face=row.face, lines=(row.line,), decisions=(row.decision,), faces=(row.face,), scope=row.scope)


def _stale(row: Row, cause: StaleCause, problem: FaceProblem | None = None) -> Notice:
    return replace(_notice(row, "stale_row"), cause=cause, problem=problem)


def _changed_reach(target: Target, sizes: dict[str, "pd.Series[int]"]) -> list[Notice]:
    row = target.row
    if row.reach is None or row.scope not in sizes:
        return []
    now = int(sizes[row.scope][target.group])
    if abs(now - row.reach) <= REACH_TOLERANCE * row.reach:
        return []
    return [replace(_notice(row, "reach_changed"), group=target.group, before=row.reach, now=now)]
