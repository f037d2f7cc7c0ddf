"""Write alignments as the plain JSON that faceswap exports for other programs: boxes and landmarks."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceset.atomic import write_new_file
from faceset.console import say
from faceset.errors import FacesetError

if TYPE_CHECKING:
    from faceset.alignments.entries import Face

HELP = "write alignments as faceswap's exported JSON"
EXAMPLE = "faceset export results/facesets/main/film1/alignments.fsa film1.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the files to read and to write."""
    parser.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file")
    parser.add_argument("output", type=Path, help="the .json file to write")


def run(arguments: argparse.Namespace) -> None:
    """Export the alignments."""
    export_json(arguments.alignments, arguments.output, say)


def export_json(alignments: Path, output: Path, say: Callable[[str], None]) -> None:
    """Write boxes and landmarks of an alignments file, frames without faces included, as

        {frame name: [{"detected": [left, top, right, bottom], "landmarks_2d": [[x, y], ...]}, ...], ...}

    in whole pixels and pixels of the frame, in the file's order. `read_alignments` reads it again.

    Raises FacesetError for what is no alignments file, a face whose landmarks JSON cannot hold, and an output that
    is there already.
    """
    import numpy as np

    from faceset.alignments.files import face_landmarks, read_alignments

    frames = read_alignments(alignments).frames
    for frame, entry in frames.items():
        for index, face in enumerate(entry["faces"]):
            if not np.isfinite(face_landmarks(face)).all():
                raise FacesetError(
                    f"{alignments}: frame '{frame}', face {index}: has landmarks that are not numbers, which JSON can "
                    "not hold. Delete this face, and export again."
                )
    value = {frame: [_exported(face) for face in entry["faces"]] for frame, entry in frames.items()}
    write_new_file(output, (json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n").encode())
    say(f"{output}: {sum(map(len, value.values())):,} faces on {len(value):,} frames.")


def _exported(face: "Face") -> dict[str, Any]:
    left, top = face["x"], face["y"]
    landmarks = [[float(x), float(y)] for x, y in face["landmarks_xy"]]
    return {"detected": [left, top, left + face["w"], top + face["h"]], "landmarks_2d": landmarks}
