"""Which faces the rows of a keep-list mean now, after what has become of alignments and clusters since."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from faceset.decisions.keep_list import MIN_BOX_OVERLAP, REACH_TOLERANCE, Box, Row
from faceset.face_ids import split_face_id


class Notice(NamedTuple):
    """A row of the `notices` table."""

    kind: str
    face: str
    detail: str


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
    problem: str | None

    @property
    def box(self) -> Box:
        return self.x, self.y, self.w, self.h


def box_overlap(first: Box, second: Box) -> float:
    """Intersection over union of two boxes; 1 for equal ones, also where they have no area."""
    if first == second:
        return 1.0
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (first[2] * first[3] + second[2] * second[3] - shared)


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
    box = row.box
    if box is not None and (face is None or box_overlap(box, face.box) < MIN_BOX_OVERLAP):
        face = max(candidates, key=lambda candidate: box_overlap(box, candidate.box), default=None)
        if face is None or box_overlap(box, face.box) < MIN_BOX_OVERLAP:
            return None, _stale(row, "no face of that frame overlaps its box any more")
    if face is None:
        return None, _stale(row, "there is no face of that id any more")
    group = {"cluster": face.cluster, "track": face.track, "face": face.face_id}[row.scope]
    if face.problem is not None and (row.decision == "keep" or group is None):
        return None, _stale(row, f"the face can not be used: {face.problem}")
    if group is None:
        return None, _stale(row, f"the face lies in no {row.scope}")
    if face.face_id == row.face:
        return Target(row, group), None
    detail = (
        f"Keep-list line {row.line} means {face.face_id} now, whose box is where {row.face} was. "
        "Correct the id in the row."
    )
    return Target(row, group), Notice("moved row", row.face, detail)


def _target_elsewhere(row: Row, cluster_of: "pd.Series[str]") -> tuple[Target | None, Notice | None]:
    if row.face not in cluster_of:
        return None, _stale(row, "no source has a usable face of that id")
    return (Target(row, cluster_of[row.face]) if row.scope == "cluster" else None), None


def _stale(row: Row, why: str) -> Notice:
    detail = f"Keep-list line {row.line} ({row.decision} {row.scope}) decides nothing: {why}. Remove or renew the row."
    return Notice("stale row", row.face, detail)


def _changed_reach(target: Target, sizes: dict[str, "pd.Series[int]"]) -> list[Notice]:
    row = target.row
    if row.reach is None or row.scope not in sizes:
        return []
    now = sizes[row.scope][target.group]
    if abs(now - row.reach) <= REACH_TOLERANCE * row.reach:
        return []
    detail = (
        f"Keep-list line {row.line}: the {row.scope} had {row.reach} faces when this was decided and has {now} now. "
        "Look at it in the report, and renew the row."
    )
    return [Notice("reach changed", row.face, detail)]
