"""What happened to the faces of a faceset, and what is odd about a source: counts, grouped for people to read."""

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from faceset.alignments.tables import PROBLEMS
from faceset.decisions.kinds import Reason
from faceset.decisions.sentences import reason_sentence
from faceset.decisions.tables import MANIFEST
from faceset.tables.parquet import read_table


@dataclass(frozen=True)
class Tally:
    """How many faces of a faceset one rule or row decided, and how."""

    kept: bool
    decided_by: str
    reason: str
    faces: int


def decision_tallies(manifest: Path) -> list[Tally]:
    """The decisions of a manifest, those that keep first, then by the number of faces.

    What one rule or row decided counts as one, whatever the value that it compared.
    """
    columns = [field.name for field in dataclasses.fields(Reason) if field.name != "value"]
    groups = read_table(manifest, MANIFEST, columns).group_by(columns).aggregate([([], "count_all")])
    tallies = []
    for row in groups.to_pylist():
        faces = row.pop("count_all")
        tallies.append(Tally(row["kept"], row["decided_by"], reason_sentence(Reason(**row)), faces))
    return sorted(tallies, key=lambda tally: (not tally.kept, -tally.faces, tally.decided_by, tally.reason))


def merge_small(tallies: list[Tally], at_most: int) -> list[Tally]:
    """The same tallies in at most `at_most` lines for kept and for dropped faces each, the smallest taken together."""
    merged = []
    for kept in (True, False):
        alike = [tally for tally in tallies if tally.kept == kept]
        cut = len(alike) if len(alike) <= at_most else at_most - 1
        merged += alike[:cut]
        if rest := alike[cut:]:
            merged.append(Tally(kept, "several", f"{len(rest):,} other reasons", sum(tally.faces for tally in rest)))
    return merged


def kept_share(tallies: list[Tally]) -> tuple[int, int]:
    """How many faces were kept, of how many."""
    return sum(tally.faces for tally in tallies if tally.kept), sum(tally.faces for tally in tallies)


def faces_in_common(manifests: Mapping[str, Path]) -> dict[tuple[str, str], int]:
    """How many faces two facesets both keep, for each pair that has any."""
    kept = {}
    for faceset, path in manifests.items():
        table = read_table(path, MANIFEST, ["face_id", "kept"])
        kept[faceset] = table["face_id"].filter(table["kept"])
    counts = {
        (one, other): pc.sum(pc.is_in(kept[one], value_set=kept[other])).as_py() or 0
        for one, other in itertools.combinations(kept, 2)
    }
    return {pair: count for pair, count in counts.items() if count}


def problem_counts(problems: Path) -> dict[str, int]:
    """How many problems of each kind a source has, in the order of kinds by name."""
    kinds = pc.value_counts(read_table(problems, PROBLEMS, ["kind"])["kind"])
    return dict(sorted((entry["values"], entry["counts"]) for entry in kinds.to_pylist()))
