"""Cutting faces out of footage: one pass over the frames that hold them, on several cores."""

import hashlib
import struct
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceset.arrays import Float64, Image
from faceset.footage.frames import read_frames
from faceset.parallel import in_order
from faceset.progress import Progress
from faceset.training.pixels import FacePixels, cut_face


def cut_key(frame_sha256: str, position: int | None, matrix: Float64, size_px: int) -> bytes:
    """Return the 32 bytes that tell a face's pixels from all others cut by the same code.

    Parameters
    ----------
    frame_sha256, position
        Digest of the picture file and None, or of the video and the frame's position in it.
    matrix
        (2, 3), from frame pixels to those of the crop.
    """
    digest = hashlib.sha256(bytes.fromhex(frame_sha256))
    digest.update(struct.pack("<qq", -1 if position is None else position, size_px))
    digest.update(np.ascontiguousarray(matrix, "<f8").tobytes())
    return digest.digest()


def cut_faces(
    footage: Path,
    frames: Path,
    positions: NDArray[np.int32],
    keys: list[bytes],
    matrices: Float64,
    size_px: int,
    threads: int,
) -> Iterator[tuple[bytes, FacePixels]]:
    """Yield each face's key and pixels, in order, whatever the number of threads.

    Parameters
    ----------
    footage, frames
        The video or folder, and its `frames` table.
    positions, keys, matrices
        Of N faces: (N,) the positions of their frames, ascending; their keys; (N, 2, 3) their crops.
    """
    wanted, starts = np.unique(positions, return_index=True)
    faces_of = pairwise([*starts.tolist(), len(positions)])
    pictures = Progress(read_frames(footage, frames, wanted.tolist()), "frames extracted", len(wanted))

    def of_frame(picture: Image, start: int, end: int) -> list[tuple[bytes, FacePixels]]:
        return [(keys[face], cut_face(picture, matrices[face], size_px)) for face in range(start, end)]

    tasks = (partial(of_frame, picture, *faces) for (_, picture), faces in zip(pictures, faces_of, strict=True))
    for cut in in_order(tasks, threads):
        yield from cut
