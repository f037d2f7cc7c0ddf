"""Write a source's alignments with a faceset's faces only."""

from typing import Any

from faceset.footage.files import is_video
from faceset.project.project import Project
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.manifest import STAGE as MANIFEST
from faceset.stages.stage import PER_FACESET_AND_SOURCE, Instance, Job, Stage


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """What the cleaned alignments name: the source, and its video."""
    footage = project.sources[instance["source"]].frames
    return {"source": instance["source"], "video": footage.name if is_video(footage) else None}


def compute(job: Job) -> None:
    from faceset.training.cleaned import CleanInputs, CleanOutputs, CleanSettings, clean_alignments

    clean_alignments(
        CleanInputs(job.input("alignments"), job.input("frames"), [job.input("manifest")]),
        CleanSettings(**job.settings),
        CleanOutputs(job.output("fsa"), job.output("alignments"), job.output("kept")),
    )


STAGE = Stage(
    name="clean",
    folder=PER_FACESET_AND_SOURCE,
    outputs={"fsa": "alignments.fsa", "alignments": "alignments.msgpack", "kept": "kept.parquet"},
    compute=compute,
    inputs={
        "alignments": INGEST["alignments"],
        "frames": FRAMES["frames"],
        "manifest": MANIFEST["manifest"],
    },
    settings=settings,
)
