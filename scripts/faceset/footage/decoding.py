"""Decoding footage: pictures and the frames of videos, as uint8 BGR arrays of shape (height, width, 3), as shown."""

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from faceset.arrays import Bool, Image, Int64
from faceset.errors import FacesetError


@dataclass(frozen=True)
class Listing:
    """What was found of N frames when they were listed, each (N,).

    `names` and `digests` tell of a folder's pictures; `times` (None where a frame has none), `keyframes` and
    `rotations` (degrees, counter-clockwise) of a video's frames.
    """

    names: Sequence[str | None]
    digests: Sequence[str]
    times: Sequence[int | None]
    keyframes: Bool
    rotations: npt.NDArray[np.int16]


def decoded_frames(path: Path, listing: Listing, positions: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """The frames of a folder or video at `positions` (ascending, no repeats), decoding no more than is needed.

    Raises FacesetError for footage that no longer agrees with its listing: a picture's digest, a video frame's time.
    """
    if path.is_dir():
        for position in positions:
            picture = path / str(listing.names[position])
            data = _read_bytes(picture)
            if hashlib.sha256(data).hexdigest() != listing.digests[position]:
                raise FacesetError(f"{picture}: changed since the frames were listed. Run again.")
            yield position, _decoded(data, picture)
        return
    for position, frame in zip(positions, _video_frames(path, listing, positions), strict=True):
        yield position, _to_picture(frame, int(listing.rotations[position]))


def read_picture(path: Path) -> Image:
    """Decode a picture file, 8 bit, three channels.

    Raises FacesetError if it cannot be decoded.
    """
    return _decoded(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FacesetError(f"{path}: cannot be read ({error.strerror}).") from error


def _decoded(data: bytes, path: Path) -> Image:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise FacesetError(f"{path}: cannot be decoded as a picture. Repair it, or move it out of the folder.")
    return np.asarray(picture, np.uint8)


def open_video(path: Path) -> Any:
    """The container of a video; FacesetError if it cannot be opened, or has no pictures."""
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        if isinstance(error, MemoryError):
            raise
        raise FacesetError(f"{path}: cannot be opened as a video ({error}).") from error
    if not container.streams.video:
        raise FacesetError(f"{path}: there is no picture stream in this file.")
    # With threads, what a decoder makes of damaged frames would depend on the number of cores.
    container.streams.video[0].thread_type = "NONE"
    return container


def decode(container: Any) -> Iterator[Any]:
    """The frames of a container from where it stands, those that decode."""
    # A broken packet costs its own frames, not the rest of the film.
    stream = container.streams.video[0]
    packets = container.demux(stream)
    while True:
        # Where memory is full, frames would be missing though the film is whole.
        try:
            packet = next(packets)
        except MemoryError:
            raise
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            continue


def _video_frames(path: Path, listing: Listing, positions: Sequence[int]) -> Iterator[Any]:
    times, keyframes = listing.times, np.flatnonzero(listing.keyframes)
    found = 0
    # Seeking needs a time for each frame, each later than the one before.
    known = [time for time in times if time is not None]
    if len(known) == len(times) and all(a < b for a, b in itertools.pairwise(known)):
        for frame in _seek_frames(path, known, np.union1d([0], keyframes), positions):
            yield frame
            found += 1
    if found < len(positions):
        yield from _scan_frames(path, times, positions[found:])


def _seek_frames(path: Path, times: list[int], keyframes: Int64, positions: Sequence[int]) -> Iterator[Any]:
    """The frames at `positions`, up to the first that seeking does not lead to.

    Some containers (.ts, .mpg, .avi) have no exact index: a seek lands behind the keyframe that was asked for.
    """
    position_at = {time: position for position, time in enumerate(times)}
    with open_video(path) as container:
        at, decoded = 0, decode(container)
        for wanted in positions:
            keyframe = int(keyframes[np.searchsorted(keyframes, wanted, "right") - 1])
            if keyframe > at:
                try:
                    container.seek(times[keyframe], stream=container.streams.video[0])
                except av.FFmpegError:
                    return
                decoded = decode(container)
            frame = next((frame for frame in decoded if position_at.get(frame.pts, wanted) >= wanted), None)
            if frame is None or frame.pts != times[wanted]:
                return
            yield frame
            at = wanted + 1


def _scan_frames(path: Path, times: Sequence[int | None], positions: Sequence[int]) -> Iterator[Any]:
    """The frames at `positions`, decoding everything up to the last of them."""
    waiting = iter(positions)
    wanted = next(waiting)
    with open_video(path) as container:
        for position, frame in enumerate(decode(container)):
            if position >= len(times) or frame.pts != times[position]:
                raise FacesetError(f"{path}: frame {position + 1} is not the one that was listed. Run again.")
            if position == wanted:
                yield frame
                following = next(waiting, None)
                if following is None:
                    return
                wanted = following
    raise FacesetError(f"{path}: frame {wanted + 1} can no longer be decoded. Has the file changed? Run again.")


def _to_picture(frame: Any, rotation: int) -> Image:
    picture = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(picture, rotation // 90)) if rotation else picture
