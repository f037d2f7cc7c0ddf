"""Running one instance of a stage: look its key up, compute only on a miss, publish what it made."""

import contextlib
import errno
import itertools
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from faceset.errors import FacesetError
from faceset.footage.files import footage_signature, is_video
from faceset.footage.parts import WHOLE, Shard
from faceset.models.catalogue import Model
from faceset.project.project import Project, load_project
from faceset.project.sources import Source
from faceset.stages.table import STAGES
from faceset.store.locks import claimed, shared
from faceset.store.objects import Action
from faceset.store.parts import StoredParts
from faceset.workflow.keys import Step, cuts_of, plan_step
from faceset.workflow.materialise import materialise
from faceset.workflow.records import publish, read_record

if TYPE_CHECKING:
    from faceset.training.packs import Cuts

FAILED = "failed:"
CHANGED = "what it reads was changed while it was read. Nothing of that was kept; run again."
MACHINE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EACCES, errno.EPERM)


@dataclass
class Job:
    """What a script computes from and writes to.

    `ran_on` may be set to what the models ran on. `gpus` is how many GPUs the job was granted, `shard` which of the
    step's parts it is to make.
    """

    project: Project
    step: Step
    folder: Path
    gpus: int = 0
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
    def params(self) -> dict[str, Any]:
        """The stage's parameters, those of its key."""
        return self.step.params

    @property
    def source(self) -> Source:
        """The source that this instance works on."""
        return self.project.sources[self.step.where["source"]]

    @property
    def device(self) -> str:
        """What models are to run on: auto, cpu or cuda.

        Raises FacesetError for cuda where no GPU was granted, as for a result that was known until it proved damaged.
        """
        if self.project.config.device == "cuda" and not self.gpus:
            raise FacesetError(
                "this job was planned without a GPU, since its result was known. Run again: it gets one."
            )
        return self.project.config.device

    def input(self, name: str) -> Path:
        """The one artifact of that name, verified."""
        ((_, artifact),) = self.step.inputs[name]
        return self.project.store.get(artifact)

    def inputs_by(self, wildcard: str, name: str) -> dict[str, Path]:
        """All artifacts of that name, verified, by the value of a wildcard."""
        return {where[wildcard]: self.project.store.get(artifact) for where, artifact in self.step.inputs[name]}

    def inputs_below(self) -> dict[str, tuple[str, int]]:
        """What it reads that lies in its own folder of results: by path in there, SHA-256 and size in bytes."""
        folder = PurePosixPath(self.step.stage.folder.format(**self.step.where))
        found = {}
        for name, entries in self.step.inputs.items():
            stage_name, _, output = self.step.stage.reads[name].partition(".")
            for where, artifact in entries:
                path = PurePosixPath(STAGES[stage_name].links[output].format(**where))
                if path.is_relative_to(folder):
                    found[str(path.relative_to(folder))] = (artifact.sha256, artifact.size)
        return found

    def file(self, name: str) -> Path | None:
        """The user's own file of that name, if there is one."""
        return self.step.files.get(name)

    @contextlib.contextmanager
    def cuts(self) -> Iterator["Cuts"]:
        """What the store remembers of this source's cut faces, nobody else adding to it meanwhile."""
        with claimed(self.project.store.root, f"cuts of {self.source.name}"):
            yield cuts_of(self.project, self.source.name, self._check_video)

    @property
    def parts(self) -> StoredParts:
        """What was made of parts of this step's work: they depend on all that it does, but for what it reads."""
        source = {"source": self.step.where["source"]}
        rest = {"inputs": {}, "files": {}, "params": {**self.params, **source}}
        return StoredParts(
            self.project.store, {**self.step.made_from, **rest}, self.step.stage.makes, self._check_video, self.shard
        )

    def output(self, name: str) -> Path:
        """Where to write the output of that name."""
        return self.folder / self.step.stage.makes[name]

    @property
    def models(self) -> dict[str, Model]:
        """The manifest entries of the stage's models, by name."""
        return {name: self.project.models[name] for name in self.step.models}


def run_step(project: Project, step: Step, compute: Callable[[Job], None], gpus: int = 0) -> bool:
    """Bring one target up to date. Returns whether anything was computed.

    Raises FacesetError, with nothing kept, if what it reads was changed while it was read.
    """
    with shared(project.store.root):
        return _run_step(project, step, compute, gpus)


def _run_step(project: Project, step: Step, compute: Callable[[Job], None], gpus: int) -> bool:
    store = project.store
    computed = False
    action = store.find(step.key)
    if action is None:
        with claimed(store.root, step.key):
            action = store.find(step.key)  # another run may have made it meanwhile
            if action is None:
                action, computed = _compute(project, step, compute, gpus), True
    if not computed:
        store.mark_used(step.key)
    materialise(project, step, action)
    publish(store, step.stage, step.where, action)
    return computed


def _compute(project: Project, step: Step, compute: Callable[[Job], None], gpus: int) -> Action:
    store = project.store
    with store.workspace() as folder:
        job = Job(project, step, folder, gpus)
        compute(job)
        job.check_footage()
        if plan_step(project, step.stage, step.where, read_record).key != step.key:
            raise FacesetError(CHANGED)
        outputs = {name: store.put(job.output(name)) for name in step.stage.makes}
        action = Action(outputs, job.ran_on)
        store.remember(step.key, action, step.made_from)
    return action


def run_shard(project: Project, step: Step, compute: Callable[[Job], None], gpus: int, shard: Shard) -> bool:
    """Have the store know the parts of a target that are this shard's. Returns whether any could be missing."""
    store = project.store
    with shared(store.root), claimed(store.root, f"{step.key} {shard}"):
        if store.find(step.key) is not None:
            return False
        with store.workspace() as folder:
            compute(Job(project, step, folder, gpus, shard))
        return True


class _Tee:
    """Write to the job's log and to the terminal alike."""

    def __init__(self, *streams: TextIO) -> None:
        self._streams = streams

    def write(self, text: str) -> int:
        for stream in self._streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self._streams:
            stream.flush()


def run_script(snakemake: Any, compute: Callable[[Job], None]) -> None:
    """What every script does: run its rule's stage for the job's wildcards.

    The `snakemake` object is only read: `rule`, `wildcards`, `config`, `resources`, `log`, and of a shard `output`, its
    mark. What a user can mend, a full disk included, ends the job with one line and no traceback; so does an
    interruption.
    """
    where: dict[str, str] = dict(snakemake.wildcards.items())
    label = " ".join([snakemake.rule, *where.values()])
    stage = STAGES[snakemake.rule.removesuffix("_shard")]
    shard = where.pop("shard", None)
    terminal = sys.stderr
    with Path(snakemake.log[0]).open("w", encoding="utf-8") as log:
        sys.stderr = _Tee(terminal, log)
        try:
            project = load_project(snakemake.config)
            if stage.name == "frames":
                project.footage_digests(project.sources[where["source"]]).learn(project.config.paranoid)
            step, gpus = plan_step(project, stage, where, read_record), snakemake.resources.get("gpu", 0)
            if shard:
                computed = run_shard(project, step, compute, gpus, Shard.named(shard))
                Path(snakemake.output[0]).touch()
            else:
                computed = run_step(project, step, compute, gpus)
            print(f"faceset: {label}: {'done' if computed else 'known already, nothing computed'}", file=sys.stderr)
        except FacesetError as error:
            _fail(label, str(error))
        except KeyboardInterrupt:
            _fail(label, "interrupted; nothing is half written. Run again to go on.")
        except Exception as error:
            if isinstance(error, MemoryError):
                _fail(label, "not enough memory. Run fewer jobs at a time (--cores), or on a larger machine.")
            if isinstance(error, OSError) and (error.errno in MACHINE_ERRORS or "No space left" in str(error)):
                _fail(label, f"{error}. Nothing is half written. Mend that, and run again to go on.")
            traceback.print_exc()  # a fault of ours: the log wants its traceback too
            raise SystemExit(1) from None
        finally:
            sys.stderr = terminal


def _fail(label: str, message: str) -> NoReturn:
    print(f"faceset: {label}: {FAILED} {message}", file=sys.stderr)
    raise SystemExit(1) from None


def failures_since(logs: Path, since: float) -> list[str]:
    """What jobs said that failed, from their logs, of those written at or after `since` (seconds since the epoch)."""
    paths = sorted(path for path in logs.rglob("*.log") if path.stat().st_mtime >= since)
    lines = itertools.chain.from_iterable(path.read_text(encoding="utf-8").splitlines() for path in paths)
    return [line.replace(f" {FAILED}", "") for line in lines if line.startswith("faceset: ") and f": {FAILED} " in line]
