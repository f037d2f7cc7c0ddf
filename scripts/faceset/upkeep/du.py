"""Tell how much of the disk a store takes, by stage, and by source or faceset."""

import argparse
from collections import Counter

from faceset.console import say
from faceset.project.current import add_config, current_store
from faceset.stages.table import STAGES
from faceset.store.objects import Store
from faceset.upkeep.contents import (
    ListedAction,
    object_paths,
    people_bytes,
    read_actions,
    size_on_disk,
)

HELP = "what takes how much of the disk"
EXAMPLE = "faceset store du"

SHARED = ("(several)", "")
UNNAMED = ("(none)", "")
Row = tuple[str, str]
"""A stage, and what it is of."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where the settings are, which name the store."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> None:
    """Print the table."""
    say(usage_table(current_store(arguments.config)))


def usage_table(store: Store) -> str:
    """The table, ready to print: every object counted once, the largest row of a stage first."""
    actions, _ = read_actions(store)
    rows_of: dict[str, set[Row]] = {}
    for action in actions:
        for digest in action.digests:
            rows_of.setdefault(digest, set()).add((action.stage, _said(action)))
    sizes: Counter[Row] = Counter()
    counts: Counter[Row] = Counter()
    for path in object_paths(store):
        rows = rows_of.get(path.name, {UNNAMED})
        row = next(iter(rows)) if len(rows) == 1 else SHARED
        sizes[row] += size_on_disk(path)
        counts[row] += 1
    lines = [("STAGE", "OF", "OBJECTS", "SIZE")]
    for row in sorted(sizes, key=lambda row: (_rank(row[0]), -sizes[row], row)):
        lines.append((*row, f"{counts[row]:,}", people_bytes(sizes[row])))
    lines.append(("all objects", "", f"{sum(counts.values()):,}", people_bytes(sum(sizes.values()))))
    for name in ("cuts", "actions", "quarantine", "tmp"):
        if size := size_on_disk(store.root / name):
            lines.append((name, "", "", people_bytes(size)))
    return "\n".join([*_aligned(lines), *_notes(sizes)])


def _said(action: ListedAction) -> str:
    """As in the paths of results: faceset, then source."""
    names = {kind: sorted(name for of_kind, name in action.subjects if of_kind == kind) for kind in action.wildcards}
    return " ".join("+".join(found) or "?" for found in names.values())


def _rank(stage: str) -> int:
    order = [*STAGES, SHARED[0], UNNAMED[0]]
    return order.index(stage) if stage in order else len(order)


def _notes(sizes: Counter[Row]) -> list[str]:
    notes = []
    if SHARED in sizes:
        notes.append(f"{SHARED[0]}: equal results of several rows, kept and counted once.")
    if UNNAMED in sizes:
        notes.append(f"{UNNAMED[0]}: named by no action; `faceset store gc` removes them.")
    return notes


def _aligned(lines: list[tuple[str, str, str, str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        f"{stage:<{widths[0]}}  {of:<{widths[1]}}  {count:>{widths[2]}}  {size:>{widths[3]}}"
        for stage, of, count, size in lines
    ]
