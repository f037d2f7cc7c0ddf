"""Describe how a faceset was made, as an RO-Crate."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceset.project.project import DETECTION_MODELS, REPOSITORY, Project
from faceset.stages.assemble import STAGE as ASSEMBLE
from faceset.stages.clean import STAGE as CLEAN
from faceset.stages.cluster import STAGE as CLUSTER
from faceset.stages.cluster import settings as cluster_settings
from faceset.stages.detect import is_detected
from faceset.stages.extract import STAGE as EXTRACT
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.ingest import alignments_file
from faceset.stages.manifest import STAGE as MANIFEST
from faceset.stages.manifest import keep_list_file
from faceset.stages.stage import PER_FACESET, Instance, Job, Stage


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """What the crate says of the settings; the code of the stages comes beside it."""
    faceset = project.faceset(instance["faceset"])
    sources = project.faceset_sources(instance["faceset"])
    return {
        "faceset": instance["faceset"],
        "settings": {
            "detect": asdict(project.config.detect),
            "identity": asdict(project.config.identity),
            "cluster": cluster_settings(project, {}),
            "policy": faceset.policy,
            "filters": asdict(faceset.filters),
            "extract": {name: faceset.extract.of_source(name) for name in sources},
        },
        "rights": {name: project.sources[name].rights for name in sources},
    }


def files(project: Project, instance: Instance) -> dict[str, Path]:
    """All files of the user's that the faceset was made from, but for footage, and the workflow."""
    given = {
        f"alignments of {name}": path
        for name in project.faceset_sources(instance["faceset"])
        for path in alignments_file(project, {"source": name}).values()
    }
    return {"workflow": REPOSITORY / "Snakefile", **keep_list_file(project, instance), **given}


def models_used(project: Project) -> tuple[str, ...]:
    """The models of all stages."""
    detects = any(is_detected(project, {"source": name}) for name in project.sources)
    return (*project.identity_models, *(DETECTION_MODELS if detects else ()))


def compute(job: Job) -> None:
    from faceset.training.crate import write_crate

    write_crate(
        job.provenance,
        job.inputs("frames"),
        job.inputs_below(),
        job.files["workflow"],
        job.output("workflow"),
        job.output("crate"),
    )


STAGE = Stage(
    name="crate",
    folder=PER_FACESET,
    outputs={"crate": "ro-crate-metadata.json", "workflow": "workflow.smk"},
    compute=compute,
    inputs={
        "frames": FRAMES["frames"],
        "clusters": CLUSTER["clusters"],
        "manifest": MANIFEST["manifest"],
        "notices": MANIFEST["notices"],
        "fsa": CLEAN["fsa"],
        "alignments": CLEAN["alignments"],
        "kept": CLEAN["kept"],
        "extracted": EXTRACT["extracted"],
        "faceset": ASSEMBLE["faceset"],
    },
    settings=settings,
    files=files,
    models=models_used,
    terminal=True,
    tells_code=True,
)
