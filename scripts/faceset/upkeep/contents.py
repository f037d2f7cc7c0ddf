"""What is in a store: its objects, its actions, and of which source or faceset each action is."""

import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceset.errors import FacesetError
from faceset.stages.table import STAGES
from faceset.store.objects import Action, DamagedActionError, Store, proven_action
from faceset.workflow.roots import RootRecord

DIGEST = re.compile("[0-9a-f]{64}")
Subject = tuple[str, str]
"""A source or faceset: `source` or `faceset`, and its name."""


@dataclass(frozen=True)
class StoredAction:
    """One action that proves itself. `used` is when it was last of use, in seconds since the epoch."""

    key: str
    path: Path
    action: Action
    made_from: dict[str, Any]
    used: float

    @property
    def stage(self) -> str:
        """The name of the stage, perhaps of one that is no more."""
        return str(self.made_from.get("stage"))

    @property
    def digests(self) -> frozenset[str]:
        """The objects that it made."""
        return frozenset(artifact.sha256 for artifact in self.action.outputs.values())

    @property
    def inputs(self) -> list[tuple[dict[str, str], str]]:
        """The objects that it was made from, each with the wildcards of the instance that made it."""
        return [(where, digest) for entries in self.made_from.get("inputs", {}).values() for where, digest in entries]

    @property
    def wildcards(self) -> tuple[str, ...]:
        """What the stage runs for: some of `faceset` and `source`."""
        stage = STAGES.get(self.stage)
        return stage.wildcards if stage else ()


def object_paths(store: Store) -> list[Path]:
    """Everything in the place of an object, sorted by name."""
    return sorted(store.root.glob("objects/*/*"), key=lambda path: path.name)


def action_paths(store: Store) -> list[Path]:
    """Everything in the place of an action, sorted by name; but for what is being written."""
    return sorted((path for path in store.root.glob("actions/*/*") if path.name[0] != "."), key=lambda path: path.name)


def read_stored_action(path: Path) -> StoredAction:
    """One action of the store.

    Raises DamagedActionError if it is damaged, FileNotFoundError if it is gone.
    """
    if not path.name.endswith(".json"):
        raise DamagedActionError("its name is no key")
    key = path.name.removesuffix(".json")
    action, made_from = proven_action(key, path.read_bytes())
    return StoredAction(key, path, action, made_from, path.stat().st_mtime)


def read_actions(store: Store) -> tuple[list[StoredAction], list[Path]]:
    """All actions of the store that prove themselves, and the paths of those that are damaged."""
    found, damaged = [], []
    for path in action_paths(store):
        try:
            found.append(read_stored_action(path))
        except DamagedActionError:
            damaged.append(path)
    return found, damaged


def subjects(actions: Iterable[StoredAction], records: Iterable[RootRecord]) -> dict[str, set[Subject]]:
    """By key, the sources and facesets that each action is of, among those that its stage runs for.

    An action says that only of what it reads (footage has no name in it), so what reads it is asked too, and records.
    A stage that runs for all sources or facesets is of none.
    """
    known = list(actions)
    read_as: dict[str, set[Subject]] = {}
    for action in known:
        for where, digest in action.inputs:
            read_as.setdefault(digest, set()).update(where.items())
    recorded: dict[tuple[str, frozenset[str]], set[Subject]] = {}
    for record in records:
        digests = frozenset(artifact.sha256 for artifact in record.action.outputs.values())
        recorded.setdefault((record.stage.name, digests), set()).update(record.where.items())
    found = {}
    for action in known:
        wanted = action.wildcards
        own = {pair for pair in _own_subjects(action) if pair[0] in wanted}
        if {kind for kind, _ in own} != set(wanted):
            # By all its outputs together: a table without rows may be an output of many.
            names = [read_as.get(digest, set()) for digest in action.digests if digest in read_as]
            own |= {pair for pair in set.intersection(*names) if pair[0] in wanted} if names else set()
            own |= {pair for pair in recorded.get((action.stage, action.digests), ()) if pair[0] in wanted}
        found[action.key] = own
    return found


def named_subjects(action: StoredAction) -> set[Subject]:
    """The sources and facesets that an action names as what it read."""
    return {pair for where, _ in action.inputs for pair in where.items()} | _parameters(action)


def _own_subjects(action: StoredAction) -> set[Subject]:
    return named_subjects(action) if action.wildcards else set()


def _parameters(action: StoredAction) -> set[Subject]:
    source = action.made_from.get("params", {}).get("source")
    return {("source", source)} if isinstance(source, str) else set()


def debris(store: Store) -> list[Path]:
    """What crashes left behind, if nobody else uses the store."""
    patterns = ("tmp/*", "actions/*/.*", "roots/.*", "cuts/*/*/.*")
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

    Raises FacesetError if it can not be removed.
    """
    size = size_on_disk(path)
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise FacesetError(f"{path}: can not be removed ({error.strerror}). Mend that, and run this again.") from error
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
