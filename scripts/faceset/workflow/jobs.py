"""Running one instance of a stage: look its key up, compute only on a miss, publish what it made."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from faceset.errors import FacesetError
from faceset.footage.digests import footage_signature
from faceset.footage.files import is_video
from faceset.project.project import MODELS_FOLDER, Project
from faceset.project.sources import Source
from faceset.stages.stage import Instance, models_of
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.store.locks import claimed, shared
from faceset.store.parts import WHOLE, Shard, StoredParts
from faceset.workflow.keys import Step, cuts_of, plan_step
from faceset.workflow.placing import put_in_place
from faceset.workflow.records import publish, reader

if TYPE_CHECKING:
    from faceset.models.catalogue import Model
    from faceset.training.packs import Cuts

CHANGED = "what it reads was changed while it was read. Nothing of that was kept; run again."


@dataclass(frozen=True)
class Means:
    """What a job may use: the GPUs that it was granted, and threads."""

    gpus: int = 0
    threads: int = 1


@dataclass
class RunningJob:
    """What a stage computes from and writes to, a `faceset.stages.stage.Job`.

    `folder` is where the outputs go, `shard` which of the step's parts are to be made.
    """

    project: Project
    step: Step
    folder: Path
    means: Means = field(default_factory=Means)
    shard: Shard = WHOLE
    ran_on: str = "cpu"

    def __post_init__(self) -> None:
        self._footage = self._footage_signature()

    def _footage_signature(self) -> str | None:
        return footage_signature(self.source.frames) if self.step.stage.footage else None

    def check_footage(self) -> None:
        """Raise FacesetError if the footage that the job reads changed since it began."""
        if self._footage_signature() != self._footage:
            raise FacesetError(CHANGED)

    def _check_video(self) -> None:
        # A picture is verified by its digest whenever it is read; a video is not.
        if self.step.stage.footage and is_video(self.source.frames):
            self.check_footage()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The stage's settings, those of its key."""
        return self.step.settings

    @property
    def source(self) -> Source:
        """The source that this instance works on."""
        return self.project.sources[self.step.instance["source"]]

    @property
    def models(self) -> "Mapping[str, Model]":
        """The catalogue's entries of the stage's models, by name."""
        return models_of(self.project, self.step.stage)

    @property
    def models_folder(self) -> Path:
        """Where the models' files lie."""
        return MODELS_FOLDER

    @property
    def device(self) -> str:
        """What models are to run on: auto, cpu or cuda.

        Raises FacesetError for cuda where no GPU was granted, as for a result that was known until it proved damaged.
        """
        if self.project.config.device == "cuda" and not self.means.gpus:
            raise FacesetError(
                "this job was planned without a GPU, since its result was known. Run again: it gets one."
            )
        return self.project.config.device

    @property
    def threads(self) -> int:
        """How many threads to use at most."""
        return self.means.threads

    @property
    def parts(self) -> StoredParts:
        """What was made of parts of this step's work: they depend on all that it does, but for what it reads."""
        step = self.step
        return StoredParts(
            self.project.store, step.provenance, step.instance, step.stage.outputs, self._check_video, self.shard
        )

    @property
    def files(self) -> Mapping[str, Path]:
        """The user's own files, by name."""
        return self.step.files

    @property
    def footage_digests(self) -> Mapping[Path, str]:
        """The SHA-256 of each file of the source's footage, in order."""
        return self.project.footage_digests(self.source).learn()

    @property
    def provenance(self) -> Mapping[str, Any]:
        """All that the result depends on, as JSON."""
        return self.step.provenance.as_json()

    def has(self, name: str) -> bool:
        """Whether there is an input of that name."""
        return name in self.step.inputs

    def input(self, name: str) -> Path:
        """The one artifact of that name, verified."""
        ((_, artifact),) = self.step.inputs[name]
        return self.project.store.get(artifact)

    def inputs(self, name: str) -> Mapping[str, Path]:
        """All artifacts of that name, verified, by the wildcard that this stage lacks."""
        (wildcard,) = set(self.step.stage.inputs[name].stage.wildcards) - self.step.instance.keys()
        return {instance[wildcard]: self.project.store.get(artifact) for instance, artifact in self.step.inputs[name]}

    def inputs_below(self) -> Mapping[str, tuple[str, int]]:
        """What it reads that lies in its own folder of results: by path in there, SHA-256 and size in bytes."""
        folder = PurePosixPath(self.step.stage.folder.format(**self.step.instance))
        found = {}
        for name, entries in self.step.inputs.items():
            output = self.step.stage.inputs[name]
            for instance, artifact in entries:
                path = PurePosixPath(output.stage.links[output.name].format(**instance))
                if path.is_relative_to(folder):
                    found[str(path.relative_to(folder))] = (artifact.sha256, artifact.size)
        return found

    def output(self, name: str) -> Path:
        """Where to write the output of that name."""
        return self.folder / self.step.stage.outputs[name]

    @contextlib.contextmanager
    def cuts(self) -> Iterator["Cuts"]:
        """What the store remembers of this source's cut faces, nobody else adding to it meanwhile."""
        with claimed(self.project.store.root, f"cuts of {self.source.name}"):
            yield cuts_of(self.project, self.source.name, self._check_video)


def run_stage(project: Project, name: str, /, means: Means | None = None, **instance: str) -> bool:
    """Bring one target up to date, in the current folder; returns whether anything was computed.

    `instance` holds what the stage runs for, as `run_stage(project, "crop", source="film1")`; `shard="2-of-7"` has only
    that share of the work done. What it reads must have been made before.

    Raises FacesetError, with nothing kept, for input that cannot be used, and if it changed while it was read.
    FileNotFoundError says that something it reads is not made yet.
    """
    stage, shard = STAGES[name], instance.pop("shard", None)
    if stage.prepare:
        stage.prepare(project, instance)
    step = plan_step(project, stage, instance, reader(project))
    if shard:
        return run_shard(project, step, means or Means(), Shard.named(shard))
    return run_step(project, step, means or Means())


def run_step(project: Project, step: Step, means: Means) -> bool:
    """Bring the target of a step up to date, as `run_stage` does."""
    store = project.store
    with shared(store.root):
        computed = False
        action = store.find(step.key)
        if action is None:
            with claimed(store.root, step.key):
                action = store.find(step.key)  # another run may have made it meanwhile
                if action is None:
                    action, computed = _compute(project, step, means), True
        if not computed:
            store.note_use(step.key, step.instance)
        put_in_place(project, step, action)
        publish(project, step.stage, step.instance, action)
    return computed


def _compute(project: Project, step: Step, means: Means) -> Action:
    store = project.store
    with store.workspace() as folder:
        job = RunningJob(project, step, folder, means)
        step.stage.compute(job)
        job.check_footage()
        if plan_step(project, step.stage, step.instance, reader(project)).key != step.key:
            raise FacesetError(CHANGED)
        action = Action({name: store.put(job.output(name)) for name in step.stage.outputs}, job.ran_on)
        store.remember(action, step.provenance, step.instance)
    return action


def run_shard(project: Project, step: Step, means: Means, shard: Shard) -> bool:
    """Have the store know the parts of a target that are this shard's. Returns whether any could be missing."""
    store = project.store
    with shared(store.root), claimed(store.root, f"{step.key} {shard}"):
        if store.find(step.key) is not None:
            return False
        with store.workspace() as folder:
            step.stage.compute(RunningJob(project, step, folder, means, shard))
        return True


def shard_marks(project: Project, stage_name: str, instance: Instance) -> list[str]:
    """The marks of the shards that make the parts of a target beforehand, if there are several; without prefix."""
    stage = STAGES[stage_name]
    count = project.sources[instance["source"]].shards if stage.in_parts(project) else 1
    names = [str(Shard(number, count)) for number in range(1, count + 1)]
    return [stage.shard.format(**instance, shard=name) for name in names] if count > 1 else []
