"""Footage: videos and folders of pictures, as numbered frames.

A frame's position counts from 0 in the order of decoding (video) or of names (folder). Pictures are uint8 BGR arrays
of shape (height, width, 3), as shown: rotation is applied.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av

from faceset.arrays import Image
from faceset.errors import FacesetError
from faceset.footage.decoding import Listing, decode, decoded_frames, open_video, read_picture
from faceset.footage.files import is_video
from faceset.footage.tables import FRAMES
from faceset.progress import Progress
from faceset.tables.parquet import TableWriter, read_table


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
    with open_video(path) as container:
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
    count = 0
    with open_video(path) as container:
        for row in rows_of_video(Progress(decode(container), "frames"), digest):
            count += 1
            yield row
    if not count:
        raise FacesetError(f"{path}: no frame of this video can be decoded.")


def rows_of_video(frames: Iterable[Any], digest: str) -> Iterator[dict[str, Any]]:
    """The rows of the `frames` table for the decoded frames of a video, numbered as they come."""
    for position, frame in enumerate(frames):
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


def read_frames(path: Path, frames: Path, positions: Sequence[int]) -> Iterator[tuple[int, Image]]:
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
    listing = Listing(
        table["name"].to_pylist(),
        table["digest"].to_pylist(),
        table["pts"].to_pylist(),
        table["keyframe"].to_numpy(zero_copy_only=False),
        table["rotation"].to_numpy(),
    )
    yield from decoded_frames(path, listing, positions)
