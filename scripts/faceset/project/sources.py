"""The table of footage: sources.tsv."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

from faceset.errors import FacesetError
from faceset.footage.files import default_alignments_path
from faceset.project.installed import installed_original
from faceset.project.paths import user_path
from faceset.tsv import read_rows

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
LONGEST_NAME = 100  # with what comes before and behind it, a file name still is shorter than file systems allow
PERIODIC = re.compile(r"(.+)\1{19,99}$")  # Snakemake takes such a value of a wildcard for a rule that feeds itself
RESERVED = ("faces", "facesets")  # folders of results that a source's would be mixed up with


@dataclass(frozen=True)
class Source:
    """One video or folder of frames: a row of the table.

    `rights` says why this footage may be used, `duplicates` whether two faces of one frame may be one person, `shards`
    how many jobs share long work on it. `where` is the row's place, for messages. What the row names is looked for
    only where it is asked for, or by `check`: a job needs no other source's files.
    """

    name: str
    frames: Path
    alignments_cell: str
    rights: str
    duplicates: bool
    shards: int
    where: str

    @functools.cached_property
    def alignments(self) -> Path | None:
        """The alignments file; None where faces are to be detected.

        Where `faceset install` put a cleaned file in the original's place, it is the original. Raises FacesetError if
        the cell cannot be a path, if there is no such file, or if an original is gone.
        """
        if self.alignments_cell == "detect":
            return None
        if self.alignments_cell:
            path = _path(self.alignments_cell, "alignments", self.where)
            if not path.is_file():
                raise FacesetError(
                    f"{self.where}: {path}: no such alignments file. Leave the cell empty for the default place, "
                    "or write detect."
                )
            return installed_original(path)
        default = default_alignments_path(self.frames)
        return installed_original(default) if default.is_file() else None

    def check(self) -> None:
        """Raise FacesetError if the row names footage or alignments that are not there."""
        if not self.frames.exists():
            raise FacesetError(
                f"{self.where}: {self.frames}: no such video or folder. Paths start at the working directory."
            )
        self.alignments  # noqa: B018 (it raises where there is none)


def check_name(name: str, where: str, what: str) -> None:
    """Raise FacesetError unless `name` can be part of a path and of a face id on every system, and a wildcard."""
    is_safe = SAFE_NAME.fullmatch(name) and len(name) <= LONGEST_NAME
    if not is_safe or name in RESERVED or name.endswith(OF_RESULTS) or "--" in name:
        raise FacesetError(
            f"{where}: {name!r} cannot be the name of a {what}: use the letters a to z and A to Z, digits, dot, "
            f"dash and underscore, at most {LONGEST_NAME} of them, beginning with a letter or digit, without two "
            f"dashes together, not ending in {', '.join(OF_RESULTS)}, and none of {', '.join(RESERVED)}."
        )
    if repeated := PERIODIC.search(name):
        raise FacesetError(
            f"{where}: {name!r} cannot be the name of a {what}: it ends in {repeated[1]!r} 20 times or more, which "
            "Snakemake takes for a loop. Shorten it."
        )


def read_sources(path: Path) -> tuple[Source, ...]:
    """The sources in file order.

    Raises FacesetError naming the file, the line and what was expected.
    """
    if not path.exists():
        raise FacesetError(
            f"{path}: no such file. It lists your footage, a tab-separated line a source, under the header: "
            f"{' '.join(REQUIRED)}."
        )
    rows = read_rows(path, REQUIRED, OPTIONAL)
    if rows is None:
        raise FacesetError(f"{path}: empty. Expected the header: {' '.join(REQUIRED)} (separated by tabs).")
    found: dict[str, Source] = {}
    for row in rows:
        source = _source(row.cells, row.where)
        if source.name in found:
            raise FacesetError(f"{row.where}: the source {source.name!r} is there twice; names must differ.")
        found[source.name] = source
    if not found:
        raise FacesetError(
            f"{path}: no sources under the header. Add a line for each video or folder of frames, or, if yours are "
            "listed in another working directory, run this there."
        )
    return tuple(found.values())


def _path(cell: str, column: str, where: str) -> Path:
    try:
        return user_path(cell)
    except ValueError as error:
        raise FacesetError(f"{where}: {column} is {cell!r:.200}: {error}.") from error


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
    frames = _path(cells["frames"], "frames", where)
    duplicates, shards = _duplicates(cells["duplicates"], where), _shards(cells["shards"], where)
    return Source(name, frames, cells["alignments"], cells["rights"], duplicates, shards, where)
