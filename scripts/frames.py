"""List the frames of a source."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.footage.frames import list_frames

    list_frames(job.source.frames, job.project.footage_digests(job.source).learn(), job.output("frames"))


run_script(snakemake, compute)
