"""Bring a faceset's training faces together."""

from collections.abc import Iterator, Mapping

from faceset.stages.clean import STAGE as CLEAN
from faceset.stages.extract import STAGE as EXTRACT
from faceset.stages.manifest import STAGE as MANIFEST
from faceset.stages.stage import PER_FACESET, Job, Placement, Stage


def compute(job: Job) -> None:
    from faceset.training.assembly import make_index

    make_index(job.inputs("extracted"), job.input("manifest"), job.output("faceset"))


def put_in_place(placement: Placement) -> None:
    """Make the folder of faces hold what the index says.

    Raises FacesetError if somebody changed it by hand, or if the store no longer has a face's pixels: the next run then
    extracts that source again.
    """
    from faceset.training.assembled_folder import is_in_step, sync_folder_with_index

    folder, (index, sha256) = placement.folder / "faces", placement.result("faceset")
    if not is_in_step(folder, sha256):
        sync_folder_with_index(folder, index, sha256, lambda source, wanted: _pictures(placement, source, wanted))


def _pictures(placement: Placement, source: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    from faceset.footage.files import is_video
    from faceset.training.extraction import extracted_files
    from faceset.training.packs import MissingCutError

    table, entries = placement.inputs("extracted")[source], placement.inputs("alignments")[source]
    video = is_video(placement.source(source).frames)
    try:
        yield from extracted_files(table, entries, video, placement.cuts(source), wanted)
    except MissingCutError as error:
        placement.discard_input("extracted", source)
        raise MissingCutError(f"{error} Run again: they are extracted again.") from None


STAGE = Stage(
    name="assemble",
    folder=PER_FACESET,
    outputs={"faceset": "faceset.parquet"},
    compute=compute,
    inputs={
        "extracted": EXTRACT["extracted"],
        "alignments": CLEAN["alignments"],
        "manifest": MANIFEST["manifest"],
    },
    put_in_place=put_in_place,
)
