"""Footage: videos and folders of pictures, as numbered frames.

A frame's position counts from 0 in the order of decoding (video) or of names (folder). Pictures are uint8 BGR arrays
of shape (height, width, 3), as shown: rotation is applied.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from faceset.errors import FacesetError
from faceset.footage.files import is_video
from faceset.footage.tables import FRAMES
from faceset.progress import Progress
from faceset.tables.parquet import TableWriter, read_table

Picture = npt.NDArray[np.uint8]


def list_frames(path: Path, digests: Mapping[Path, str], output: Path) -> None:
    """Write the `frames` table of a video or folder, having decoded every frame once.

    `digests` holds the SHA-256 of each of its files. Raises FacesetError for footage with nothing that decodes.
    """
    with TableWriter(output, FRAMES, _video_metadata(path) if is_video(path) else None) as table:
        rows = _video_rows(path, digests[path]) if is_video(path) else _folder_rows(digests)
        for row in rows:
            table.add(**{name: [value] for name, value in row.items()})


def _folder_rows(digests: Mapping[Path, str]) -> Iterator[dict[str, Any]]:
    for position, (path, digest) in enumerate(Progress(digests.items(), "frames", len(digests))):
        height, width = read_picture(path).shape[:2]
        yield {
            "position": position,
            "frame": path.stem,
            "name": path.name,
            "digest": digest,
            "pts": None,
            "keyframe": True,
            "width": width,
            "height": height,
            "rotation": 0,
        }


def _video_metadata(path: Path) -> dict[str, str]:
    with _open_video(path) as container:
        stream = container.streams.video[0]
        return {
            "time_base": str(stream.time_base),
            "average_rate": str(stream.average_rate or 0),
            "declared_frames": str(_declared_frames(container)),
        }


def _declared_frames(container: Any) -> int:
    """How many frames the file says it has, else what its duration amounts to, else 0."""
    stream = container.streams.video[0]
    if stream.frames or not container.duration or not stream.average_rate:
        return int(stream.frames)
    return int(container.duration / av.time_base * stream.average_rate)


def _video_rows(path: Path, digest: str) -> Iterator[dict[str, Any]]:
    with _open_video(path) as container:
        position = -1
        for position, frame in enumerate(Progress(_decode(container), "frames")):
            turned = frame.rotation % 180 != 0
            yield {
                "position": position,
                "frame": f"{position + 1:06d}",
                "name": None,
                "digest": digest,
                "pts": frame.pts,
                "keyframe": bool(frame.key_frame),
                "width": frame.height if turned else frame.width,
                "height": frame.width if turned else frame.height,
                "rotation": frame.rotation % 360,
            }
        if position < 0:
            raise FacesetError(f"{path}: no frame of this video can be decoded.")


def _open_video(path: Path) -> Any:
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise FacesetError(f"{path}: can not be opened as a video ({error}).") from error
    if not container.streams.video:
        raise FacesetError(f"{path}: there is no picture stream in this file.")
    # With threads, what a decoder makes of damaged frames would depend on the number of cores.
    container.streams.video[0].thread_type = "NONE"
    return container


def _decode(container: Any) -> Iterator[Any]:
    # A broken packet costs its own frames, not the rest of the film.
    stream = container.streams.video[0]
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def read_picture(path: Path) -> Picture:
    """Decode a picture file, 8 bit, three channels.

    Raises FacesetError if it can not be decoded.
    """
    return _decoded(_read_bytes(path), path)


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FacesetError(f"{path}: can not be read ({error.strerror}).") from error


def _decoded(data: bytes, path: Path) -> Picture:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise FacesetError(f"{path}: can not be decoded as a picture. Mend it, or move it out of the folder.")
    return np.asarray(picture, np.uint8)


def read_frames(path: Path, frames: Path, positions: Sequence[int]) -> Iterator[tuple[int, Picture]]:
    """The frames at `positions` (ascending, no repeats), decoding no more than is needed for them.

    Parameters
    ----------
    path
        The footage.
    frames
        Its `frames` table. Footage that no longer agrees with it (a picture's digest, a video frame's time) raises
        FacesetError.
    """
    if not positions:
        return
    table = read_table(frames, FRAMES, ["name", "digest", "pts", "keyframe", "rotation"])
    if is_video(path):
        rotations = table["rotation"].to_numpy()
        for position, frame in zip(positions, _video_frames(path, table, positions), strict=True):
            yield position, _to_picture(frame, int(rotations[position]))
        return
    for position in positions:
        picture = path / table["name"][position].as_py()
        data = _read_bytes(picture)
        if hashlib.sha256(data).hexdigest() != table["digest"][position].as_py():
            raise FacesetError(f"{picture}: changed since the frames were listed. Run again.")
        yield position, _decoded(data, picture)


def _video_frames(path: Path, table: Any, positions: Sequence[int]) -> Iterator[Any]:
    times = table["pts"].to_pylist()
    keyframes = np.flatnonzero(table["keyframe"].to_numpy(zero_copy_only=False))
    found = 0
    # Seeking needs a time for each frame, each later than the one before.
    if None not in times and all(a < b for a, b in itertools.pairwise(times)):
        for frame in _seek_frames(path, times, np.union1d([0], keyframes), positions):
            yield frame
            found += 1
    if found < len(positions):
        yield from _scan_frames(path, times, positions[found:])


def _seek_frames(
    path: Path, times: list[int], keyframes: npt.NDArray[np.int64], positions: Sequence[int]
) -> Iterator[Any]:
    """The frames at `positions`, up to the first that seeking does not lead to.

    Some containers (.ts, .mpg, .avi) have no exact index: a seek lands behind the keyframe that was asked for.
    """
    position_at = {time: position for position, time in enumerate(times)}
    with _open_video(path) as container:
        at, decoded = 0, _decode(container)
        for wanted in positions:
            keyframe = int(keyframes[np.searchsorted(keyframes, wanted, "right") - 1])
            if keyframe > at:
                try:
                    container.seek(times[keyframe], stream=container.streams.video[0])
                except av.FFmpegError:
                    return
                decoded = _decode(container)
            frame = next((frame for frame in decoded if position_at.get(frame.pts, wanted) >= wanted), None)
            if frame is None or frame.pts != times[wanted]:
                return
            yield frame
            at = wanted + 1


def _scan_frames(path: Path, times: list[int | None], positions: Sequence[int]) -> Iterator[Any]:
    """The frames at `positions`, decoding everything up to the last of them."""
    waiting = iter(positions)
    wanted = next(waiting)
    with _open_video(path) as container:
        for position, frame in enumerate(_decode(container)):
            if position >= len(times) or frame.pts != times[position]:
                raise FacesetError(f"{path}: frame {position + 1} is not the one that was listed. Run again.")
            if position == wanted:
                yield frame
                following = next(waiting, None)
                if following is None:
                    return
                wanted = following
    raise FacesetError(f"{path}: frame {wanted + 1} can no longer be decoded. Has the file changed? Run again.")


def _to_picture(frame: Any, rotation: int) -> Picture:
    picture = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(picture, rotation // 90)) if rotation else picture
