"""What a target is besides its record and links: the real folder of an assembled faceset."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from faceset.footage.files import is_video
from faceset.project.project import Project
from faceset.store.objects import Action
from faceset.training.assembly import sync_folder_with_index
from faceset.workflow.keys import Step, cuts_of


def materialise(project: Project, step: Step, action: Action) -> None:
    """Before a target's record is written, make the real files right that belong to it; cheap if they are.

    Raises FacesetError if somebody changed them by hand, or if the store no longer has a picture's pixels (the next run
    then extracts it again).
    """
    if step.stage.name != "assemble":
        return
    store = project.store
    extracted, alignments = (
        {where["source"]: artifact for where, artifact in step.inputs[name]} for name in ("extracted", "alignments")
    )

    def pictures(source: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        from faceset.training.extraction import extracted_files
        from faceset.training.packs import MissingCutError  # here, since most steps need no tables

        table, entries = store.get(extracted[source]), store.get(alignments[source])
        video = is_video(project.sources[source].frames)
        try:
            yield from extracted_files(table, entries, video, cuts_of(project, source), wanted)
        except MissingCutError as error:
            store.discard(extracted[source])
            raise MissingCutError(f"{error} Run again: they are extracted anew.") from None

    index = action.outputs["faceset"]
    sync_folder_with_index(
        Path(step.stage.folder.format(**step.where)) / "faces", store.object_path(index), index.sha256, pictures
    )
