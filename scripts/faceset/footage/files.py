"""What footage is on disk, a video or a folder of pictures, and by what it is known. Nothing is decoded here."""

import hashlib
import json
from pathlib import Path, PurePath
from typing import NamedTuple

from faceset.atomic import write_atomically
from faceset.digests import canonical_json, file_digest
from faceset.errors import FacesetError
from faceset.progress import Progress

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
    entries = [[file.name, (status := file.stat()).st_size, status.st_mtime_ns] for file in _files(path)]
    return hashlib.sha256(canonical_json(entries).encode()).hexdigest()


def frame_name(footage: str, frame: str) -> str:
    """What faceswap calls a frame of a video whose file is called `footage`."""
    path = PurePath(footage)
    return f"{path.stem}_{frame}{path.suffix}"


class _State(NamedTuple):
    """By what a file is trusted to be the one that was hashed."""

    inode: int
    size: int
    mtime_ns: int


def _files(footage: Path) -> list[Path]:
    return [footage] if is_video(footage) else list_pictures(footage)


def _state(file: Path) -> _State:
    status = file.stat()
    return _State(status.st_ino, status.st_size, status.st_mtime_ns)


class FootageDigests:
    """The SHA-256 of each file of some footage, remembered in `folder` while its size, time and inode stand.

    What is remembered goes by inodes, so footage may be moved or renamed on its disk.
    """

    def __init__(self, folder: Path, footage: Path) -> None:
        self._footage = footage
        self._memory = folder / f"{footage.stat().st_ino}.json"

    def known(self) -> dict[Path, str] | None:
        """The digest of each file, in order; None if there is a file that was not hashed as it is now."""
        remembered = self._remembered()
        found = {file: remembered.get(_state(file)) for file in _files(self._footage)}
        return None if None in found.values() else {file: digest for file, digest in found.items() if digest}

    def learn(self, paranoid: bool = False) -> dict[Path, str]:
        """The same, having hashed what was not known, or all if `paranoid`."""
        remembered = {} if paranoid else self._remembered()
        files = _files(self._footage)
        states = [_state(file) for file in files]
        new = [(file, state) for file, state in zip(files, states, strict=True) if state not in remembered]
        for file, state in Progress(new, "files of footage hashed"):
            remembered[state] = file_digest(file)
        if new:
            rows = [[*state, remembered[state]] for state in states]
            write_atomically(self._memory, (canonical_json(rows) + "\n").encode())
        return {file: remembered[state] for file, state in zip(files, states, strict=True)}

    def _remembered(self) -> dict[_State, str]:
        try:
            return {
                _State(inode, size, time): digest for inode, size, time, digest in json.loads(self._memory.read_bytes())
            }
        except (FileNotFoundError, ValueError, TypeError):
            return {}


def content_digest(digests: dict[Path, str], video: bool) -> str:
    """What footage of these files is known by: a video by its bytes, pictures by theirs and their names."""
    entries = [[None if video else file.name, digest] for file, digest in digests.items()]
    return hashlib.sha256(canonical_json(entries).encode()).hexdigest()
