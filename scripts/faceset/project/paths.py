"""Paths that people write, in the config and in tables."""

import os
from pathlib import Path
from typing import Final

# What the usual file systems and kernels allow, in bytes.
_LONGEST_NAME: Final = 255
_LONGEST_PATH: Final = 4095


def user_path(text: str) -> Path:
    """The path that a user's text means, `~` and `~name` being home folders.

    Raises ValueError, with a message that goes after what the text is, where it cannot be a path. Whether there is
    anything at it is not asked.
    """
    if not text.strip():
        raise ValueError("expected the path of a file or folder, from the working directory")
    try:
        encoded = text.encode()
    except UnicodeEncodeError:
        raise ValueError("this is not text that UTF-8 can hold; expected a path") from None
    if b"\0" in encoded:
        raise ValueError("a path cannot hold the character NUL; remove it")
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"there is no home folder for {Path(text).parts[0]}; write its whole path") from None
    if len(bytes(path)) > _LONGEST_PATH or any(len(os.fsencode(part)) > _LONGEST_NAME for part in path.parts):
        raise ValueError(f"too long for a path; a name can have {_LONGEST_NAME} bytes, all of it {_LONGEST_PATH}")
    return path
