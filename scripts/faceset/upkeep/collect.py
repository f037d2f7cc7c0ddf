"""Collect garbage: remove from a store what nothing names and nobody used for a while."""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faceset.errors import FacesetError
from faceset.roots import records_of, roots
from faceset.store import Store
from faceset.store_lock import alone
from faceset.upkeep.contents import (
    object_paths,
    people_bytes,
    read_actions,
    remove,
    size_on_disk,
)

SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Garbage:
    """What may go: by kind, paths in the order in which to remove them."""

    actions: list[Path]
    objects: list[Path]
    leftovers: list[Path]

    def __iter__(self) -> Iterator[Path]:
        return itertools.chain(self.actions, self.objects, self.leftovers)


def collect(store: Store, keep_days: float, dry_run: bool, say: Callable[[str], None]) -> None:
    """Remove everything but what a record of any working directory names, and what was used in the last days.

    Parameters
    ----------
    store
        The store; all working directories that ever ran with it and are still there count.
    keep_days
        Actions that were made or of use within so many days stay, with their objects.
    dry_run
        Only say what would go.
    say
        Told what goes and what stays.

    Raises FacesetError if a run uses the store, or if it can not be known what a working directory needs.
    """
    if keep_days < 0:
        raise FacesetError(f"--keep-days {keep_days}: expected a number of days, from 0.")
    with alone(store.root):
        folders = roots(store.root)
        garbage = find_garbage(store, folders, time.time() - keep_days * SECONDS_A_DAY)
        say(f"Kept: what the results in {len(folders)} working directories name, or was used in {keep_days:g} days.")
        for folder in folders:
            say(f"  {folder}")
        # Actions first: one whose objects are gone would be of no use, an object without one is only garbage.
        freed = sum(size_on_disk(path) if dry_run else remove(path) for path in garbage)
    what = f"{len(garbage.objects):,} objects, {len(garbage.actions):,} actions, {len(garbage.leftovers):,} leftovers"
    if dry_run:
        say(f"Would go: {what}; {people_bytes(freed)}. Nothing was changed.")
    else:
        say(f"Removed: {what}; {people_bytes(freed)} are free.")


def find_garbage(store: Store, folders: list[Path], oldest: float) -> Garbage:
    """What of a store no record in `folders` names, and was of no use since `oldest`, in seconds since the epoch.

    Raises FacesetError for a record that can not be read.
    """
    records = [record for folder in folders for record in records_of(folder)]
    wanted = {(record.stage.name, record.action.to_bytes()) for record in records}
    needed = {artifact.sha256 for record in records for artifact in record.action.outputs.values()}
    actions, damaged = read_actions(store)
    gone = list(damaged)
    for action in actions:
        if action.used >= oldest or (action.stage, action.action.to_bytes()) in wanted:
            needed |= action.digests
        else:
            gone.append(action.path)
    objects = [path for path in object_paths(store) if path.name not in needed]
    return Garbage(gone, objects, _leftovers(store, oldest))


def _leftovers(store: Store, oldest: float) -> list[Path]:
    """What crashes left behind (nobody else is here), and what was set aside long ago."""
    aside = [path for path in store.root.glob("quarantine/*") if path.stat().st_mtime < oldest]
    return sorted([*store.root.glob("tmp/*"), *store.root.glob("actions/*/.*"), *aside])
