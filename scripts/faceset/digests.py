"""SHA-256 of files; the one spelling of JSON values."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def text_digest(text: str) -> str:
    """SHA-256 of a text in UTF-8, as hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remembered_file_digest(path: Path) -> str:
    """Return `file_digest` of a file, hashed once while this process runs, and again only where its stat is another.

    Raises FileNotFoundError where there is no file.
    """
    status = path.stat()
    return _digest_at(path, status.st_size, status.st_mtime_ns, status.st_ino)


@functools.cache
def _digest_at(path: Path, size: int, mtime_ns: int, inode: int) -> str:  # noqa: ARG001 (they tell a changed file)
    return file_digest(path)
