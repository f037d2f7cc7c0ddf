"""Read every object and action of a store, and set aside what is no longer what it is named by.

Exit code 1 says that something was damaged; the next run recomputes it. Interrupted, it goes on where it was.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from faceset.console import say
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.progress import Progress
from faceset.project.current import add_config, current_store
from faceset.store.actions import DamagedActionError
from faceset.store.locks import shared
from faceset.store.objects import Store
from faceset.upkeep.contents import (
    DIGEST,
    STATE,
    ListedAction,
    action_paths,
    object_paths,
    read_listed_action,
    remove,
)
from faceset.upkeep.packs import cuts_in, is_whole, named_cuts, pack_paths

HELP = "read everything, and set aside what is damaged"
EXAMPLE = "faceset store verify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where the settings are, which name the store."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> None:
    """Verify the store; exit code 1 if anything is damaged."""
    if not verify(current_store(arguments.config), say):
        sys.exit(1)


def verify(store: Store, say: Callable[[str], None]) -> bool:
    """Check all of a store; returns whether it was whole. What is bad is taken out, so that the next run heals it.

    An interrupted pass is gone on with: until a pass is through, a file in the store lists the objects that it found
    right. Runs may go on meanwhile.

    Raises FacesetError for what cannot be read or set aside.
    """
    with shared(store.root):
        bad_objects = _verify_files(store, object_paths(store), "objects", _is_right, say)
        bad_objects += _verify_files(store, pack_paths(store), "packs of cut faces", is_whole, say)
        bad_actions = _verify_actions(store, say)
        (store.root / STATE).unlink(missing_ok=True)
    if bad_objects or bad_actions:
        say(
            f"{bad_objects} objects were damaged and set aside in {store.root / 'quarantine'}; {bad_actions} actions "
            "were damaged or named such objects and were removed. Run the workflow again: what it needs is recomputed."
        )
        return False
    say("All is as it was written.")
    return True


def _verify_files(
    store: Store, paths: list[Path], what: str, is_right: Callable[[Path], bool], say: Callable[[str], None]
) -> int:
    before = _verified_before(store)
    waiting = [path for path in paths if path.stem not in before]
    if len(waiting) < len(paths):
        say(f"Going on from where it was interrupted: {len(paths) - len(waiting):,} {what} were right then.")
    bad = 0
    with (store.root / STATE).open("a", encoding="ascii") as state:
        for path in Progress(waiting, f"{what} verified"):
            try:
                right = is_right(path)
                if not right:
                    say(f"{path}: damaged; set aside as {store.set_aside(path)}")
                    bad += 1
            except FileNotFoundError:  # a run has just set it aside
                continue
            except OSError as error:
                raise FacesetError(f"{path}: cannot be read or set aside ({error.strerror}).") from error
            if right:
                state.write(f"{path.stem}\n")
                state.flush()
    return bad


def _is_right(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and file_digest(path) == path.stem


def _verified_before(store: Store) -> set[str]:
    try:
        lines = (store.root / STATE).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return set()
    return {line for line in lines if DIGEST.fullmatch(line)}


def _verify_actions(store: Store, say: Callable[[str], None]) -> int:
    bad = 0
    cuts = {source.name: set().union(*map(cuts_in, pack_paths(store, source.name))) for source in store.cuts.glob("*")}
    for path in Progress(action_paths(store), "actions verified"):
        try:
            action = read_listed_action(path)
            problem = _missing(store, action, cuts)
        except FileNotFoundError:
            continue
        except DamagedActionError as error:
            problem = f"damaged ({error})"
        if problem:
            say(f"{path}: {problem}; removed")
            remove(path)
            bad += 1
    return bad


def _missing(store: Store, action: ListedAction, cuts: Mapping[str, set[bytes]]) -> str:
    """What of an action's results is gone, in words. `cuts` are the keys of the cut faces by source."""
    if not all(store.has(artifact) for artifact in action.outputs.values()):
        return "an object that it names is gone"
    there = set().union(*(cuts.get(name, set()) for kind, name in action.named_subjects if kind == "source"))
    return "" if named_cuts(store, [action]) <= there else "cut faces that it names are gone"
