"""What a target is besides its record and links: the real folder of an assembled faceset."""

from pathlib import Path

from faceset.assembly import DamagedPictureError, sync_folder_with_index
from faceset.stages import Step
from faceset.store import Action, Store


def materialise(store: Store, step: Step, action: Action) -> None:
    """Before a target's record is written, make the real files right that belong to it; cheap if they are.

    Raises FacesetError if somebody changed them by hand, or if the store's pictures are damaged (they are then set
    aside).
    """
    if step.stage.name != "assemble":
        return
    index = action.outputs["faceset"]
    extracted = {where["source"]: artifact for where, artifact in step.inputs["faces"]}
    try:
        sync_folder_with_index(
            Path(step.stage.folder.format(**step.where)) / "faces",
            store.object_path(index),
            index.sha256,
            {source: store.object_path(artifact) for source, artifact in extracted.items()},
        )
    except DamagedPictureError as error:
        store.get(extracted[error.source])
        raise
