"""Put a source's cleaned alignments in the original's place, where faceswap looks for them, and the original beside it.

The workflow goes on reading the original. `--undo` puts it back, byte for byte.
"""

import argparse
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from faceset.alignments.tables import FACES
from faceset.console import say
from faceset.errors import FacesetError
from faceset.footage.files import default_alignments_path, is_video
from faceset.project.current import add_project_options, check_faceset, current_project, source_named
from faceset.project.installed import backup_name, installed_over, put_back, put_in_place
from faceset.project.project import Project
from faceset.training.tables import KEPT
from faceset.workflow.results import Results

if TYPE_CHECKING:
    from faceset.training.cleaned import CleanInputs, CleanSettings

HELP = "put cleaned alignments in the original's place, which is kept"
EXAMPLE = "faceset install film1 --dry-run"

SUFFIX = ".fsa"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the source, and whose faces stay."""
    parser.add_argument("source", help="a source of sources.tsv")
    parser.add_argument("--faceset", help="whose faces stay; without it, those that any faceset keeps")
    parser.add_argument("--undo", action="store_true", help="put the original back")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Install the alignments, or undo that."""
    project = current_project(arguments.config, arguments.prefix)
    if arguments.undo:
        undo(project, arguments.source, arguments.dry_run, say)
    else:
        moment = datetime.now().astimezone()
        install(project, arguments.source, arguments.faceset, moment, arguments.dry_run, say)


def install(
    project: Project,
    source: str,
    faceset: str | None,
    moment: datetime,
    dry_run: bool,
    say: Callable[[str], None],
) -> None:
    """Put a source's cleaned alignments where its original is, and keep the original beside it.

    Parameters
    ----------
    project
        The project of the current folder. Its results must be up to date.
    source
        Which source. If its faces were detected, the file goes to faceswap's default place.
    faceset
        Whose faces stay; None for the faces that any faceset keeps of this source.
    moment
        Becomes part of the backup's name.
    dry_run
        Only say what would be done.

    Raises FacesetError, with the original in its place, for names that are not in the project, results that are
    missing or out of date, and if no face would be left or a file cannot be written.
    """
    from faceset.tables.parquet import read_table
    from faceset.training.cleaned import CleanInputs, CleanSettings

    target = _target(project, source)
    facesets = _facesets(project, source, faceset)
    results, footage = Results(project), project.sources[source].frames
    inputs = CleanInputs(
        results.get_current("ingest", "alignments", source=source).path,
        results.get_current("frames", "frames", source=source).path,
        [results.get_current("manifest", "manifest", faceset=name).path for name in facesets],
    )
    all_faces = len(read_table(results.get_current("ingest", "faces", source=source).path, FACES, ["face_id"]))
    data, left = _cleaned(inputs, CleanSettings(source, footage.name if is_video(footage) else None))
    kept_by = " or ".join(facesets)
    if not left:
        raise FacesetError(f"{source}: none of its {all_faces:,} faces is kept by {kept_by}: nothing to install.")
    say(f"{source}: {left:,} of {all_faces:,} faces stay, those kept by {kept_by}.")
    if dry_run:
        there = f", the original kept as {backup_name(target, moment)} beside it" if target.exists() else ""
        say(f"{target} would be written{there}. Nothing was changed.")
        return
    try:
        backup = put_in_place(target, data, moment)
    except OSError as error:
        raise FacesetError(f"{target}: could not be replaced ({error}). The original was not lost.") from error
    say(f"{target} holds them now." + (f" The original is {backup}." if backup else " Nothing was there before."))


def undo(project: Project, source: str, dry_run: bool, say: Callable[[str], None]) -> None:
    """Put a source's original alignments back, or remove the installed ones where there were none.

    Raises FacesetError, having changed nothing, if nothing was installed, or the file was changed since.
    """
    target = _target(project, source)
    if dry_run:
        say(f"{target} would be made what it was before the install. Nothing was changed.")
        return
    try:
        backup = put_back(target)
    except OSError as error:
        raise FacesetError(f"{target}: could not be put back ({error}). The original was not lost.") from error
    say(f"{target} is the original again." if backup else f"{target}, where nothing was before, is removed.")


def _target(project: Project, source: str) -> Path:
    entry = source_named(project, source)
    target = installed_over(entry.alignments or default_alignments_path(entry.frames))
    if target.suffix.lower() != SUFFIX:
        raise FacesetError(
            f"{target}: only a {SUFFIX} file can be replaced, since nothing else is read by faceswap. Take the cleaned "
            "alignments from the results instead."
        )
    return target


def _facesets(project: Project, source: str, faceset: str | None) -> list[str]:
    having = [name for name in project.config.facesets if source in project.faceset_sources(name)]
    if faceset is None and having:
        return having
    if faceset in having:
        return [faceset]
    if faceset is not None:
        check_faceset(project, faceset)
    raise FacesetError(f"{source} is not a source of {faceset or 'any faceset'}: nothing says which faces stay.")


def _cleaned(inputs: "CleanInputs", settings: "CleanSettings") -> tuple[bytes, int]:
    """The alignments with the faces that any of the manifests keeps: the file, and how many faces it has."""
    from faceset.tables.parquet import read_table
    from faceset.training.cleaned import CleanOutputs, clean_alignments

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        outputs = CleanOutputs(folder / "fsa", folder / "msgpack", folder / "kept")
        clean_alignments(inputs, settings, outputs)
        return outputs.fsa.read_bytes(), len(read_table(outputs.kept, KEPT, ["face_id"]))
