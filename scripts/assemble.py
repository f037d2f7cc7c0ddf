"""Bring a faceset's training faces together."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.training.assembly import make_index

    make_index(job.inputs_by("source", "extracted"), job.input("manifest"), job.output("faceset"))


run_script(snakemake, compute)
