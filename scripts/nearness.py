"""Rank people by how near they are to a faceset's reference photos."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.people.nearness import rank_clusters

    rank_clusters(
        job.input("reference"),
        job.input("clusters"),
        job.inputs_by("source", "embeddings"),
        job.output("nearness"),
        **job.params,
    )


run_script(snakemake, compute)
