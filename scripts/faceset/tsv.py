"""Tables that people write: UTF-8 text, a header, a row a line, tabs between cells.

Lines that begin with # are remarks. Spaces around cells, empty lines and empty cells at the ends of lines do no harm:
editors and spreadsheets leave them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from faceset.errors import FacesetError
from faceset.hints import hint


@dataclass(frozen=True)
class TsvRow:
    """One row: its line in the file, from 1, its place for messages, and the text under every known column."""

    line: int
    where: str
    cells: dict[str, str]


def read_rows(path: Path, required: Sequence[str], optional: Sequence[str]) -> tuple[TsvRow, ...] | None:
    """Return the rows of a table in file order; None for a file without even a header.

    Cells of columns that are not there are empty. Raises FacesetError naming the file, the line and what was expected:
    for what is no text, for columns that are unknown, missing or there twice, and for cells beyond the header.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise FacesetError(
            f"{path}: cannot be read as UTF-8 text ({error}). Save it as UTF-8, with tabs between cells."
        ) from error
    numbered = [
        (number, f"{path}, line {number}", [cell.strip() for cell in line.rstrip().split("\t")])
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not numbered:
        return None
    (_, place, header), *rows = numbered
    _check_header(header, place, required, optional)
    empty = dict.fromkeys((*required, *optional), "")
    found = []
    for number, where, cells in rows:
        if len(cells) > len(header):
            raise FacesetError(f"{where}: {len(cells)} cells under a header of {len(header)}.")
        if len(cells) == 1 and len(cells[0].split()) > 1:
            raise FacesetError(f"{where}: a single cell, {cells[0]!r:.80}. Tabs separate cells, not spaces.")
        found.append(TsvRow(number, where, empty | dict(zip(header, cells, strict=False))))
    return tuple(found)


def _check_header(header: list[str], where: str, required: Sequence[str], optional: Sequence[str]) -> None:
    known = (*required, *optional)
    for column in header:
        if column not in known:
            raise FacesetError(
                f"{where}: unknown column {column!r}; {hint(column, known)} (Tabs separate columns, not spaces.)"
            )
        if header.count(column) > 1:
            raise FacesetError(f"{where}: the column {column!r} is there twice.")
    for column in required:
        if column not in header:
            raise FacesetError(f"{where}: no column {column!r}; expected the header: {' '.join(known)}.")
