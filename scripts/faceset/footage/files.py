"""What footage is on disk, a video or a folder of pictures. Nothing is decoded here."""

import os
from pathlib import Path, PurePath

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

    Raises FacesetError if there are none, if a name is not UTF-8 (tables hold text), or if two names differ only
    in the suffix (their faces would be mixed up).
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
        try:
            path.name.encode()
        except UnicodeEncodeError:
            raise FacesetError(f"{folder}: the file name {os.fsencode(path.name)!r} is not UTF-8. Rename it.") from None
        if path.stem in stems:
            raise FacesetError(
                f"{folder}: {stems[path.stem].name} and {path.name} would be the same frame, {path.stem!r}. "
                "Rename one of them."
            )
        stems[path.stem] = path
    return paths


def frame_name(footage: str, frame: str) -> str:
    """What faceswap calls a frame of a video whose file is called `footage`."""
    path = PurePath(footage)
    return f"{path.stem}_{frame}{path.suffix}"


def footage_files(footage: Path) -> list[Path]:
    """The files that some footage is made of, in order."""
    return [footage] if is_video(footage) else list_pictures(footage)


def default_alignments_path(footage: Path) -> Path:
    """Where faceswap puts the alignments of a folder of frames, or of a video."""
    if footage.is_dir():
        return footage / "alignments.fsa"
    return footage.with_name(f"{footage.stem}_alignments.fsa")
