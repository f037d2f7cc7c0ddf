"""Rebuild alignments from face pictures, whose headers hold all of them but the frames without faces."""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from faceset.atomic import write_atomically
from faceset.console import say
from faceset.errors import FacesetError
from faceset.progress import Progress
from faceset.project.sources import SAFE_NAME

if TYPE_CHECKING:
    from faceset.alignments.entries import Face
    from faceset.training.pictures.folders import FacePicture

HELP = "rebuild alignments from a folder of face pictures"
EXAMPLE = "faceset from-faces sorted rebuilt"

_VIDEO_FRAME = re.compile(r"(.*)_\d{6,}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folders to read and to write to."""
    parser.add_argument("folder", type=Path, help="face pictures with faceswap's headers")
    parser.add_argument("output", type=Path, help="folder for the alignments files")


def run(arguments: argparse.Namespace) -> None:
    """Rebuild the alignments."""
    alignments_from_faces(arguments.folder, arguments.output, say)


@dataclass
class _Footage:
    """The pictures of one piece of footage, by frame and index in it."""

    pictures: "dict[tuple[str, int], FacePicture]" = field(default_factory=dict)
    of_frame: "dict[str, FacePicture]" = field(default_factory=dict)

    def add(self, picture: "FacePicture") -> None:
        """Add a picture.

        Raises FacesetError where another one of the same frame says something that cannot be true with it.
        """
        other = self.of_frame.setdefault(picture.frame, picture)
        if other.frame_size_px != picture.frame_size_px:
            raise FacesetError(
                f"{other.path} and {picture.path} are both of a frame {picture.frame}, but of different sizes, so of "
                "different footage. Put the faces of each into a folder of its own."
            )
        same = self.pictures.setdefault((picture.frame, picture.index), picture)
        if not _is_same_face(same.face, picture.face):
            raise FacesetError(
                f"{same.path} and {picture.path} are both face {picture.index} of frame {picture.frame}, but their "
                "landmarks or boxes differ. Remove the one that is not of the alignments you want, or put the faces of "
                "each footage into a folder of its own."
            )
        for kind in ("mask", "identity"):  # one of them may have been made before there was a mask
            same.face[kind] = picture.face[kind] | same.face[kind]

    def alignments(self) -> dict[str, Any]:
        """The canonical object: frames by name, the faces of each in the order of their indices."""
        from faceset.alignments.files import VERSION

        frames: dict[str, Any] = {}
        for frame, index in sorted(self.pictures):
            entry = frames.setdefault(frame, {"faces": [], "video_meta": {}})
            entry["faces"].append(self.pictures[frame, index].face)
        return {"__meta__": {"version": VERSION}, "__data__": frames}

    def moved(self) -> int:
        """How many faces get another index, since one before them in their frame is not there."""
        places: dict[str, int] = {}
        count = 0
        for frame, index in sorted(self.pictures):
            place = places.setdefault(frame, 0)
            places[frame] += 1
            count += place != index
        return count


def alignments_from_faces(folder: Path, out_folder: Path, say: Callable[[str], None]) -> list[Path]:
    """Write alignments of the faces in `folder` and its subfolders, one `.fsa` for each footage they come from.

    Videos are told apart by the names of their frames, sources of an assembled faceset by the names of its files;
    all other pictures are taken for one folder's. The files are called as faceswap does, `alignments.fsa` or
    `{video}_alignments.fsa`, after `{source}--` where that is known. Thumbs are not in pictures and stay empty.

    Returns the files written. Raises FacesetError, having written nothing, for pictures that contradict each other,
    and for a file that is there already.
    """
    from faceset.alignments.files import fsa_bytes
    from faceset.training.pictures.folders import list_face_files, read_face_picture

    found: dict[str, _Footage] = {}
    for path in Progress(list_face_files(folder, subfolders=True), "headers read"):
        picture = read_face_picture(path)
        found.setdefault(_file_name(picture), _Footage()).add(picture)
    targets = [out_folder / name for name in sorted(found)]
    for target in targets:
        if target.exists():
            raise FacesetError(f"{target}: exists already, and is not overwritten. Name another folder.")
    for target in targets:
        footage = found[target.name]
        try:
            write_atomically(target, fsa_bytes(footage.alignments()))
        except OSError as error:
            raise FacesetError(f"{target}: cannot be written ({error.strerror}).") from error
        say(f"{target}: {len(footage.pictures):,} faces on {len(footage.of_frame):,} frames.")
        if moved := footage.moved():
            say(
                f"  {moved:,} of them have another index there than in their pictures, since faces before them are "
                "missing: extract again before you use the pictures with these alignments."
            )
    return targets


def _file_name(picture: "FacePicture") -> str:
    """The name of the alignments that a picture belongs to."""
    from faceset.training.assembly import assembled_name

    name = "alignments.fsa"
    match = _VIDEO_FRAME.fullmatch(PurePosixPath(picture.frame).stem) if picture.is_video else None
    if match:
        name = f"{match[1]}_{name}"
    source = picture.path.name.removesuffix(assembled_name("", picture.original_name))
    return assembled_name(source, name) if SAFE_NAME.fullmatch(source) and source != picture.path.name else name


def _is_same_face(first: "Face", second: "Face") -> bool:
    import numpy as np

    from faceset.alignments.files import face_landmarks

    boxes = ([face[side] for side in "xywh"] for face in (first, second))
    return next(boxes) == next(boxes) and np.array_equal(face_landmarks(first), face_landmarks(second))
