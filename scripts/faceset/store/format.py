"""The format of a store: a number in its file `format`, so that no code works on a store that it does not know.

Format 1, of Faceset 0.1, had no such file, a file `lock` and a folder `locks`. Since format 2 these two are a folder
and a file: code of 0.1, which asks for no number, then ends with one line before it makes or removes anything.
"""

from pathlib import Path
from typing import Final, Literal

from faceset.atomic import write_atomically
from faceset.errors import FacesetError

FORMAT: Final = 2
FORMAT_FILE: Final = "format"
HELD: Final = "lock"  # a folder; of format 1 a file
BARRED: Final = "locks"  # a file; of format 1 a folder
_WORD: Final = b"This store has a newer format. Use Faceset 0.2 or later.\n"

State = Literal["none", "old", "current"]


def state_of(root: Path) -> State:
    """Whether there is a store at `root` yet, and of which format.

    Raises FacesetError for a newer format than this code knows, and for a format that cannot be read.
    """
    path = root / FORMAT_FILE
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return "old" if any((root / name).exists() for name in ("actions", "objects")) else "none"
    except (OSError, UnicodeDecodeError) as error:
        raise FacesetError(f"{path}: cannot be read ({error}), so the store's format is not known.") from error
    if not text.isdecimal() or len(text) > 9:
        raise FacesetError(f"{path}: expected the number of a format, found {text[:40]!r}.")
    if int(text) > FORMAT:
        raise FacesetError(
            f"{root}: a store of format {text}, and this Faceset knows formats up to {FORMAT}. Take a newer Faceset, "
            "or name another folder as `store` in the config."
        )
    return "current" if int(text) == FORMAT else "old"


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
