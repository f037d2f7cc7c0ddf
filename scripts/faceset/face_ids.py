"""Face ids: `{source}/{frame}_{index}`, the name of a face in every table and keep-list."""

import re
from pathlib import PurePosixPath

_VIDEO_FRAME = re.compile(r".*_(\d{6,})")


def frame_of_key(key: str, is_video: bool) -> str:
    """The frame that a key of an alignments file means: a folder's file stem, or a video's 6-digit number.

    A video's key that has no such number stands for itself (and matches no frame).
    """
    stem = PurePosixPath(key).stem
    match = _VIDEO_FRAME.fullmatch(stem) if is_video else None
    return match[1] if match else stem


def face_id(source: str, frame: str, index: int) -> str:
    """The id of the face at `index` (from 0, as the alignments came in) of a frame."""
    return f"{source}/{frame}_{index}"


def split_face_id(face: str) -> tuple[str, str, int]:
    """Source, frame and index of a face id.

    Raises ValueError if it is none.
    """
    source, slash, rest = face.partition("/")
    frame, underscore, index = rest.rpartition("_")
    if not (source and slash and frame and underscore and index.isdecimal()):
        raise ValueError(f"{face!r} is no face id; expected {{source}}/{{frame}}_{{index}}, as film1/000123_0")
    return source, frame, int(index)
