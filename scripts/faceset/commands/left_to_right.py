"""Put the faces of each frame in order, from left to right, by the left edge of their boxes."""

import argparse
from collections.abc import Callable
from pathlib import Path

from faceset.atomic import write_new_file
from faceset.console import say

HELP = "put the faces of each frame in order, from left to right"
EXAMPLE = "faceset left-to-right results/facesets/main/film1/alignments.fsa ordered.fsa"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the files to read and to write."""
    parser.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file")
    parser.add_argument("output", type=Path, help="the .fsa file to write")


def run(arguments: argparse.Namespace) -> None:
    """Put the faces in order."""
    order_faces(arguments.alignments, arguments.output, say)


def order_faces(alignments: Path, output: Path, say: Callable[[str], None]) -> None:
    """Write a `.fsa` in which the faces of each frame stand from left to right, by the left edge of their boxes.

    Face pictures extracted before name other faces by their index then: extract again.

    Raises FacesetError for what is no alignments file, and for an output that is there already.
    """
    from faceset.alignments.files import fsa_bytes, read_alignments

    read = read_alignments(alignments)
    frames, moved = {}, 0
    for name, entry in read.frames.items():
        faces = sorted(entry["faces"], key=lambda face: face["x"])  # stable: of two at one place, the first stays first
        moved += any(before is not after for before, after in zip(entry["faces"], faces, strict=True))
        frames[name] = {**entry, "faces": faces}
    write_new_file(output, fsa_bytes({**read.data, "__data__": frames}))
    say(f"{output}: {len(frames):,} frames; the faces of {moved:,} were in another order.")
