"""The roots of a store: the working directories whose records say what in it is still wanted.

One file each, `roots/<sha256 of folder and prefix>`, with the folder's path, the prefix of its results and the path of
the store in it, a zero byte between them. A root whose folder is gone counts no more; nor does one in a copy of its
store.
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
from faceset.project.project import Project
from faceset.stages.stage import Instance, Stage
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.workflow.records import read_record


@dataclass(frozen=True, order=True)
class Root:
    """A working directory, and what stands before the paths of results in it."""

    folder: Path
    prefix: str = ""

    def path(self, result: str) -> Path:
        """Where a result or log lies, of its path in a project without a prefix."""
        return self.folder / f"{self.prefix}{result}"

    def __str__(self) -> str:
        return str(self.path(""))


@dataclass(frozen=True)
class RootRecord:
    """One record of a root: what a target is now in there."""

    root: Root
    stage: Stage
    instance: Instance
    action: Action

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.root.path(self.stage.record.format(**self.instance))


def root_of(project: Project) -> Root:
    """The root that a project in the current folder is."""
    return Root(Path.cwd(), project.prefix)


def note_root(project: Project) -> None:
    """Make the project in the current folder a root of its store."""
    with contextlib.suppress(OSError):  # a store that can only be read may be used all the same
        write_root(project.store.root, root_of(project), project.store.root.absolute())


def write_root(store_root: Path, root: Root, its_store: Path) -> None:
    """Make `root` one of the store at `store_root`, which it knows as `its_store`."""
    data = b"\0".join((*_name(root), os.fsencode(its_store)))
    path = store_root / "roots" / _digest(root)
    if not path.exists() or path.read_bytes() != data:
        write_atomically(path, data)


def roots(store_root: Path) -> list[Root]:
    """The roots of the store that are still there, sorted.

    Raises FacesetError for one that cannot be looked into: what it needs is not known.
    """
    found = []
    for path in sorted((store_root / "roots").glob("[0-9a-f]*")):
        try:
            data = path.read_bytes()
        except IsADirectoryError:
            data = b""
        folder, prefix, used = [*data.split(b"\0"), b"", b""][:3]
        root, its_store = Root(Path(os.fsdecode(folder)), os.fsdecode(prefix)), Path(os.fsdecode(used))
        if _digest(root) != path.name or not used:
            raise FacesetError(f"{path}: damaged. Delete it, and run the workflow in each project of this store.")
        try:
            if root.folder.is_dir() and (not its_store.exists() or its_store.samefile(store_root)):
                found.append(root)
        except OSError as error:
            raise _unreadable(root, error) from error
    return sorted(found)


def _name(root: Root) -> tuple[bytes, bytes]:
    return os.fsencode(root.folder), os.fsencode(root.prefix)


def _digest(root: Root) -> str:
    return hashlib.sha256(b"\0".join(_name(root))).hexdigest()


def records_of(root: Root) -> Iterator[RootRecord]:
    """Every record in the results of a root, also those of sources and facesets that are no more.

    Raises FacesetError for one that is damaged, and for a folder that cannot be read.
    """
    for stage in STAGES.values():
        parts = stage.record.format(**dict.fromkeys(stage.wildcards, "*")).split("/")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(stage.record))
        try:
            for path in list(_matches(root.path(""), parts)):
                match = re.fullmatch(pattern, path.relative_to(root.path("")).as_posix())
                if match:
                    yield RootRecord(root, stage, match.groupdict(), read_record(path))
        except OSError as error:
            raise _unreadable(root, error) from error


def _matches(folder: Path, parts: Sequence[str]) -> Iterator[Path]:
    # Not Path.glob, which passes over what it may not read.
    first, *rest = parts
    candidates = [folder / first] if first != "*" else sorted(folder.iterdir()) if folder.is_dir() else []
    for path in candidates:
        if rest:
            yield from _matches(path, rest)
        elif os.path.lexists(path):
            yield path


def _unreadable(root: Root, error: OSError) -> FacesetError:
    return FacesetError(
        f"{root}: uses this store, and cannot be read ({error.strerror}), so what it needs is not known. "
        "Make it readable, or delete it."
    )
