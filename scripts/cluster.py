"""Tell people apart, over all sources."""

from faceset.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.clustering import make_clusters

    make_clusters(
        job.inputs_by("source", "faces"),
        job.inputs_by("source", "embeddings"),
        job.inputs_by("source", "tracks"),
        job.output("clusters"),
        job.output("pairs"),
        **job.params,
    )


run_script(snakemake, compute)
