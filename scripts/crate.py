"""Describe how a faceset was made, as an RO-Crate."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.training.crate import write_crate

    write_crate(
        job.step.made_from,
        job.inputs_by("source", "frames"),
        job.inputs_below(),
        job.step.files["workflow"],
        job.output("workflow"),
        job.output("crate"),
    )


run_script(snakemake, compute)
