"""Records and links: what a target is now, in the working directory.

A record is a small canonical JSON file, the output that other rules take as input. Beside it, each artifact has a
link with a plain name. All of them lie below the project's prefix.
"""

import os
import re
from collections.abc import Callable, Collection
from pathlib import Path

from faceset.atomic import write_atomically
from faceset.errors import FacesetError
from faceset.project.project import Project
from faceset.stages.stage import Instance, Stage
from faceset.stages.table import STAGES
from faceset.store.actions import Action


def read_record(path: Path) -> Action:
    """The record at `path`.

    Raises FileNotFoundError if there is none, FacesetError if it is not a record.
    """
    try:
        return Action.from_bytes(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FacesetError(f"{path}: not a record of Faceset's. Delete it and run again.") from error


def reader(project: Project) -> Callable[[str], Action]:
    """A function that reads a record of the project by its path without the prefix, as `read_record` does."""
    return lambda record: read_record(project.path(record))


def publish(project: Project, stage: Stage, instance: Instance, action: Action) -> bool:
    """Make record and links say that this target is now what `action` made.

    Links first, so that a record never stands beside a link to something else. Whatever is right already is left
    alone. Returns whether the record's bytes changed.
    """
    for name, pattern in stage.links.items():
        show = _copy if name in stage.copied else _link
        show(project.path(pattern.format(**instance)), project.store.object_path(action.outputs[name]))
    record = project.path(stage.record.format(**instance))
    data = action.to_bytes()
    try:
        if record.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _no_record(record, error) from error
    write_atomically(record, data)
    return True


def retract(project: Project, stage: Stage, instance: Instance) -> bool:
    """Remove record and links of a target that is not made yet. Returns whether there was a record.

    Raises FacesetError if something that we did not make is in a link's place: Snakemake would delete it.
    """
    record = project.path(stage.record.format(**instance))
    found = record.exists()
    try:
        record.unlink(missing_ok=True)
    except OSError as error:
        raise _no_record(record, error) from error
    for name, pattern in stage.links.items():
        shown = project.path(pattern.format(**instance))
        if shown.is_symlink() or name in stage.copied:
            shown.unlink(missing_ok=True)
        else:
            _check_free(shown)
    return found


def _no_record(record: Path, error: OSError) -> FacesetError:
    return FacesetError(f"{record}: expected a record of Faceset's ({error.strerror}). Move it away and run again.")


def sweep(project: Project, stage: Stage, instance: Instance) -> None:
    """Remove what a killed run left half made beside a target's record and links."""
    for pattern in (stage.record, *stage.links.values()):
        shown = project.path(pattern.format(**instance))
        for leftover in shown.parent.glob(f".{shown.name}.*"):
            leftover.unlink()
    # A shard's mark tells nothing: whether its parts are there, the store knows.
    marks = project.path(stage.shard.format(**instance, shard="*"))
    for mark in marks.parent.glob(marks.name):
        mark.unlink()


def retract_strangers(project: Project, owned: Collection[tuple[Stage, Instance]]) -> None:
    """Remove records and links of what the project no longer has, but for the instances of stages in `owned`.

    So are links of outputs that no stage makes any more. Folders of assembled faces stay: they are the user's.
    """
    records = {project.path(stage.record.format(**instance)) for stage, instance in owned}
    for stage in STAGES.values():
        everywhere = project.path(stage.record.format(**dict.fromkeys(stage.wildcards, "*")))
        for record in Path(everywhere.anchor).glob(str(everywhere.relative_to(everywhere.anchor))):
            if record not in records:
                record.unlink()
                for file in stage.outputs.values():
                    if (record.parent / file).is_symlink():
                        (record.parent / file).unlink()
    links = {project.path(link.format(**instance)) for stage, instance in owned for link in stage.links.values()}
    for folder in sorted({link.parent for link in links}):
        for path in folder.iterdir() if folder.is_dir() else ():
            if path not in links and is_store_link(path):
                path.unlink()


def is_store_link(path: Path) -> bool:
    """Whether a path is a link to an object of a store."""
    return path.is_symlink() and re.fullmatch("[0-9a-f]{64}", path.readlink().name) is not None


def _copy(copy: Path, target: Path) -> None:
    data = target.read_bytes()
    try:
        if not copy.is_symlink() and copy.read_bytes() == data:
            return
    except FileNotFoundError:
        pass
    write_atomically(copy, data)


def _link(link: Path, target: Path) -> None:
    # Relative while both lie in the working directory, so that it can be moved as a whole.
    link.parent.mkdir(parents=True, exist_ok=True)
    text = str(target) if target.is_absolute() else os.path.relpath(target.resolve(), link.parent.resolve())
    if link.is_symlink() and link.readlink() == Path(text):
        return
    if not link.is_symlink():
        _check_free(link)
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(text)
    temporary.replace(link)


def _check_free(link: Path) -> None:
    if link.exists():
        raise FacesetError(
            f"{link}: something that Faceset did not make is in the place of a result. "
            "Move it away; if it is a copy of the result, delete the results folder: it comes back from the store."
        )
