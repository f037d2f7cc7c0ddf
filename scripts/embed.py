"""Embed the faces of a source."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.models.chip_embeddings import embed_chips, take_identities
    from faceset.project.project import MODELS_FOLDER

    if not job.models:
        take_identities(job.input("faces"), job.input("alignments"), job.output("embeddings"), **job.params)
        return
    (model,) = job.models.values()
    job.ran_on = embed_chips(
        job.input("chips"), job.input("faces"), job.output("embeddings"), model, MODELS_FOLDER, job.device, job.parts
    )


run_script(snakemake, compute)
