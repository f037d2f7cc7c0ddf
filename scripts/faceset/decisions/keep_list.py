"""Keep-lists: the file in which a person says which faces belong to a faceset, and which do not."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from faceset.decisions.kinds import Decision, Scope
from faceset.errors import FacesetError
from faceset.face_ids import split_face_id
from faceset.geometry.boxes import Box
from faceset.hints import hint
from faceset.tsv import read_rows

REQUIRED = ("decision", "scope", "face")
OPTIONAL = ("box", "reach", "note")
HEADER = "\t".join(REQUIRED + OPTIONAL)

# A row still means the face at its box if the boxes share so much: intersection over union.
MIN_BOX_OVERLAP = 0.5
# By what share the faces that a row reaches may change before it is reported.
REACH_TOLERANCE = 0.05

# Spreadsheets put quotes around a cell with commas in it; numbers of hundreds of digits are no floats.
_BOX = re.compile(r'"?(-?[0-9]{1,100}), *(-?[0-9]{1,100}), *([0-9]{1,100}), *([0-9]{1,100})"?')


@dataclass(frozen=True)
class Row:
    """One decision.

    It is about `face` and reaches as far as `scope`: its whole cluster, its track, or the face alone. `box` tells
    where the face was, and `reach` how many faces that were, when it was decided; both may be None. `line` counts
    from 1, the header and comments included.
    """

    line: int
    decision: Decision
    scope: Scope
    face: str
    box: Box | None = None
    reach: int | None = None
    note: str = ""


def format_row(
    decision: Decision, scope: Scope, face: str, box: Box | None = None, reach: int | None = None, note: str = ""
) -> str:
    """A row under `HEADER`, without line end, as `read_keep_list` reads it. Tabs and line ends in a note go."""
    cells = (
        decision,
        scope,
        face,
        ",".join(map(str, box)) if box else "",
        "" if reach is None else str(reach),
        " ".join(note.split()),
    )
    return "\t".join(cells)


def read_keep_list(path: Path | None) -> tuple[Row, ...]:
    """The decisions of a keep-list in file order; none where there is no file or nothing in it.

    Raises FacesetError naming file, line and what was expected, also for two rows that contradict each other about
    one face.
    """
    if path is None:
        return ()
    rows = tuple(_row(row.line, row.cells, row.where) for row in read_rows(path, REQUIRED, OPTIONAL) or ())
    _refuse_contradictions(rows, path)
    return rows


def _row(line: int, values: dict[str, str], where: str) -> Row:
    decision = cast(Decision, _one_of("decision", values["decision"], get_args(Decision), where))
    scope = cast(Scope, _one_of("scope", values["scope"], get_args(Scope), where))
    try:
        split_face_id(values["face"])
    except ValueError as error:
        raise FacesetError(f"{where}: {error}. The report shows the id of every face.") from error
    box = _box(values["box"], where)
    return Row(line, decision, scope, values["face"], box, _reach(values["reach"], where), values["note"])


def _one_of(column: str, value: str, known: Collection[str], where: str) -> str:
    if value not in known:
        raise FacesetError(f"{where}: the {column} is {value!r}; {hint(value, known)}")
    return value


def _box(value: str, where: str) -> Box | None:
    if not value:
        return None
    match = _BOX.fullmatch(value)
    if match is None:
        raise FacesetError(
            f"{where}: the box is {value!r}; expected left,top,width,height in whole pixels, as 412,96,180,220, "
            "or nothing."
        )
    left, top, width, height = map(int, match.groups())
    return left, top, width, height


def _reach(value: str, where: str) -> int | None:
    if not value:
        return None
    if not re.fullmatch("[1-9][0-9]*", value):
        raise FacesetError(f"{where}: the reach is {value!r}; expected a number of faces, from 1, or nothing.")
    return int(value)


def _refuse_contradictions(rows: tuple[Row, ...], path: Path) -> None:
    first: dict[tuple[str, str], Row] = {}
    for row in rows:
        other = first.setdefault((row.scope, row.face), row)
        if other.decision != row.decision:
            raise FacesetError(
                f"{path}: line {other.line} says {other.decision} and line {row.line} says {row.decision} of the same "
                f"{row.scope}, {row.face}. Remove one of them."
            )
