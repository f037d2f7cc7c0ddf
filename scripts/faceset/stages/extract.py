"""Cut a faceset's training faces from one source."""

from typing import Any

from faceset.digests import canonical_json, text_digest
from faceset.project.project import Project
from faceset.stages.clean import STAGE as CLEAN
from faceset.stages.code import code_of_function
from faceset.stages.crop import STAGE as CROP
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.stage import PER_FACESET_AND_SOURCE, Instance, Job, Stage


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """Which faces are cut, how large, and a digest of the code that writes their files."""
    code = code_of_function("faceset.training.pictures.png", "face_png").code
    return {
        **project.faceset(instance["faceset"]).extract.of_source(instance["source"]),
        "picture_code": text_digest(canonical_json({"kind": "picture code", "code": code})),
    }


def compute(job: Job) -> None:
    from faceset.training.extraction import ExtractInputs, ExtractSettings, extract_faces

    inputs = ExtractInputs(
        job.source.frames,
        frames=job.input("frames"),
        faces=job.input("faces"),
        measures=job.input("measures"),
        alignments=job.input("alignments"),
        kept=job.input("kept"),
    )
    with job.cuts() as cuts:
        extract_faces(inputs, ExtractSettings(**job.settings), cuts, job.output("extracted"), job.threads)


STAGE = Stage(
    name="extract",
    folder=PER_FACESET_AND_SOURCE,
    outputs={"extracted": "extracted.parquet"},
    compute=compute,
    inputs={
        "frames": FRAMES["frames"],
        "faces": INGEST["faces"],
        "measures": CROP["measures"],
        "alignments": CLEAN["alignments"],
        "kept": CLEAN["kept"],
    },
    settings=settings,
    footage=True,
)
