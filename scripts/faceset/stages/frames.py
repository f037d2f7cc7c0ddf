"""List the frames of a source."""

from typing import Any

from faceset.footage.digests import content_digest
from faceset.footage.files import is_video
from faceset.project.project import Project
from faceset.stages.stage import PER_SOURCE, Instance, Job, NotMadeYetError, Stage


def settings(project: Project, instance: Instance) -> dict[str, Any]:
    """What the footage holds, whatever it is called.

    Raises NotMadeYetError if some of it was not read before: `prepare` reads it.
    """
    source = project.sources[instance["source"]]
    digests = project.footage_digests(source).known()
    if digests is None:
        raise NotMadeYetError
    return {"content": content_digest(digests, is_video(source.frames))}


def prepare(project: Project, instance: Instance) -> None:
    """Hash the footage, as far as it was not hashed as it is now."""
    project.footage_digests(project.sources[instance["source"]]).learn(project.config.paranoid)


def compute(job: Job) -> None:
    from faceset.footage.frames import list_frames

    list_frames(job.source.frames, job.footage_digests, job.output("frames"))


STAGE = Stage(
    name="frames",
    folder=PER_SOURCE,
    outputs={"frames": "frames.parquet"},
    compute=compute,
    settings=settings,
    footage=True,
    prepare=prepare,
)
