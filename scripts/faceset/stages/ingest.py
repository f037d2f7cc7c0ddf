"""Read the alignments of a source into tables."""

from pathlib import Path
from typing import Any

from faceset.project.project import Project
from faceset.stages.detect import STAGE as DETECT
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.stage import PER_SOURCE, Instance, Job, Stage


def settings(_project: Project, instance: Instance) -> dict[str, Any]:
    """The source's name, which is part of each face's id."""
    return {"source": instance["source"]}


def alignments_file(project: Project, instance: Instance) -> dict[str, Path]:
    """The alignments that the source brings, if any."""
    path = project.sources[instance["source"]].alignments
    return {"alignments": path} if path else {}


def compute(job: Job) -> None:
    from faceset.alignments.files import read_alignments, read_msgpack
    from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest

    file = job.files.get("alignments")
    ingest(
        IngestInputs(
            read=read_alignments(file) if file else read_msgpack(job.input("detected")),
            file=str(file),
            source=job.settings["source"],
            footage=job.source.frames,
            frames=job.input("frames"),
        ),
        IngestOutputs(job.output("faces"), job.output("alignments"), job.output("problems")),
    )


STAGE = Stage(
    name="ingest",
    folder=PER_SOURCE,
    outputs={"faces": "faces.parquet", "alignments": "alignments.msgpack", "problems": "problems.parquet"},
    compute=compute,
    inputs={"frames": FRAMES["frames"], "detected": DETECT["detected"]},
    settings=settings,
    files=alignments_file,
)
