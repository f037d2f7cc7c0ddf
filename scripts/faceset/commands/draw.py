"""Draw landmarks, boxes, the outline of the head crop and pose on frames, as pictures that you can look through."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from faceset.atomic import write_atomically
from faceset.console import say
from faceset.errors import FacesetError
from faceset.face_ids import frame_of_key
from faceset.footage.files import frame_name, is_video
from faceset.footage.tables import FRAMES
from faceset.progress import Progress
from faceset.project.current import add_project_options, current_project, source_named
from faceset.workflow.results import Results

if TYPE_CHECKING:
    from faceset.alignments.entries import Frame

HELP = "draw landmarks, boxes, crops and pose on frames"
EXAMPLE = "faceset draw film1 drawn --every 100"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the source, what to draw, and where to."""
    parser.add_argument("source", help="a source of sources.tsv")
    parser.add_argument("output", type=Path, help="folder for the pictures")
    parser.add_argument("--alignments", type=Path, help="what to draw; without it, what came in")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--frame", help="the one frame to draw, as in face ids")
    which.add_argument("--every", type=int, default=1, help="draw every Nth frame")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Draw the faces."""
    from faceset.alignments.files import from_msgpack, read_alignments

    project = current_project(arguments.config, arguments.prefix)
    source, results = source_named(project, arguments.source), Results(project)
    frames = results.get("frames", "frames", source=source.name).path
    if arguments.alignments:
        alignments = read_alignments(arguments.alignments)
    else:
        found = results.get("ingest", "alignments", source=source.name)
        alignments = from_msgpack(found.path.read_bytes(), str(found.shown))
    draw_faces(source.frames, frames, alignments.frames, arguments.frame, arguments.every, arguments.output, say)


def draw_faces(
    footage: Path,
    frames: Path,
    alignments: "Mapping[str, Frame]",
    frame: str | None,
    every: int,
    output: Path,
    say: Callable[[str], None],
) -> list[Path]:
    """Write frames with their faces drawn on them into the folder `output`, as `{frame's name}.png`.

    Parameters
    ----------
    footage, frames
        The video or folder, and its `frames` table.
    alignments
        The faces of each frame, by the frame's name.
    frame
        The one frame to draw, as in face ids or as the alignments call it; None for every frame whose position is a
        multiple of `every`.

    Returns the pictures written. Raises FacesetError for a frame that is not there, and if a picture exists already.
    """
    import cv2

    from faceset.alignments.drawing import draw_on_frame
    from faceset.footage.frames import read_frames
    from faceset.tables.parquet import read_table

    if every < 1:
        raise FacesetError(f"every {every}th frame cannot be drawn: expected a number from 1.")
    table = read_table(frames, FRAMES, ["position", "frame", "name"]).to_pylist()
    for row in table:
        row["name"] = row["name"] or frame_name(footage.name, row["frame"])
    wanted = {
        row["position"]: row
        for row in table
        if (row["position"] % every == 0 if frame is None else frame in (row["frame"], row["name"]))
    }
    if not wanted:
        raise FacesetError(f"{footage}: there is no frame {frame}; the first is {table[0]['frame']}.")
    if output.resolve() == footage.resolve():
        raise FacesetError(f"{output}: is the footage itself. Name another folder for the drawings.")
    targets = {position: output / f"{Path(row['name']).stem}.png" for position, row in wanted.items()}
    for target in targets.values():
        if target.exists():
            raise FacesetError(f"{target}: exists already, and is not overwritten. Name another folder.")
    entries = {frame_of_key(key, is_video(footage)): entry["faces"] for key, entry in alignments.items()}
    count = 0
    for position, picture in Progress(read_frames(footage, frames, list(wanted)), "frames drawn", len(wanted)):
        faces = entries.get(wanted[position]["frame"], [])
        count += len(faces)
        _, data = cv2.imencode(".png", draw_on_frame(picture, faces))
        try:
            write_atomically(targets[position], data.tobytes())
        except OSError as error:
            raise FacesetError(f"{targets[position]}: cannot be written ({error.strerror}).") from error
    say(f"{output}: {len(wanted):,} frames with {count:,} faces.")
    return list(targets.values())
