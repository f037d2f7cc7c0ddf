"""The roots of a store: the working directories whose records say what in it is still wanted.

One file each, `roots/<sha256 of the path>`, with the path in it, and that of the store behind a zero byte. A root whose
folder is gone counts no more; nor does one in a copy of its store.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from faceset.atomic import write_atomically
from faceset.errors import FacesetError
from faceset.stages.settings import Where
from faceset.stages.table import STAGES, Stage
from faceset.store.objects import Action
from faceset.workflow.records import read_record


@dataclass(frozen=True)
class RootRecord:
    """One record of a working directory: what a target is now in there."""

    folder: Path
    stage: Stage
    where: Where
    action: Action

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.folder / self.stage.record.format(**self.where)


def note_root(store_root: Path) -> None:
    """Make the current folder a root of the store."""
    folder = os.fsencode(Path.cwd())
    path = store_root / "roots" / hashlib.sha256(folder).hexdigest()
    data = folder + b"\0" + os.fsencode(store_root.absolute())
    with contextlib.suppress(OSError):  # a store that can only be read may be used all the same
        if not path.exists() or path.read_bytes() != data:
            write_atomically(path, data)


def roots(store_root: Path) -> list[Path]:
    """The working directories that use the store and are still there, sorted.

    Raises FacesetError for one that can not be looked into: what it needs is not known.
    """
    found = []
    for path in sorted((store_root / "roots").glob("[0-9a-f]*")):
        data, _, used = path.read_bytes().partition(b"\0")
        if hashlib.sha256(data).hexdigest() != path.name or not used:
            raise FacesetError(f"{path}: damaged. Delete it, and run the workflow in each project of this store.")
        folder, its_store = Path(os.fsdecode(data)), Path(os.fsdecode(used))
        try:
            if folder.is_dir() and (not its_store.exists() or its_store.samefile(store_root)):
                found.append(folder)
        except OSError as error:
            raise _unreadable(folder, error) from error
    return sorted(found)


def records_of(folder: Path) -> Iterator[RootRecord]:
    """Every record in the results of a working directory, also those of sources and facesets that are no more.

    Raises FacesetError for one that is damaged, and for a folder that can not be read.
    """
    for stage in STAGES.values():
        parts = stage.record.format(**dict.fromkeys(stage.wildcards, "*")).split("/")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(stage.record))
        try:
            for path in list(_matches(folder, parts)):
                match = re.fullmatch(pattern, path.relative_to(folder).as_posix())
                if match:
                    yield RootRecord(folder, stage, match.groupdict(), read_record(str(path)))
        except OSError as error:
            raise _unreadable(folder, error) from error


def _matches(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    # Not Path.glob, which passes over what it may not read.
    first, *rest = parts
    candidates = [folder / first] if first != "*" else sorted(folder.iterdir()) if folder.is_dir() else []
    for path in candidates:
        if rest:
            yield from _matches(path, rest)
        elif path.exists():
            yield path


def _unreadable(folder: Path, error: OSError) -> FacesetError:
    return FacesetError(
        f"{folder}: uses this store, and can not be read ({error.strerror}), so what it needs is not known. "
        "Make it readable, or delete it."
    )
