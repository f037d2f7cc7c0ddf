"""Tell people apart, over all sources."""

from faceset.workflow.jobs import Job, run_script


def compute(job: Job) -> None:
    """Only on a miss, so that a hit imports no more than it needs."""
    from faceset.people.clusters import Rules, SourceTables, make_clusters

    faces = job.inputs_by("source", "faces")
    measures = job.inputs_by("source", "measures")
    embeddings = job.inputs_by("source", "embeddings")
    tracks = job.inputs_by("source", "tracks")
    make_clusters(
        {name: SourceTables(faces[name], measures[name], embeddings[name], tracks[name]) for name in faces},
        job.output("clusters"),
        job.output("pairs"),
        job.output("doubts"),
        job.output("steps"),
        Rules(**job.params),
    )


run_script(snakemake, compute)
