"""The enumerations of the tables about decisions, and what a row of each holds but for its sentence."""

from dataclasses import dataclass
from typing import Any, Literal

from faceset.alignments.problems import FaceProblem
from faceset.decisions.filters import FilterRule
from faceset.enumerations import listed

Decision = Literal["keep", "drop"]
"""What a row of a keep-list says."""

Scope = Literal["cluster", "track", "face"]
"""How far a row reaches: the face's whole cluster, its track, or the face alone."""

DecidedBy = Literal["row", "policy", "filter", "undecided", "problem"]
"""What decided over a face."""

RowRule = Literal[Scope, "unreached"]
"""How far the row that decided reaches; `unreached` is a face that none reaches, though rows say who is kept."""

PolicyRule = Literal["largest", "not_largest", "nearest", "not_nearest", "all", "none"]
"""Which part of the policy decided. The nearest cluster is kept instead of the largest where there is a reference."""

UndecidedRule = Literal["contradiction"]
"""Why nothing could be decided."""

Rule = Literal[RowRule, PolicyRule, FilterRule, UndecidedRule, FaceProblem]

RULES: dict[DecidedBy, Any] = {
    "row": RowRule,
    "policy": PolicyRule,
    "filter": FilterRule,
    "undecided": UndecidedRule,
    "problem": FaceProblem,
}
"""Which rules there are of each `DecidedBy`."""

NoticeKind = Literal["stale_row", "moved_row", "reach_changed", "contradiction", "policy", "empty"]
"""What a person is told about a faceset's decisions."""

StaleCause = Literal["no_face_at_box", "no_such_face", "unusable_face", "in_no_group", "in_no_source"]
"""Why a row decides nothing."""

PolicyCause = Literal["all", "none", "largest", "largest_of_none", "nearest", "nearest_too_far", "nearest_of_none"]
"""What the policy, or the reference, decided; `of_none` where no cluster was left to choose from."""

EmptyCause = Literal["no_faces", "none_kept"]
"""Why a faceset is empty."""

Cause = Literal[StaleCause, PolicyCause, EmptyCause]

CAUSES: dict[NoticeKind, Any] = {"stale_row": StaleCause, "policy": PolicyCause, "empty": EmptyCause}
"""Which causes there are of those kinds of notices that have one."""


def listed_by(kinds: dict[Any, Any]) -> str:
    """The enumerations of `RULES` or `CAUSES` as the manual lists them."""
    return "; ".join(f"{name}: {listed(kind)}" for name, kind in kinds.items())


@dataclass(frozen=True)
class Reason:
    """Why a face is kept or not: columns of the `manifest` table, whose schema says what each means."""

    kept: bool
    decided_by: DecidedBy
    rule: Rule
    row_line: int | None = None
    other_line: int | None = None
    value: float | None = None
    limit: float | None = None
    note: str | None = None


@dataclass(frozen=True)
class Notice:
    """A row of the `notices` table, but for its sentence; the schema says what each column means."""

    kind: NoticeKind
    cause: Cause | None = None
    face: str | None = None
    lines: tuple[int, ...] = ()
    decisions: tuple[Decision, ...] = ()
    faces: tuple[str, ...] = ()
    meant: str | None = None
    scope: Scope | None = None
    group: str | None = None
    problem: FaceProblem | None = None
    before: int | None = None
    now: int | None = None
    distance: float | None = None
    next_distance: float | None = None
    decided_by: tuple[DecidedBy, ...] = ()
    counts: tuple[int, ...] = ()
