"""Smooth landmarks over time, for footage with one face on every frame.

The filter is faceswap's spatial-temporal one: shapes, each moved to the origin and scaled to unit size, are reduced to
their first 20 principal components; put back in size and place, they are averaged over five frames. It takes away
what jitters, and shortens what moves fast: look at the result before you use it.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from faceset.atomic import write_new_file
from faceset.console import say
from faceset.errors import FacesetError

if TYPE_CHECKING:
    from faceset.alignments.files import Alignments
    from faceset.arrays import Float64

HELP = "smooth one person's landmarks over the frames of a film"
EXAMPLE = "faceset smooth results/facesets/main/film1/alignments.fsa smooth.fsa"

COMPONENTS: Final = 20
WINDOW_FRAMES: Final = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the files to read and to write."""
    parser.add_argument("alignments", type=Path, help="a .fsa, .msgpack or .json file, one face a frame")
    parser.add_argument("output", type=Path, help="the .fsa file to write")


def run(arguments: argparse.Namespace) -> None:
    """Smooth the alignments."""
    smooth_alignments(arguments.alignments, arguments.output, say)


def smooth_alignments(alignments: Path, output: Path, say: Callable[[str], None]) -> None:
    """Write a `.fsa` with the landmarks of an alignments file smoothed over its frames, in the order of their names.

    Boxes, masks, identities and thumbs stay as they are.

    Frames without a face are passed over, as if the film went on behind them.

    Raises FacesetError for a frame that has several faces, whose landmarks are not as those of the others or all
    in one place, and for an output that is there already.
    """
    import numpy as np

    from faceset.alignments.files import fsa_bytes, read_alignments

    read = read_alignments(alignments)
    names = sorted(name for name, entry in read.frames.items() if entry["faces"])
    before = _landmarks(read, names, str(alignments))
    after = smooth(before)
    frames: dict[str, Any] = dict(read.frames)
    for name, points in zip(names, after.tolist(), strict=True):
        (face,) = frames[name]["faces"]
        frames[name] = {**frames[name], "faces": [{**face, "landmarks_xy": points}]}
    if output.suffix != ".fsa":
        raise FacesetError(f"{output}: expected a name ending in .fsa.")
    write_new_file(output, fsa_bytes({**read.data, "__data__": frames}))
    distances = np.hypot(*(after - before).reshape(-1, 2).T)
    say(
        f"{output}: {len(names):,} frames; landmarks moved by {distances.mean():.1f} px, {distances.max():.1f} at most."
    )


def smooth(landmarks: "Float64") -> "Float64":
    """Return landmarks, (N, P, 2) float64 over N frames in order, smoothed in shape and over time.

    The first and last frame count as often as the window reaches beyond them.
    """
    import numpy as np

    middle = landmarks.mean(axis=1, keepdims=True)
    centred = landmarks - middle
    size = np.sqrt((centred**2).sum(axis=(1, 2), keepdims=True))
    shapes = (centred / size).reshape(len(landmarks), -1)
    mean = shapes.mean(axis=0)
    axes = np.linalg.svd(shapes - mean, full_matrices=False)[2][:COMPONENTS]
    reduced = (mean + (shapes - mean) @ axes.T @ axes).reshape(landmarks.shape) * size + middle
    reach = WINDOW_FRAMES // 2
    padded = np.pad(reduced, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_FRAMES, axis=0)
    return np.asarray(windows.mean(axis=-1), np.float64)


def _landmarks(read: "Alignments", names: list[str], file: str) -> "Float64":
    """The landmarks of the one face of each frame, (N, P, 2)."""
    import numpy as np

    if not names:
        raise FacesetError(f"{file}: has no frames to smooth over.")
    found: list[Float64] = []
    for name in names:
        faces = read.frames[name]["faces"]
        if len(faces) != 1:
            raise FacesetError(
                f"{file}: frame '{name}' has {len(faces)} faces; smoothing needs exactly one. Keep one "
                "person, and smooth the cleaned alignments."
            )
        points = np.asarray(faces[0]["landmarks_xy"], np.float64)
        if found and len(points) != len(found[0]):
            raise FacesetError(
                f"{file}: frame '{name}' has {len(points)} landmarks, others have {len(found[0])}. Smoothing needs one "
                "kind throughout."
            )
        if not np.isfinite(points).all() or not np.ptp(points, axis=0).any():
            raise FacesetError(
                f"{file}: frame '{name}': its landmarks are not numbers, or all in one place. Correct or "
                "delete this face."
            )
        found.append(points)
    return np.array(found)
