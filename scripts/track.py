"""Follow the faces of a source over its frames."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.people.tracks import make_tracks

    make_tracks(job.input("faces"), job.input("embeddings"), job.output("tracks"), **job.params)


run_script(snakemake, compute)
