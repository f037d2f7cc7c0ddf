"""Install: cleaned alignments in the place of a source's original, where faceswap looks for them; and the way back."""

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import pyarrow.compute as pc

from faceset.alignments.files import default_alignments_path
from faceset.decisions.tables import MANIFEST
from faceset.errors import FacesetError
from faceset.footage.files import is_video
from faceset.project.installed import backup_name, installed_over, put_back, put_in_place
from faceset.project.project import Project
from faceset.stages.settings import Where
from faceset.stages.table import STAGES
from faceset.store.objects import Action
from faceset.tables.parquet import read_table, write_table
from faceset.training.cleaned import clean_alignments
from faceset.training.tables import KEPT
from faceset.workflow.keys import Step, plan_step
from faceset.workflow.records import read_record

SUFFIX = ".fsa"
RUN_FIRST = "Run the workflow, look at the report, and try again."


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
    missing or out of date, and if no face would be left or a file can not be written.
    """
    target = _target(project, source)
    facesets = _facesets(project, source, faceset)
    results = _Results(project)
    manifests = [results.get("manifest", {"faceset": name}) for name in facesets]
    ingested = results.get("ingest", {"source": source})
    frames = results.get("frames", {"source": source})
    store, footage = project.store, project.sources[source].frames
    data, left, all_faces = _cleaned(
        store.get(ingested.outputs["alignments"]),
        store.get(frames.outputs["frames"]),
        [store.get(action.outputs["manifest"]) for action in manifests],
        source,
        footage.name if is_video(footage) else None,
    )
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
    if source not in project.sources:
        raise FacesetError(f"{source!r} is no source of this project; there are: {', '.join(project.sources)}.")
    entry = project.sources[source]
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
    if faceset is not None and faceset not in project.config.facesets:
        raise FacesetError(
            f"{faceset!r} is no faceset of this project; there are: {', '.join(project.config.facesets)}."
        )
    raise FacesetError(f"{source} is not a source of {faceset or 'any faceset'}: nothing says which faces stay.")


class _Results:
    """The records of a project, each given out only if it and all it depends on are what a run would make now."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._checked: dict[str, Action] = {}

    def get(self, stage_name: str, where: Where) -> Action:
        stage = STAGES[stage_name]
        path = stage.record.format(**where)
        if path not in self._checked:
            for reads in stage.reads_of(self._project, where).values():
                for other, instance, _ in reads:
                    self.get(other.name, instance)
            if stage.name == "frames":
                self._project.footage_digests(self._project.sources[where["source"]]).learn()
            self._checked[path] = self._read(path, plan_step(self._project, stage, where, self._checked.__getitem__))
        return self._checked[path]

    def _read(self, path: str, step: Step) -> Action:
        try:
            action = read_record(path)
        except FileNotFoundError as error:
            raise FacesetError(f"{path}: not made yet. {RUN_FIRST}") from error
        known = self._project.store.find(step.key)
        if known is None or known.outputs != action.outputs:
            raise FacesetError(f"{path}: what it was made from or decided by has changed since. {RUN_FIRST}")
        return action


def _cleaned(
    alignments: Path, frames: Path, manifests: Sequence[Path], source: str, video: str | None
) -> tuple[bytes, int, int]:
    """The alignments with the faces that any of the manifests keeps: the file, how many faces, and how many before."""
    tables = [read_table(path, MANIFEST).filter(pc.field("source") == source) for path in manifests]
    kept = {face for table in tables for face in table.filter(pc.field("kept"))["face_id"].to_pylist()}
    columns = {name: tables[0][name] for name in MANIFEST.names}
    columns["kept"] = [face in kept for face in columns["face_id"].to_pylist()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        union, fsa, left = folder / "manifest", folder / "fsa", folder / "kept"
        write_table(union, MANIFEST, columns)
        clean_alignments(alignments, frames, union, source, video, fsa, folder / "msgpack", left)
        return fsa.read_bytes(), len(read_table(left, KEPT, ["face_id"])), len(tables[0])
