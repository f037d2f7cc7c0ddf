"""Cut and measure the faces of a source."""

from faceset.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.crop import crop_faces

    crop_faces(job.source.frames, job.input("frames"), job.input("faces"), job.output("chips"), job.output("measures"))


run_script(snakemake, compute)
