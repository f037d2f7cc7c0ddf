"""What the script of every rule does: run its stage for the job's wildcards, log it, and say in data why it failed."""

import contextlib
import json
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TextIO, cast

from faceset.atomic import write_atomically
from faceset.digests import canonical_json
from faceset.errors import FacesetError, is_refused_by_machine
from faceset.project.config import Config, settled
from faceset.project.project import prefix_of, project_of
from faceset.stages.stage import Stage
from faceset.stages.table import STAGES
from faceset.workflow.jobs import Means, run_stage

FAILURE: Final = ".failure.json"
LEAVE: Final = "Where a workflow imports Faceset, leave the `params` of its rules as they are."
Cause = Literal["input", "interrupted", "memory", "machine", "fault"]


@dataclass(frozen=True)
class Failure:
    """Why a job failed: `input` that the user can fix, or the other causes; `message` is for people."""

    job: str
    cause: Cause
    message: str

    @property
    def sentence(self) -> str:
        """For people."""
        return f"faceset: {self.job}: {self.message}"


def run_rule(snakemake: Any) -> None:
    """Run the stage of a rule, of which the `snakemake` object is only read.

    The rule has the stage's name and the settings, checked and complete, as parameters; its output tells the prefix of
    a workflow that imports this one. What a user can fix, a full disk included, ends the job with one line and no
    traceback; so does an interruption.
    """
    name = str(getattr(snakemake.params, "stage", "a rule without a stage"))
    instance: dict[str, str] = dict(snakemake.wildcards.items())
    label = " ".join([name, *instance.values()])
    log = Path(snakemake.log[0])
    with _logged(log), _failing_with_a_word(label, log.with_name(log.name + FAILURE)):
        stage = _stage_of(name, instance)
        own = (stage.shard if "shard" in instance else stage.record).format(**instance)
        prefix = prefix_of(str(snakemake.output[0]), own)
        project = project_of(settled(Config, _settings_of(snakemake.params)), prefix)
        means = Means(snakemake.resources.get("gpu", 0), snakemake.threads)
        computed = run_stage(project, stage.name, means, **instance)
        if "shard" in instance:
            Path(snakemake.output[0]).touch()
        _say(f"faceset: {label}: {'done' if computed else 'known already, nothing computed'}")


def _settings_of(params: Any) -> Mapping[str, Any]:
    """The settings that the rule hands on, checked and complete."""
    settings = getattr(params, "settings", None)
    if settings is None:
        raise FacesetError(f"params: the settings are missing. {LEAVE}")
    return cast(Mapping[str, Any], settings)


def _stage_of(name: str, instance: Mapping[str, str]) -> Stage:
    """The stage of a rule; FacesetError where a workflow that imports this one gave the rule another's."""
    if name not in STAGES:
        raise FacesetError(f"params: stage is {name!r}, and there is no such stage. {LEAVE}")
    stage = STAGES[name]
    if set(instance) - {"shard"} != set(stage.wildcards):
        found, expected = (" and ".join(names) or "none" for names in (sorted(instance), stage.wildcards))
        raise FacesetError(
            f"params: stage is {name!r}, which runs for the wildcards: {expected}; this rule has: {found}. {LEAVE}"
        )
    return stage


def failures_since(logs: Path, since: float) -> list[Failure]:
    """Why jobs failed, of those whose failure was written at or after `since` (seconds since the epoch)."""
    found = []
    for path in sorted(logs.rglob(f"*{FAILURE}")):
        with contextlib.suppress(OSError, ValueError, TypeError):  # a file of logs: of no effect on any result
            if path.stat().st_mtime >= since:
                found.append(Failure(**json.loads(path.read_bytes())))
    return found


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")  # in one piece, since other jobs write to the same terminal
    sys.stderr.flush()


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


@contextlib.contextmanager
def _logged(path: Path) -> Iterator[None]:
    """Have what is said on the terminal in the log as well."""
    terminal = sys.stderr
    with path.open("w", encoding="utf-8") as log:
        sys.stderr = _Tee(terminal, log)
        try:
            yield
        finally:
            sys.stderr = terminal


@contextlib.contextmanager
def _failing_with_a_word(label: str, failure: Path) -> Iterator[None]:
    """End the process with one line, and a file that says the same, where something fails."""
    failure.unlink(missing_ok=True)

    def fail(cause: Cause, message: str) -> NoReturn:
        found = Failure(label, cause, message)
        _say(found.sentence)
        with contextlib.suppress(OSError):  # on a full disk the line on the terminal has to do
            write_atomically(failure, (canonical_json(asdict(found)) + "\n").encode())
        raise SystemExit(1) from None

    try:
        yield
    except FacesetError as error:
        fail("input", str(error))
    except KeyboardInterrupt:
        fail("interrupted", "interrupted; nothing is half written. Run again to go on.")
    except MemoryError:
        fail("memory", "not enough memory. Run fewer jobs at a time (--cores), or on a larger machine.")
    except Exception as error:
        if is_refused_by_machine(error):
            fail("machine", f"{error}. Nothing is half written. Fix this, then run again.")
        traceback.print_exc()  # a fault of ours: the log wants its traceback too
        fail("fault", f"a fault in Faceset: {type(error).__name__}: {error}. The log holds where.")
