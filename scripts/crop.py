"""Cut and measure the faces of a source."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.crops.chips import crop_faces

    outputs = {"chips": job.output("chips"), "measures": job.output("measures")}
    crop_faces(job.source.frames, job.input("frames"), job.input("faces"), outputs, job.parts)


run_script(snakemake, compute)
