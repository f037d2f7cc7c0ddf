"""Rank people by how near they are to a faceset's reference photos."""

from faceset.stages.cluster import STAGE as CLUSTER
from faceset.stages.embed import STAGE as EMBED
from faceset.stages.reference import STAGE as REFERENCE
from faceset.stages.reference import has_reference
from faceset.stages.stage import PER_FACESET, Job, Stage


def compute(job: Job) -> None:
    from faceset.people.nearness import rank_clusters

    rank_clusters(
        job.input("reference"),
        job.input("clusters"),
        job.inputs("embeddings"),
        job.output("nearness"),
        **job.settings,
    )


STAGE = Stage(
    name="nearness",
    folder=PER_FACESET,
    outputs={"nearness": "nearness.parquet"},
    compute=compute,
    inputs={
        "reference": REFERENCE["reference"],
        "clusters": CLUSTER["clusters"],
        "embeddings": EMBED["embeddings"],
    },
    settings=lambda project, _instance: {"threshold": project.identity.threshold},
    runs_if=has_reference,
)
