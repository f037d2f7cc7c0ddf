"""Footage: videos and folders of pictures, as numbered frames.

A frame's position counts from 0 in the order of decoding (video) or of names (folder). Pictures are uint8 BGR arrays
of shape (height, width, 3), as shown: rotation is applied.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.footage_files import is_video, list_pictures
from faceset.progress import Progress
from faceset.schemas import FRAMES
from faceset.tables import TableWriter, read_table

Picture = npt.NDArray[np.uint8]


def list_frames(path: Path, output: Path) -> None:
    """Write the `frames` table of a video or folder, having decoded every frame once.

    Raises FacesetError for footage with nothing that decodes.
    """
    with TableWriter(output, FRAMES, _video_metadata(path) if is_video(path) else None) as table:
        rows = _video_rows(path) if is_video(path) else _folder_rows(path)
        for row in rows:
            table.add(**{name: [value] for name, value in row.items()})


def _folder_rows(folder: Path) -> Iterator[dict[str, Any]]:
    paths = list_pictures(folder)
    for position, path in enumerate(Progress(paths, "frames")):
        height, width = read_picture(path).shape[:2]
        yield {
            "position": position,
            "frame": path.stem,
            "name": path.name,
            "digest": file_digest(path),
            "pts": None,
            "keyframe": True,
            "width": width,
            "height": height,
            "rotation": 0,
        }


def _video_metadata(path: Path) -> dict[str, str]:
    with _open_video(path) as container:
        stream = container.streams.video[0]
        return {"time_base": str(stream.time_base), "average_rate": str(stream.average_rate)}


def _video_rows(path: Path) -> Iterator[dict[str, Any]]:
    digest = file_digest(path)
    with _open_video(path) as container:
        position = -1
        for position, frame in enumerate(Progress(_decode(container), "frames")):
            turned = frame.rotation % 180 != 0
            yield {
                "position": position,
                "frame": f"{position + 1:06d}",
                "name": f"{path.stem}_{position + 1:06d}{path.suffix}",
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
    container.streams.video[0].thread_type = "AUTO"
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
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise FacesetError(f"{path}: can not be read ({error.strerror}).") from error
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
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
        Its `frames` table. Footage that no longer agrees with it raises FacesetError.
    """
    table = read_table(frames, FRAMES, ["name", "pts", "keyframe", "rotation"])
    if is_video(path):
        yield from _read_video(path, table, positions)
        return
    names = table["name"]
    for position in positions:
        yield position, read_picture(path / names[position].as_py())


def _read_video(path: Path, table: Any, positions: Iterable[int]) -> Iterator[tuple[int, Picture]]:
    pts = table["pts"].to_pylist()
    keyframes = np.flatnonzero(table["keyframe"].to_numpy(zero_copy_only=False))
    rotations = table["rotation"].to_numpy()
    # Seeking needs a time for each frame, each later than the one before.
    can_seek = None not in pts and all(a < b for a, b in zip(pts, pts[1:], strict=False))
    with _open_video(path) as container:
        stream = container.streams.video[0]
        at, decoded = 0, _decode(container)
        for wanted in positions:
            before = keyframes[np.searchsorted(keyframes, wanted, "right") - 1] if len(keyframes) else 0
            if can_seek and before > at:
                container.seek(pts[before], stream=stream, backward=True, any_frame=False)
                decoded = _decode(container)
                at = -1
            while True:
                frame = next(decoded, None)
                if frame is None:
                    raise FacesetError(f"{path}: frame {wanted + 1} can no longer be decoded. Has the file changed?")
                here = at if at >= 0 else _position_of(frame.pts, pts, path)
                at = here + 1
                if here == wanted:
                    break
                if here > wanted:
                    raise FacesetError(
                        f"{path}: seeking went past frame {wanted + 1}. Re-wrap the video and try again."
                    )
            yield wanted, _to_picture(frame, int(rotations[wanted]))


def _position_of(pts: int, all_pts: list[int], path: Path) -> int:
    index = int(np.searchsorted(all_pts, pts))
    if index >= len(all_pts) or all_pts[index] != pts:
        raise FacesetError(f"{path}: a frame at time {pts} was not there before. Has the file changed?")
    return index


def _to_picture(frame: Any, rotation: int) -> Picture:
    picture = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(picture, rotation // 90)) if rotation else picture
