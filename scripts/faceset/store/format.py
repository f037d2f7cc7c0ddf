"""The format of a store: a number in its file `format`, so that no code works on a store that it does not know.

Format 1, of Faceset 0.1, had no such file, a file `lock` and a folder `locks`. Since format 2 these two are a folder
and a file: code of 0.1, which asks for no number, then ends with one line before it makes or removes anything.
"""

import re
from pathlib import Path
from typing import Final, Literal

from faceset.atomic import write_atomically
from faceset.errors import FacesetError

FORMAT: Final = 2
FORMAT_FILE: Final = "format"
HELD: Final = "lock"  # a folder; of format 1 a file
BARRED: Final = "locks"  # a file; of format 1 a folder
_WORD: Final = b"This store has a newer format. Use Faceset 0.2 or later.\n"

# What a store of format 1 holds.
_NAMES_OF_1: Final = {
    *("actions", "cuts", "footage", "lock", "locks", "objects", "quarantine", "roots", "tmp", "verified"),
}

_TEMPORARY: Final = re.compile(r"tmp\w+")  # as tempfile names what is in `tmp`

State = Literal["none", "old", "current"]


def state_of(root: Path) -> State:
    """Whether there is a store at `root` yet, and of which format.

    Raises FacesetError for a newer format than this code knows, for a format that cannot be read, and for a folder that
    holds other things than a store: what is in there is not ours to look after.
    """
    path = root / FORMAT_FILE
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return _state_without_number(root)
    except (OSError, UnicodeDecodeError) as error:
        raise FacesetError(f"{path}: cannot be read ({error}), so the store's format is not known.") from error
    if not text.isdecimal() or len(text) > 9:
        raise FacesetError(f"{path}: expected the number of a format, found {text[:40]!r}.")
    if int(text) > FORMAT:
        raise FacesetError(
            f"{root}: a store of format {text}, and this Faceset knows formats up to {FORMAT}. Take a newer Faceset, "
            "or name another folder as `store` in the config."
        )
    if int(text) < FORMAT:
        raise FacesetError(
            f"{path}: expected the number {FORMAT}, found {text}, which was never written there. "
            f"If Faceset 0.2 or later made this store, write {FORMAT} into that file."
        )
    return "current"


def _state_without_number(root: Path) -> State:
    try:
        found = {path.name for path in root.iterdir() if path.name[0] != "."} - {"lost+found"}
    except FileNotFoundError:
        return "none"
    except OSError as error:
        raise FacesetError(f"{root}: cannot be read ({error.strerror}). Set `store` in the config.") from error
    strangers = found - _NAMES_OF_1 or {path.name for path in root.glob("tmp/*") if not _TEMPORARY.fullmatch(path.name)}
    if strangers:
        raise FacesetError(
            f"{root}: holds {min(strangers)!r}, so it is no store. Name a folder of its own as `store` in the config."
        )
    is_of_1 = found & {"actions", "objects"} or (root / HELD).is_file() or (root / BARRED).is_dir()
    return "old" if is_of_1 else "none"


def check_format(root: Path) -> None:
    """Begin a store at `root`, if there is none.

    Raises FacesetError for a store of another format, OSError if it cannot be written.
    """
    state = state_of(root)
    if state == "old":
        raise FacesetError(
            f"{root}: a store of an older format. Run the workflow once: it brings the store up to date first."
        )
    if state == "none":
        root.mkdir(parents=True, exist_ok=True)
        bar_older_code(root)
        write_format(root)


def bar_older_code(root: Path) -> None:
    """Put what code of format 1 stumbles over in the place of its locks."""
    (root / HELD).mkdir(exist_ok=True)
    if not (root / BARRED).exists():
        write_atomically(root / BARRED, _WORD)


def write_format(root: Path) -> None:
    """Say that the store is of today's format."""
    write_atomically(root / FORMAT_FILE, f"{FORMAT}\n".encode())
