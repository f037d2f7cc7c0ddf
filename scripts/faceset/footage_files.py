"""What footage is on disk: one video file, or a folder of pictures. Nothing is decoded here."""

import hashlib
from pathlib import Path

from faceset.digests import canonical_json
from faceset.errors import FacesetError

PICTURE_SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff")
VIDEO_SUFFIXES = (
    ".avi", ".flv", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm", ".wmv", ".ts", ".vob"
)  # fmt: skip


def is_video(path: Path) -> bool:
    """Whether the footage is one video file rather than a folder of pictures.

    Raises FacesetError if it is neither.
    """
    if path.is_dir():
        return False
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return True
    raise FacesetError(
        f"{path}: neither a folder of pictures nor a video we know. Videos end in: {' '.join(VIDEO_SUFFIXES)}."
    )


def list_pictures(folder: Path) -> list[Path]:
    """The picture files of a folder, by name.

    Raises FacesetError if there are none, or two whose names differ only in the suffix (their faces would be mixed up).
    """
    paths = sorted(
        (
            path
            for path in folder.iterdir()
            if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()
        ),
        key=lambda path: path.name,
    )
    if not paths:
        raise FacesetError(f"{folder}: no pictures in it. Pictures end in: {' '.join(PICTURE_SUFFIXES)}.")
    stems: dict[str, Path] = {}
    for path in paths:
        if path.stem in stems:
            raise FacesetError(
                f"{folder}: {stems[path.stem].name} and {path.name} would be the same frame, {path.stem!r}. "
                "Rename one of them."
            )
        stems[path.stem] = path
    return paths


def footage_signature(path: Path) -> str:
    """A cheap digest that changes when the footage may have: of names, sizes and modification times."""
    files = [path] if is_video(path) else list_pictures(path)
    entries = [[file.name, (status := file.stat()).st_size, status.st_mtime_ns] for file in files]
    return hashlib.sha256(canonical_json(entries).encode()).hexdigest()
