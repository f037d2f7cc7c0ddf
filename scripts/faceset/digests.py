"""SHA-256 of files, folders and JSON values."""

import hashlib
import json
from pathlib import Path
from typing import Any


def canonical_json(value: Any) -> str:
    """The one spelling of a JSON value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def path_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, or of a flat folder's sorted manifest (`digest  name` lines)."""
    if not path.is_dir():
        return file_digest(path)
    lines = [f"{file_digest(entry)}  {entry.name}\n" for entry in sorted(path.iterdir())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
