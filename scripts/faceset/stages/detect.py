"""Find the faces of a source that comes without alignments."""

from dataclasses import asdict
from typing import Any

from faceset.project.project import DETECTION_MODELS, Project
from faceset.stages.frames import STAGE as FRAMES
from faceset.stages.stage import PER_SOURCE, Instance, Job, Stage


def is_detected(project: Project, instance: Instance) -> bool:
    """Whether the source brings no alignments, so that its faces are to be found."""
    return project.sources[instance["source"]].alignments is None


def settings(project: Project, _instance: Instance) -> dict[str, Any]:
    """How faces are found."""
    return asdict(project.config.detect)


def compute(job: Job) -> None:
    from faceset.models.detected_alignments import DetectInputs, DetectSettings, detect_footage

    inputs = DetectInputs(job.source.frames, job.input("frames"), job.models, job.models_folder)
    job.ran_on = detect_footage(inputs, DetectSettings(**job.settings), job.output("detected"), job.device, job.parts)


STAGE = Stage(
    name="detect",
    folder=PER_SOURCE,
    outputs={"detected": "detected.msgpack"},
    compute=compute,
    inputs={"frames": FRAMES["frames"]},
    settings=settings,
    models=lambda _project: DETECTION_MODELS,
    runs_if=is_detected,
    gpu=True,
    footage=True,
    in_parts=lambda _project: True,
)
