"""What is in a store: its objects, its actions, and of which source or faceset each action is."""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faceset.errors import FacesetError
from faceset.stages.table import STAGES
from faceset.store.actions import Artifact, DamagedActionError, Instance, StoredAction
from faceset.store.objects import Store, read_action

DIGEST = re.compile("[0-9a-f]{64}")
STATE = "verified"
"""The file in a store that lists what an interrupted `verify` found right."""
Subject = tuple[str, str]
"""A source or faceset: `source` or `faceset`, and its name."""


@dataclass(frozen=True)
class ListedAction:
    """One action that proves itself. `used` is when it was last of use, in seconds since the epoch."""

    key: str
    path: Path
    stored: StoredAction
    used: float

    @property
    def stage(self) -> str:
        """The name of the stage, perhaps of one that is no more."""
        return self.stored.provenance.stage

    @property
    def outputs(self) -> Mapping[str, Artifact]:
        """What it made, by name."""
        return self.stored.action.outputs

    @property
    def digests(self) -> frozenset[str]:
        """The objects that it made."""
        return frozenset(artifact.sha256 for artifact in self.outputs.values())

    @property
    def inputs(self) -> list[tuple[Instance, str]]:
        """The objects that it was made from, each with the instance that made it."""
        return [read for entries in self.stored.provenance.inputs.values() for read in entries]

    @property
    def wildcards(self) -> tuple[str, ...]:
        """What the stage runs for: some of `faceset` and `source`."""
        stage = STAGES.get(self.stage)
        return stage.wildcards if stage else ()

    @property
    def subjects(self) -> set[Subject]:
        """The sources and facesets that it is of: those of the instances that it was made or used for."""
        return {pair for instance in self.stored.instances for pair in instance.items()}

    @property
    def named_subjects(self) -> set[Subject]:
        """The sources and facesets that it names as what it read, and those that it is of."""
        return {pair for instance, _ in self.inputs for pair in instance.items()} | self.subjects


def object_paths(store: Store) -> list[Path]:
    """Everything in the place of an object, sorted by name."""
    return sorted(_in_folders_of(store.root / "objects"), key=lambda path: path.name)


def action_paths(store: Store) -> list[Path]:
    """Everything in the place of an action, sorted by name; but for what is being written."""
    paths = (path for path in _in_folders_of(store.root / "actions") if path.name[0] != ".")
    return sorted(paths, key=lambda path: path.name)


def _in_folders_of(folder: Path) -> Iterator[Path]:
    for path in folder.glob("*"):
        if path.is_dir():
            yield from path.glob("*")
        else:
            yield path  # in the place of a folder


def read_listed_action(path: Path) -> ListedAction:
    """One action of the store.

    Raises DamagedActionError if it is damaged, FileNotFoundError if it is gone.
    """
    if not path.name.endswith(".json"):
        raise DamagedActionError("its name is no key")
    return ListedAction(path.stem, path, read_action(path), path.stat().st_mtime)


def read_actions(store: Store) -> tuple[list[ListedAction], list[Path]]:
    """All actions of the store that prove themselves, and the paths of those that are damaged."""
    found, damaged = [], []
    for path in action_paths(store):
        try:
            found.append(read_listed_action(path))
        except DamagedActionError:
            damaged.append(path)
    return found, damaged


def debris(store: Store) -> list[Path]:
    """What crashes left behind, if nobody else uses the store."""
    patterns = ("tmp/*", "actions/*/.*", "roots/.*", "cuts/*/*/.*", ".format.*", ".locks.*")
    return sorted(path for pattern in patterns for path in store.root.glob(pattern))


def size_on_disk(path: Path) -> int:
    """The bytes of a file, or of all files in a folder; 0 for what is gone."""
    try:
        return sum(entry.lstat().st_size for entry in _files(path))
    except FileNotFoundError:
        return 0


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir() and not path.is_symlink():
        for entry in path.iterdir():
            yield from _files(entry)
    else:
        yield path


def remove(path: Path) -> int:
    """Remove a file or folder. Returns how many bytes that were.

    Raises FacesetError if it cannot be removed.
    """
    size = size_on_disk(path)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FacesetError(f"{path}: cannot be removed ({error.strerror}). Fix this, then run it again.") from error
    return size


def people_bytes(size: int) -> str:
    """A size as people say it: `1.4 GB`."""
    if size < 1000:
        return f"{size} bytes"
    amount = size / 1000
    for unit in ("kB", "MB", "GB"):
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} TB"
