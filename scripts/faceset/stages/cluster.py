"""Tell people apart, over all sources."""

from typing import Any

from faceset.project.project import Project
from faceset.stages.crop import STAGE as CROP
from faceset.stages.embed import STAGE as EMBED
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.stage import PER_PROJECT, Instance, Job, Stage
from faceset.stages.track import STAGE as TRACK


def settings(project: Project, _instance: Instance) -> dict[str, Any]:
    """When faces count as one person."""
    return {
        "threshold": project.identity.threshold,
        "duplicates": sorted(name for name, source in project.sources.items() if source.duplicates),
        "method": project.config.cluster.method,
        "threshold_scale": project.config.cluster.threshold_scale,
    }


def compute(job: Job) -> None:
    from faceset.people.clusters import ClusterOutputs, Rules, SourceTables, make_clusters

    faces, measures, embeddings, tracks = (job.inputs(name) for name in ("faces", "measures", "embeddings", "tracks"))
    make_clusters(
        {name: SourceTables(faces[name], measures[name], embeddings[name], tracks[name]) for name in faces},
        Rules(**job.settings),
        ClusterOutputs(
            clusters=job.output("clusters"),
            merge_candidates=job.output("merge_candidates"),
            split_candidates=job.output("split_candidates"),
            strictness_changes=job.output("strictness_changes"),
        ),
    )


STAGE = Stage(
    name="cluster",
    folder=PER_PROJECT,
    outputs={
        "clusters": "clusters.parquet",
        "merge_candidates": "merge_candidates.parquet",
        "split_candidates": "split_candidates.parquet",
        "strictness_changes": "strictness_changes.parquet",
    },
    compute=compute,
    inputs={
        "faces": INGEST["faces"],
        "measures": CROP["measures"],
        "embeddings": EMBED["embeddings"],
        "tracks": TRACK["tracks"],
    },
    settings=settings,
)
