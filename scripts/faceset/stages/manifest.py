"""Decide which faces a faceset keeps."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from faceset.project.project import Project
from faceset.stages.cluster import STAGE as CLUSTER
from faceset.stages.crop import STAGE as CROP
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.nearness import STAGE as NEARNESS
from faceset.stages.stage import PER_FACESET, Instance, Job, Stage
from faceset.stages.track import STAGE as TRACK


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """What decides about faces besides the keep-list."""
    faceset = project.faceset(instance["faceset"])
    return {"policy": faceset.policy, "filters": asdict(faceset.filters)}


def keep_list_file(project: Project, instance: Instance) -> dict[str, Path]:
    """The faceset's keep-list, if there is one."""
    path = project.existing_keep_list(instance["faceset"])
    return {"keep_list": path} if path else {}


def compute(job: Job) -> None:
    from faceset.decisions.manifest import ManifestInputs, ManifestOutputs, ManifestSettings, make_manifest

    make_manifest(
        ManifestInputs(
            faces=job.inputs("faces"),
            measures=job.inputs("measures"),
            tracks=job.inputs("tracks"),
            clusters=job.input("clusters"),
            keep_list=job.files.get("keep_list"),
            nearness=job.input("nearness") if job.has("nearness") else None,
        ),
        ManifestSettings(**job.settings),
        ManifestOutputs(job.output("manifest"), job.output("notices")),
    )


STAGE = Stage(
    name="manifest",
    folder=PER_FACESET,
    outputs={"manifest": "manifest.parquet", "notices": "notices.parquet"},
    compute=compute,
    inputs={
        "faces": INGEST["faces"],
        "measures": CROP["measures"],
        "tracks": TRACK["tracks"],
        "clusters": CLUSTER["clusters"],
        "nearness": NEARNESS["nearness"],
    },
    settings=settings,
    files=keep_list_file,
)
