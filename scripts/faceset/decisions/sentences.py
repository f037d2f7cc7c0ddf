"""What decisions say to a person: every sentence about them, made from columns, and never read by code."""

from typing import cast

from faceset.alignments.problems import FaceProblem, face_sentence
from faceset.decisions.filters import FILTERS, FilterRule
from faceset.decisions.kinds import Cause, Notice, Reason, Rule

_RULES: dict[Rule, str] = {
    "unreached": "no row reaches it",
    "largest": "largest cluster",
    "not_largest": "not in the largest cluster",
    "nearest": "cluster nearest to the reference",
    "not_nearest": "not in the cluster nearest to the reference",
    "all": "the policy keeps all faces",
    "none": "the policy keeps no face without a row",
}

_STALE: dict[Cause, str] = {
    "no_face_at_box": "no face of that frame overlaps its box any more",
    "no_such_face": "there is no face of that id any more",
    "unusable_face": "the face cannot be used: {problem}",
    "in_no_group": "the face lies in no {scope}",
    "in_no_source": "no source has a usable face of that id",
}

_NOBODY = "no cluster is left to keep"
_POLICY: dict[Cause, tuple[str, str]] = {
    "all": ("the policy `all`", "all faces that no row drops were kept"),
    "none": ("the policy `none`", "no face was kept without a row"),
    "largest": ("the policy `largest`", "the largest cluster, {group} with {now} faces of this faceset, was kept"),
    "largest_of_none": ("the policy `largest`", _NOBODY),
    "nearest": ("the reference", "the nearest cluster, {nearest}{after}, was kept"),
    "nearest_too_far": (
        "the reference",
        "no cluster is near enough to be that person, not even the nearest, {nearest}, so none was kept",
    ),
    "nearest_of_none": ("the reference", _NOBODY),
}
"""Who decided, and what was done."""


def reason_sentence(reason: Reason) -> str:
    """Why a face is kept or not. Without its `value`, the sentence fits all faces that the same rule decided over."""
    if reason.decided_by == "problem":
        return face_sentence(cast(FaceProblem, reason.rule))
    if reason.decided_by == "undecided":
        return f"keep-list lines {reason.row_line} and {reason.other_line} contradict each other"
    if reason.decided_by == "filter":
        return FILTERS[cast(FilterRule, reason.rule)].sentence(cast(float, reason.limit), reason.value)
    if reason.rule in _RULES:
        return _RULES[reason.rule]
    note = f" ({reason.note})" if reason.note else ""
    return f"keep-list line {reason.row_line}: {'keep' if reason.kept else 'drop'} {reason.rule}{note}"


def notice_sentence(notice: Notice) -> str:
    """What a person should know of a faceset's decisions, and what to do about it."""
    return {
        "stale_row": _stale,
        "moved_row": _moved,
        "reach_changed": _reach,
        "contradiction": _contradiction,
        "policy": _policy,
        "empty": _empty,
    }[notice.kind](notice)


def _row(notice: Notice) -> str:
    return f"Keep-list line {notice.lines[0]}"


def _stale(notice: Notice) -> str:
    problem = face_sentence(notice.problem) if notice.problem else ""
    why = _STALE[cast(Cause, notice.cause)].format(problem=problem, scope=notice.scope)
    row = f"{_row(notice)} ({notice.decisions[0]} {notice.scope})"
    return f"{row} decides nothing: {why}. Remove or renew the row."


def _moved(notice: Notice) -> str:
    return f"{_row(notice)} means {notice.meant} now, whose box is where {notice.face} was. Correct the id in the row."


def _reach(notice: Notice) -> str:
    return (
        f"{_row(notice)}: the {notice.scope} had {notice.before} faces when this was decided and has {notice.now} now. "
        "Look at it in the report, and renew the row."
    )


def _contradiction(notice: Notice) -> str:
    rows = zip(notice.lines, notice.decisions, notice.faces, strict=True)
    said = " and ".join(f"{line} ({decision} {face})" for line, decision, face in rows)
    return (
        f"Keep-list lines {said} contradict each other: their faces are one {notice.scope} now, {notice.group}, of "
        "which nothing is kept until rows of a narrower scope, or fewer rows, decide it."
    )


def _policy(notice: Notice) -> str:
    by, done = _POLICY[cast(Cause, notice.cause)]
    nearest = ""
    if notice.distance is not None:
        nearest = f"{notice.group} with {notice.now} faces of this faceset, at a distance of {notice.distance:.3g}"
    after = "" if notice.next_distance is None else f" (the next one is at {notice.next_distance:.3g})"
    done = done.format(group=notice.group, now=notice.now, nearest=nearest, after=after)
    return (
        f"No row of the keep-list keeps a cluster or track, so {by} decided: {done}. "
        "To decide yourself, copy rows from the report into the keep-list."
    )


def _empty(notice: Notice) -> str:
    if notice.cause == "no_faces":
        return "The sources of this faceset have no faces. Look at their problems in the report."
    counts = zip(notice.counts, notice.decided_by, strict=True)
    causes = ", ".join(f"{count} by {name}" for count, name in counts)
    return f"No face is kept ({causes}). Copy keep rows from the report into the keep-list, or ease the filters."
