"""Describe how a faceset was made, as an RO-Crate."""

import shutil

from faceset.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.crate import write_crate

    shutil.copyfile(job.step.files["workflow"], job.output("workflow"))
    frames = job.inputs_by("source", "frames")
    write_crate(job.step.made_from, frames, job.inputs_below(), job.output("workflow"), job.output("crate"))


run_script(snakemake, compute)
