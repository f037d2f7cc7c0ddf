"""Collect garbage: remove from a store what no result names and nobody used for a while.

The results of every working directory that ever ran with the store count, as long as it is there.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faceset.console import say
from faceset.errors import FacesetError
from faceset.project.current import add_config, current_store
from faceset.store.locks import alone
from faceset.store.objects import Store
from faceset.upkeep.contents import (
    debris,
    object_paths,
    people_bytes,
    read_actions,
    remove,
    size_on_disk,
)
from faceset.upkeep.packs import cuts_in, named_cuts, pack_paths, rewrite
from faceset.workflow.roots import Root, records_of, roots

HELP = "remove what no result names and nobody used for a while"
EXAMPLE = "faceset store gc --keep-days 30 --dry-run"

SECONDS_A_DAY = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what counts as a while."""
    parser.add_argument("--keep-days", type=float, required=True, help="keep what was used within so many days")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_config(parser)


def run(arguments: argparse.Namespace) -> None:
    """Collect the garbage."""
    collect(current_store(arguments.config), arguments.keep_days, arguments.dry_run, say)


@dataclass(frozen=True)
class Garbage:
    """What may go: by kind, paths in the order in which to remove them; and the cut faces that may, by their pack."""

    actions: list[Path]
    objects: list[Path]
    leftovers: list[Path]
    cuts: dict[Path, set[bytes]]

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

    Raises FacesetError if a run uses the store, or if it cannot be known what a working directory needs.
    """
    if keep_days < 0:
        raise FacesetError(f"--keep-days {keep_days}: expected a number of days, from 0.")
    with alone(store.root):
        found = roots(store.root)
        garbage = find_garbage(store, found, time.time() - keep_days * SECONDS_A_DAY)
        say(f"Kept: what the results in {len(found)} working directories name, or was used in {keep_days:g} days.")
        for root in found:
            say(f"  {root}")
        # Actions first: one whose objects are gone would be of no use, an object without one is only garbage.
        freed = sum(size_on_disk(path) if dry_run else remove(path) for path in garbage)
        if not dry_run:
            freed += sum(rewrite(pack, cuts_in(pack) - cuts) for pack, cuts in garbage.cuts.items())
    cuts = sum(map(len, garbage.cuts.values()))
    what = f"{len(garbage.objects):,} objects, {cuts:,} cut faces, {len(garbage.actions):,} actions"
    if dry_run:
        say(f"Would go: {what}; {people_bytes(freed)} without the faces. Nothing was changed.")
    else:
        say(f"Removed: {what}; {people_bytes(freed)} are free.")


def find_garbage(store: Store, found: list[Root], oldest: float) -> Garbage:
    """What of a store no record of the roots `found` names, and was of no use since `oldest`, seconds since the epoch.

    Raises FacesetError for a record that cannot be read.
    """
    records = [record for root in found for record in records_of(root)]
    wanted = {(record.stage.name, record.action.to_bytes()) for record in records}
    needed = {artifact.sha256 for record in records for artifact in record.action.outputs.values()}
    actions, damaged = read_actions(store)
    gone, kept = list(damaged), []
    for action in actions:
        if action.used >= oldest or (action.stage, action.stored.action.to_bytes()) in wanted:
            needed |= action.digests
            kept.append(action)
        else:
            gone.append(action.path)
    objects = [path for path in object_paths(store) if path.name not in needed]
    return Garbage(gone, objects, _leftovers(store, oldest), _unnamed_cuts(store, named_cuts(store, kept), oldest))


def _unnamed_cuts(store: Store, named: set[bytes], oldest: float) -> dict[Path, set[bytes]]:
    """Cut faces that no table of extracted faces names, in packs that are old enough."""
    found = {}
    for pack in pack_paths(store):
        if pack.stat().st_mtime < oldest:
            try:
                unnamed = cuts_in(pack) - named
            except FacesetError as error:
                raise FacesetError(f"{pack}: damaged. Run `faceset store verify`, then this again.") from error
            if unnamed:
                found[pack] = unnamed
    return found


def _leftovers(store: Store, oldest: float) -> list[Path]:
    """What crashes left behind (nobody else is here), and what was set aside long ago."""
    aside = [path for path in store.root.glob("quarantine/*") if path.stat().st_mtime < oldest]
    return sorted([*debris(store), *aside])
