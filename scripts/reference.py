"""Embed the reference photos of a faceset."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.models.reference import embed_reference
    from faceset.project.project import MODELS_FOLDER

    job.ran_on = embed_reference(
        job.step.files, job.output("reference"), job.models, MODELS_FOLDER, job.device, **job.params
    )


run_script(snakemake, compute)
