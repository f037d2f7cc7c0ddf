"""Cut and measure the faces of a source."""

from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.stage import PER_SOURCE, Job, Stage


def compute(job: Job) -> None:
    from faceset.crops.chips import crop_faces

    outputs = {"chips": job.output("chips"), "measures": job.output("measures")}
    crop_faces(job.source.frames, job.input("frames"), job.input("faces"), outputs, job.parts)


STAGE = Stage(
    name="crop",
    folder=PER_SOURCE,
    outputs={"chips": "chips.parquet", "measures": "measures.parquet"},
    compute=compute,
    inputs={"frames": FRAMES["frames"], "faces": INGEST["faces"]},
    footage=True,
    in_parts=lambda _project: True,
)
