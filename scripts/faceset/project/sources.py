"""The table of footage: sources.tsv."""

import csv
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from faceset.alignments.files import default_alignments_path
from faceset.errors import FacesetError
from faceset.project.installed import installed_original

COLUMNS = (
    ("source", True, "a name for it: letters, digits, dot, dash, underscore. It is part of every face's id"),
    ("frames", True, "the video file, or the folder of pictures"),
    (
        "alignments",
        True,
        "its alignments file (.fsa, .json, .msgpack). Empty: the file at faceswap's default place if there is one, "
        "else faces are detected; `detect` forces that",
    ),
    ("rights", True, "in a sentence, why this footage may be used. Empty gives a warning"),
    (
        "duplicates",
        False,
        "`allowed` where a frame may show a person twice, in a mirror or a picture on a wall: faces of one frame may "
        "then be one person. Else they never are",
    ),
    (
        "shards",
        False,
        "over how many jobs a long source is dealt out while its faces are found, cropped and embedded, each of them "
        "with parts of 10,000 frames. For clusters; results are the same for any number. Empty: 1",
    ),
    ("note", False, "anything; for you alone"),
)
"""The columns of the table: name, whether it is needed, and what it means."""

REQUIRED = tuple(name for name, needed, _ in COLUMNS if needed)
OPTIONAL = tuple(name for name, needed, _ in COLUMNS if not needed)
OF_RESULTS = (".", ".fsa", ".html", ".json", ".msgpack", ".parquet", ".smk")
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
RESERVED = ("faces", "facesets")  # folders of results that a source's would be mixed up with


@dataclass(frozen=True)
class Source:
    """One video or folder of frames.

    `alignments` is None where faces are to be detected; where `faceset install` put a cleaned file in the original's
    place, it is the original. `rights` says why this footage may be used.
    `duplicates` is whether two faces of one frame may be one person; `shards`, how many jobs share long work on it.
    """

    name: str
    frames: Path
    alignments: Path | None
    rights: str
    duplicates: bool = False
    shards: int = 1


def check_name(name: str, where: str, what: str) -> None:
    """Raise FacesetError unless `name` can be part of a path and of a face id on every system."""
    if not SAFE_NAME.fullmatch(name) or name in RESERVED or name.endswith(OF_RESULTS) or "--" in name:
        raise FacesetError(
            f"{where}: {name!r} can not be the name of a {what}: use letters, digits, dot, dash and underscore, "
            f"beginning with a letter or digit, without two dashes together, not ending in "
            f"{', '.join(OF_RESULTS)}, and none of {', '.join(RESERVED)}."
        )


def read_sources(path: Path) -> tuple[Source, ...]:
    """The sources in file order.

    Raises FacesetError naming the file, the line and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FacesetError(
            f"{path}: no such file. It lists your footage, a tab-separated line a source, under the header: "
            f"{' '.join(REQUIRED)}."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise FacesetError(
            f"{path}: can not be read as text ({error}). Save it as UTF-8, with tabs between cells."
        ) from error
    rows = [
        (number, row)
        for number, row in enumerate(csv.reader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE), 1)
        if any(cell.strip() for cell in row) and not row[0].startswith("#")
    ]
    if not rows:
        raise FacesetError(f"{path}: empty. Expected the header: {' '.join(REQUIRED)} (separated by tabs).")
    header = [cell.strip() for cell in rows[0][1]]
    if len(header) == 1 or (rows[1:] and len(rows[1][1]) == 1):
        raise FacesetError(f"{path}: a line with a single cell. Cells are separated by tabs, not by spaces.")
    for column in header:
        if column not in REQUIRED + OPTIONAL:
            near = difflib.get_close_matches(column, REQUIRED + OPTIONAL, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(REQUIRED + OPTIONAL)}."
            raise FacesetError(f"{path}: unknown column {column!r}; {hint} (Columns are separated by tabs.)")
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise FacesetError(f"{path}: no column {missing[0]!r}; the header needs: {' '.join(REQUIRED)}.")
    found: dict[str, Source] = {}
    for number, row in rows[1:]:
        if len(row) > len(header):
            raise FacesetError(f"{path}, line {number}: {len(row)} cells under a header of {len(header)}.")
        cells = dict(zip(header, [cell.strip() for cell in row] + [""] * (len(header) - len(row)), strict=True))
        source = _source(cells, f"{path}, line {number}")
        if source.name in found:
            raise FacesetError(f"{path}, line {number}: the source {source.name!r} is there twice; names must differ.")
        found[source.name] = source
    if not found:
        raise FacesetError(
            f"{path}: no sources under the header. Add a line for each video or folder of frames, or, if yours are "
            "listed in another working directory, run this there."
        )
    return tuple(found.values())


def _duplicates(cell: str, where: str) -> bool:
    if cell not in ("", "allowed"):
        raise FacesetError(f"{where}: duplicates is {cell!r}; expected allowed, or nothing.")
    return cell == "allowed"


def _shards(cell: str, where: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,2}|", cell):
        raise FacesetError(f"{where}: shards is {cell!r}; expected a number from 1 to 999, or nothing.")
    return int(cell or 1)


def _source(cells: dict[str, str], where: str) -> Source:
    name = cells["source"]
    check_name(name, where, "source")
    if not cells["frames"]:
        raise FacesetError(f"{where}: the column `frames` is empty; expected a video file or a folder of pictures.")
    frames = Path(cells["frames"]).expanduser()
    if not frames.exists():
        raise FacesetError(f"{where}: {frames}: no such video or folder. Paths start at the working directory.")
    if cells["alignments"] == "detect":
        alignments = None
    elif cells["alignments"]:
        alignments = Path(cells["alignments"]).expanduser()
        if not alignments.is_file():
            raise FacesetError(
                f"{where}: {alignments}: no such alignments file. Leave the cell empty for the default place, "
                "or write detect."
            )
        alignments = installed_original(alignments)
    else:
        default = default_alignments_path(frames)
        alignments = installed_original(default) if default.is_file() else None
    duplicates, shards = _duplicates(cells.get("duplicates", ""), where), _shards(cells.get("shards", ""), where)
    return Source(name, frames, alignments, cells["rights"], duplicates, shards)
