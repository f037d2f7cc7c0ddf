"""Show people, decisions and problems on one page."""

from typing import Any

from faceset.project.project import Project
from faceset.stages.cluster import STAGE as CLUSTER
from faceset.stages.crop import STAGE as CROP
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.ingest import STAGE as INGEST
from faceset.stages.manifest import STAGE as MANIFEST
from faceset.stages.nearness import STAGE as NEARNESS
from faceset.stages.stage import PER_PROJECT, Instance, Job, Stage
from faceset.stages.track import STAGE as TRACK


def settings(project: Project, _instance: Instance) -> dict[str, Any]:
    """What the report says of the settings."""
    return {
        "model": project.config.identity.model,
        "threshold": project.identity.threshold * project.config.cluster.threshold_scale,
        "strictness": project.config.cluster.strictness,
        "method": project.config.cluster.method,
        "rights": {name: source.rights for name, source in project.sources.items()},
        "facesets": {name: project.faceset_sources(name) for name in project.config.facesets},
    }


def compute(job: Job) -> None:
    from faceset.report.inputs import FacesetTables, ReportInputs, ReportSettings, SourceTables
    from faceset.report.page import write_report

    settings = dict(job.settings)
    rights, facesets = settings.pop("rights"), settings.pop("facesets")
    tables = {name: job.inputs(name) for name in ("frames", "faces", "problems", "chips", "measures", "tracks")}
    manifests, notices = job.inputs("manifest"), job.inputs("notices")
    nearness = job.inputs("nearness") if job.has("nearness") else {}
    inputs = ReportInputs(
        {
            source: SourceTables(text, **{name: paths[source] for name, paths in tables.items()})
            for source, text in rights.items()
        },
        {
            name: FacesetTables(sources, manifests[name], notices[name], nearness.get(name))
            for name, sources in facesets.items()
        },
        clusters=job.input("clusters"),
        merge_candidates=job.input("merge_candidates"),
        split_candidates=job.input("split_candidates"),
        strictness_changes=job.input("strictness_changes"),
    )
    write_report(inputs, ReportSettings(**settings), job.output("report"))


STAGE = Stage(
    name="report",
    folder=PER_PROJECT,
    outputs={"report": "report.html"},
    compute=compute,
    inputs={
        "frames": FRAMES["frames"],
        "faces": INGEST["faces"],
        "problems": INGEST["problems"],
        "chips": CROP["chips"],
        "measures": CROP["measures"],
        "tracks": TRACK["tracks"],
        "clusters": CLUSTER["clusters"],
        "merge_candidates": CLUSTER["merge_candidates"],
        "split_candidates": CLUSTER["split_candidates"],
        "strictness_changes": CLUSTER["strictness_changes"],
        "nearness": NEARNESS["nearness"],
        "manifest": MANIFEST["manifest"],
        "notices": MANIFEST["notices"],
    },
    settings=settings,
    copied=("report",),
    terminal=True,
)
