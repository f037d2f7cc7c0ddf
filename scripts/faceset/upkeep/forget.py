"""Remove all that was ever made of a source or faceset, and prove that nothing is left.

What holds it is found through what the store's actions were made from, under all settings ever used: its own results,
and those over several sources that read them. Footage, alignments and keep-lists are the user's, and stay.
"""

import argparse
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from faceset.atomic import write_atomically
from faceset.console import say
from faceset.errors import FacesetError
from faceset.footage.tables import FRAMES
from faceset.hints import hint
from faceset.project.current import add_project_options, current_store
from faceset.stages.stage import PER_FACESET, PER_SOURCE
from faceset.stages.table import STAGES
from faceset.store.locks import alone
from faceset.store.objects import Store
from faceset.upkeep.contents import (
    DIGEST,
    STATE,
    ListedAction,
    Subject,
    debris,
    object_paths,
    people_bytes,
    read_actions,
    remove,
    size_on_disk,
)
from faceset.upkeep.packs import cuts_in, named_cuts, pack_paths, rewrite
from faceset.workflow.roots import Root, RootRecord, records_of, roots

HELP = "remove all that was ever made of a source or faceset"
EXAMPLE = "faceset store forget source film1 --dry-run"

LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what to forget."""
    parser.add_argument("kind", choices=["source", "faceset"], help="which of the two it is")
    parser.add_argument("name", help="its name")
    parser.add_argument("--everywhere", action="store_true", help="also where other working directories name it")
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Forget it."""
    here, subject = Root(Path.cwd(), arguments.prefix), (arguments.kind, arguments.name)
    forget(current_store(arguments.config), here, subject, arguments.everywhere, arguments.dry_run, say)


@dataclass(frozen=True)
class Doomed:
    """What is to go.

    holders
        The actions whose results hold something of the subject; each that is found through others before those.
    shared
        Actions of results that are another's as well, as of two sources with the same footage. They stay, and no longer
        say that they are the subject's.
    mentions
        Actions of other results that were made from what goes, and name its digests. Their results stay.
    objects
        Paths of the holders' results, but for those that are results of other actions too; and of what no action
        names, since that could be anybody's.
    records
        What names one of these, in any working directory.
    cuts
        Cut faces that go, by their pack.
    others
        Paths of damaged actions, of quarantine, of what crashes left and of what remembers the footage's digests.
    """

    holders: list[ListedAction]
    shared: list[ListedAction]
    mentions: list[ListedAction]
    objects: list[Path]
    records: list[RootRecord]
    cuts: dict[Path, set[bytes]]
    others: list[Path]


def forget(
    store: Store, here: Root, subject: Subject, everywhere: bool, dry_run: bool, say: Callable[[str], None]
) -> None:
    """Remove all that was made of `subject` from the store and from the results that name it.

    Parameters
    ----------
    store, here
        The store, and the root whose source or faceset it is.
    everywhere
        Also where other working directories name what goes.
    dry_run
        Only say what would go.
    say
        Told what goes and what is left for the user to do.

    Raises FacesetError if nothing is known of it, if a run uses the store, if another working directory names what
    would go, and if the scan afterwards finds anything left.
    """
    from faceset.upkeep.forget_results import forget_results
    from faceset.upkeep.leftovers import find_leftovers

    with alone(store.root):
        known = sorted({*roots(store.root), here})
        doomed = find_doomed(store, known, subject)
        _check_known(doomed, known, subject, store)
        _check_others(doomed, here, everywhere)
        _tell(doomed, say)
        if dry_run:
            say("Nothing was changed.")
            return
        chosen = [root for root in known if everywhere or root == here]
        # Actions last: an interrupted call, called again, finds by them what is left to do.
        for pack, cuts in doomed.cuts.items():
            rewrite(pack, cuts_in(pack) - cuts)
        for path in [*doomed.others, *doomed.objects]:
            remove(path)
        for root in chosen:
            forget_results(root, subject, [record for record in doomed.records if record.root == root], say)
        for action in doomed.shared:
            _disown(action, subject)
        for action in [*doomed.mentions, *doomed.holders]:
            remove(action.path)
        gone = {path.name for path in doomed.objects}
        left = find_leftovers(store, chosen, subject, gone, set().union(*doomed.cuts.values()))
    if left:
        raise FacesetError(
            f"{len(left)} things are left of {_said(subject)}, which should not be: {'; '.join(left[:LISTED])}. "
            "Call this again; if they stay, delete the store and the results."
        )
    if subject[0] == "source":
        say("Take its row out of sources.tsv, else the next run makes all of it again.")
    else:
        say("Take it out of config.yaml, else the next run makes all of it again.")
    say(f"Scanned what is left, {len(object_paths(store)):,} objects: nothing of {_said(subject)} is among it.")


def find_doomed(store: Store, known: Collection[Root], subject: Subject) -> Doomed:
    """What has to go for a subject to be forgotten.

    Raises FacesetError for a record that cannot be read.
    """
    actions, damaged = read_actions(store)
    records = [record for root in known for record in records_of(root)]
    holding = _holders(actions, bool(damaged), subject)
    kept = {digest for action in actions if action.key not in holding for digest in action.digests}
    objects = [path for path in object_paths(store) if path.name not in kept]
    gone = {path.name for path in objects}
    gone |= {digest for action in actions if action.key in holding for digest in action.digests} - kept
    left = [action for action in actions if action.key not in holding]
    holders = sorted((action for action in actions if action.key in holding), key=partial(_rank, subject))
    return Doomed(
        holders,
        [action for action in left if subject in action.subjects],
        [action for action in left if any(digest in gone for _, digest in action.inputs)],
        objects,
        [record for record in records if subject in record.instance.items() or _digests(record) & gone],
        _cuts(store, subject, named_cuts(store, holders) - named_cuts(store, left)),
        [*damaged, *_debris(store), *_footage_memory(store, holders)],
    )


def _disown(action: ListedAction, subject: Subject) -> None:
    """Have an action no longer say that it is of a subject."""
    others = tuple(instance for instance in action.stored.instances if subject not in instance.items())
    write_atomically(action.path, replace(action.stored, instances=others).to_bytes())


def _cuts(store: Store, subject: Subject, of_faceset: set[bytes]) -> dict[Path, set[bytes]]:
    """Of a source all its cut faces; of a faceset those that it extracted and no other did."""
    if subject[0] == "source":
        return {pack: cuts_in(pack) for pack in pack_paths(store, subject[1])}
    found = {pack: cuts_in(pack) & of_faceset for pack in pack_paths(store)}
    return {pack: cuts for pack, cuts in found.items() if cuts}


def _holders(actions: list[ListedAction], damaged: bool, subject: Subject) -> set[str]:
    """The keys of the actions whose results hold something of `subject`; `damaged` if there are some not among them."""
    kind = subject[0]
    holding = set()
    for action in actions:
        if kind in action.wildcards:
            # Of two sources with the same footage, the frames are also the other's.
            names = {pair for pair in action.subjects if pair[0] == kind}
            found = names == {subject}
        else:
            found = "source" not in action.wildcards and subject in action.named_subjects
        if found:
            holding.add(action.key)
    if kind == "faceset":
        return holding  # what gathers facesets names each that it read
    unknown: set[str] = set() if damaged else {""}  # what a damaged action made may hold anything
    makers: dict[str, set[str]] = {}
    for action in actions:
        for digest in action.digests:
            makers.setdefault(digest, set()).add(action.key)
    gathering = [action for action in actions if "source" not in action.wildcards]
    before = -1
    while len(holding) > before:
        before = len(holding)
        holding |= {
            action.key
            for action in gathering
            # An object that others made too, like a table without rows, holds nothing of the subject.
            if any(makers.get(digest, unknown) <= holding for _, digest in action.inputs)
        }
    return holding


def _rank(subject: Subject, action: ListedAction) -> tuple[bool, int]:
    order = list(STAGES)
    return subject in action.named_subjects, -order.index(action.stage) if action.stage in order else 0


def _digests(record: RootRecord) -> set[str]:
    return {artifact.sha256 for artifact in record.action.outputs.values()}


def _footage_memory(store: Store, holders: Iterable[ListedAction]) -> list[Path]:
    """What remembers the digests of the footage that holders are of."""
    from faceset.tables.parquet import read_table

    digests: set[str] = set()
    for artifact in (action.outputs["frames"] for action in holders if action.stage == "frames"):
        with suppress(FacesetError):
            digests.update(read_table(store.object_path(artifact), FRAMES, ["digest"])["digest"].to_pylist())
    paths = sorted(store.footage.glob("*.json"))
    return [path for path in paths if digests & set(DIGEST.findall(path.read_text(encoding="utf-8")))]


def _debris(store: Store) -> list[Path]:
    """What could be of anybody, since nothing names it; nobody else is here."""
    return [*debris(store), *sorted(store.root.glob("quarantine/*")), *store.root.glob(STATE)]


def _check_known(doomed: Doomed, known: Iterable[Root], subject: Subject, store: Store) -> None:
    kind, name = subject
    place = PER_SOURCE.format(source=name) if kind == "source" else PER_FACESET.format(faceset=name)
    if doomed.holders or doomed.records or any(root.path(place).is_dir() for root in known):
        return
    names = sorted(found for of, found in known_subjects(store, known) if of == kind)
    raise FacesetError(f"nothing is known of {_said(subject)}; {hint(name, names)}")


def known_subjects(store: Store, known: Iterable[Root]) -> set[Subject]:
    """All sources and facesets that the store or the results name.

    Raises FacesetError for a record that cannot be read.
    """
    actions, _ = read_actions(store)
    found = {pair for action in actions for pair in action.named_subjects}
    return found | {pair for root in known for record in records_of(root) for pair in record.instance.items()}


def _check_others(doomed: Doomed, here: Root, everywhere: bool) -> None:
    strangers = sorted({record.root for record in doomed.records} - {here})
    if strangers and not everywhere:
        raise FacesetError(
            f"other working directories have results of it: {', '.join(map(str, strangers))}. Nothing was changed. "
            "With --everywhere it is forgotten there too."
        )


def _tell(doomed: Doomed, say: Callable[[str], None]) -> None:
    counts = Counter(action.stage for action in doomed.holders)
    say(f"Results that hold it: {', '.join(f'{stage} {count}' for stage, count in sorted(counts.items())) or 'none'}.")
    size = sum(size_on_disk(path) for path in [*doomed.objects, *doomed.others])
    cuts = sum(map(len, doomed.cuts.values()))
    say(
        f"To go: {len(doomed.objects):,} objects and leftovers of {people_bytes(size)}, {cuts:,} cut faces, "
        f"{len(doomed.records):,} records of results."
    )


def _said(subject: Subject) -> str:
    return f"the {subject[0]} {subject[1]}"
