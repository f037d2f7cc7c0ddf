"""Forgetting in a working directory: records, links, copies, logs and training faces of a source or faceset."""

from collections.abc import Callable, Iterable
from pathlib import Path

from faceset.stages.stage import PER_FACESET, PER_SOURCE
from faceset.stages.table import STAGES
from faceset.training.assembled_folder import remove_assembled
from faceset.training.assembly import assembled_name
from faceset.upkeep.contents import Subject
from faceset.workflow.records import is_store_link
from faceset.workflow.roots import Root, RootRecord

LISTED = 5


def forget_results(root: Root, subject: Subject, records: Iterable[RootRecord], say: Callable[[str], None]) -> None:
    """Remove from a root what is of `subject`, with the given records and what they lead to.

    `say` is told of files that are not Faceset's and stay.

    Raises FacesetError for an assembled folder whose ledger cannot be read.
    """
    kind, name = subject
    for record in records:
        record.path.unlink(missing_ok=True)
        for output, pattern in record.stage.links.items():
            shown = root.path(pattern.format(**record.instance))
            if shown.is_symlink() or output in record.stage.copied:
                shown.unlink(missing_ok=True)
    for stage in STAGES.values():
        for output in stage.copied:  # one without a record is of who knows what
            if not stage.wildcards and not root.path(stage.record).exists():
                root.path(stage.links[output]).unlink(missing_ok=True)
    for assembled in sorted(root.path(PER_FACESET.format(faceset="")).glob("*")):
        if kind == "source" or assembled.name == name:
            start = assembled_name(name, "") if kind == "source" else ""
            _tell_others(remove_assembled(assembled / "faces", start), say)
    if kind == "source":
        of_facesets = root.path(PER_FACESET.format(faceset="")).glob(f"*/{name}")
        places = [root.path(PER_SOURCE.format(source=name)), *of_facesets]
    else:
        places = [root.path(PER_FACESET.format(faceset=name))]
    for place in places:
        _clear(place, say)
    for log in _logs(root, subject):
        log.unlink()


def _clear(place: Path, say: Callable[[str], None]) -> None:
    """Remove links into the store, records, and then the folders that are empty."""
    if not place.is_dir():
        return
    others = []
    for path in sorted(place.rglob("*"), reverse=True):  # what is in a folder before the folder
        if is_store_link(path):
            path.unlink()
        elif path.is_dir() and not path.is_symlink():
            if not any(path.iterdir()):
                path.rmdir()
        else:
            others.append(path)
    if not any(place.iterdir()):
        place.rmdir()
    _tell_others(others, say)


def _logs(root: Root, subject: Subject) -> list[Path]:
    """The logs and benchmarks of jobs that ran for the subject."""
    found: list[Path] = []
    for stage in STAGES.values():
        if subject[0] in stage.wildcards:
            only = "/".join(subject[1] if wildcard == subject[0] else "*" for wildcard in stage.wildcards)
            found += root.path(f"logs/{stage.name}").glob(f"{only}.log*")
            found += root.path(f"logs/benchmarks/{stage.name}").glob(f"{only}.tsv")
    return found


def _tell_others(paths: list[Path], say: Callable[[str], None]) -> None:
    for path in paths[:LISTED]:
        say(f"Not Faceset's, and left where it is: {path}")
    if len(paths) > LISTED:
        say(f"  and {len(paths) - LISTED:,} more in {paths[LISTED].parent}")
