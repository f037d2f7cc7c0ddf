"""Embed the reference photos of a faceset."""

from dataclasses import asdict

from faceset.project.project import DETECTION_MODELS, Project
from faceset.stages.stage import PER_FACESET, Instance, Job, Stage


def has_reference(project: Project, instance: Instance) -> bool:
    """Whether the faceset has photos of the wanted person."""
    return project.faceset(instance["faceset"]).reference is not None


def compute(job: Job) -> None:
    from faceset.models.reference import embed_reference

    job.ran_on = embed_reference(
        job.files, job.output("reference"), job.models, job.models_folder, job.device, **job.settings
    )


STAGE = Stage(
    name="reference",
    folder=PER_FACESET,
    outputs={"reference": "reference.parquet"},
    compute=compute,
    settings=lambda project, _instance: asdict(project.config.detect),
    files=lambda project, instance: project.reference_photos(instance["faceset"]),
    models=lambda project: (*DETECTION_MODELS, project.config.identity.model),
    runs_if=has_reference,
    gpu=True,
)
