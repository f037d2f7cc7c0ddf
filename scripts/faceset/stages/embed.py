"""Embed the faces of a source, or take the embeddings that its alignments bring."""

from typing import Any

from faceset.project.project import Project
from faceset.stages.crop import STAGE as CROP
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.stage import PER_SOURCE, Instance, Job, Stage


def embeds_chips(project: Project) -> bool:
    """Whether embeddings are computed here, not taken from the alignments."""
    return not project.takes_embeddings_from_alignments


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """Which identity is taken from the alignments, and how many numbers it has, if it is."""
    if embeds_chips(project):
        return {}
    kind = project.identity
    return {
        "source": instance["source"],
        "name": project.config.identity.model,
        "dimensions": kind.dimensions,
        "metric": kind.metric,
    }


def compute(job: Job) -> None:
    from faceset.models.chip_embeddings import embed_chips
    from faceset.models.stored_identities import take_identities

    if not job.models:
        take_identities(job.input("faces"), job.input("alignments"), job.output("embeddings"), **job.settings)
        return
    (model,) = job.models.values()
    job.ran_on = embed_chips(
        job.input("chips"),
        job.input("faces"),
        job.output("embeddings"),
        model,
        job.models_folder,
        job.device,
        job.parts,
    )


STAGE = Stage(
    name="embed",
    folder=PER_SOURCE,
    outputs={"embeddings": "embeddings.parquet"},
    compute=compute,
    inputs={
        "faces": INGEST["faces"],
        "chips": CROP["chips"],
        "alignments": INGEST["alignments"],
    },
    inputs_if={"chips": embeds_chips, "alignments": lambda project: not embeds_chips(project)},
    settings=settings,
    models=lambda project: project.identity_models,
    gpu=True,
    in_parts=embeds_chips,
)
