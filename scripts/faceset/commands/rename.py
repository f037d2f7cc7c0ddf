"""Give face pictures back the names they were extracted under, which their headers remember."""

import argparse
from collections.abc import Callable
from pathlib import Path

from faceset.atomic import sync_folder
from faceset.console import say
from faceset.errors import FacesetError

HELP = "give face pictures back their original names"
EXAMPLE = "faceset rename sorted --dry-run"

# Not hidden and ending as pictures do: should a crash leave such a file, it is in sight, and its header still knows it.
_TEMPORARY = "faceset-renaming-{:06d}.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder."""
    parser.add_argument("folder", type=Path, help="face pictures with faceswap's headers")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be renamed")


def run(arguments: argparse.Namespace) -> None:
    """Rename the pictures."""
    restore_names(arguments.folder, arguments.dry_run, say)


def restore_names(folder: Path, dry_run: bool, say: Callable[[str], None]) -> int:
    """Rename the face pictures in `folder` (not in its subfolders) to the original names in their headers.

    Names may be exchanged among the files in any way. Nothing is ever overwritten. If it is cut off, every picture is
    there under some name, and running it again finishes the work.

    Parameters
    ----------
    dry_run
        Only say what would be renamed.
    say
        Told a line for each file to be renamed in a dry run, and the sum.

    Returns how many files were, or would be, renamed. Raises FacesetError, having renamed nothing, for a picture
    without a header, two of one original name, and a name that is taken by something else or is not a file name.
    """
    from faceset.training.pictures.folders import list_face_files

    paths = list_face_files(folder, subfolders=False)
    moves = {path: target for path, target in _targets(paths).items() if path != target}
    for path, target in moves.items():
        if target not in moves and target.exists() and not target.samefile(path):
            raise FacesetError(f"{path}: its original name, {target.name}, is taken by something else. Move that away.")
    if dry_run:
        for path, target in moves.items():
            say(f"{path.name} -> {target.name}")
        say(f"{len(moves):,} of {len(paths):,} face pictures would be renamed. Nothing was changed.")
        return len(moves)
    try:
        _rename(moves)
    except OSError as error:
        raise FacesetError(f"{folder}: renaming stopped: {error}. No picture is lost; run again to go on.") from error
    sync_folder(folder)
    say(f"{len(moves):,} of {len(paths):,} face pictures were renamed.")
    return len(moves)


def _targets(paths: list[Path]) -> dict[Path, Path]:
    """Where each file belongs; checked to be as many places."""
    from faceset.training.pictures.folders import SUFFIX, read_face_picture

    found: dict[Path, Path] = {}
    owner: dict[str, Path] = {}
    for path in paths:
        name = read_face_picture(path).original_name
        if Path(name).name != name or not name.lower().endswith(SUFFIX) or name.startswith(".") or "\\" in name:
            raise FacesetError(f"{path}: the original name in its header, {name!r:.80}, is not the name of a PNG.")
        other = owner.setdefault(name.casefold(), path)  # some file systems take A.png and a.png for one
        if other is not path:
            raise FacesetError(
                f"{other} and {path} were both called {name} when they were extracted. Nothing was renamed: keep one "
                "of them here, or put the faces of each source into a folder of their own."
            )
        found[path] = path.with_name(name)
    return found


def _rename(moves: dict[Path, Path]) -> None:
    """Rename files, each to a place that is free or that another of them leaves."""
    wanted = set(moves.values())
    there = {path.name for path in moves}
    number = 0
    places = {}
    for path, target in moves.items():
        place = path
        if path in wanted:  # in another's way
            while (name := _TEMPORARY.format(number)) in there:  # left by a run that was cut off
                number += 1
            place = path.with_name(name)
            number += 1
            path.rename(place)
        places[place] = target
    for place, target in places.items():
        place.rename(target)
