"""Writing files so that no reader, and no crash, ever meets half of one."""

import os
import tempfile
from pathlib import Path

from faceset.errors import FacesetError


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part, even after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), 0o666 & ~_umask())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_new_file(path: Path, data: bytes) -> None:
    """Write a result that the user named, unless something of that name is there: nothing is ever overwritten.

    Raises FacesetError if there is, or if the file cannot be written.
    """
    if path.exists():
        raise FacesetError(f"{path}: exists already, and is not overwritten. Name another file.")
    try:
        write_atomically(path, data)
    except OSError as error:
        raise FacesetError(f"{path}: cannot be written ({error.strerror}).") from error


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
