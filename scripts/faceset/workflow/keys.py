"""Steps: instances of stages with all that they depend on, and the key that this amounts to."""

import functools
import importlib.metadata
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faceset.code_digest import code_digests
from faceset.digests import canonical_json, file_digest, text_digest
from faceset.project.project import Project
from faceset.stages.settings import Where
from faceset.stages.table import CUT_LIBRARIES, STAGES, Stage
from faceset.store.objects import Action, Artifact

if TYPE_CHECKING:
    from faceset.training.packs import Cuts

# The threshold is a parameter of the stages that judge by it.
NOT_OF_A_MODEL_S_RESULT = {"build", "file", "licence", "source", "threshold"}


@dataclass(frozen=True)
class Step:
    """One instance of a stage, with all that its key needs known.

    `inputs` holds, by name, the artifacts read: a list where the stage gathers several instances, with their
    wildcards beside. What it was made from stays what it was when first asked for: plan anew to see an edit.
    """

    stage: Stage
    where: Where
    params: dict[str, Any]
    inputs: dict[str, list[tuple[Where, Artifact]]]
    files: dict[str, Path]
    models: dict[str, dict[str, Any]]

    @functools.cached_property
    def made_from(self) -> dict[str, Any]:
        """All that the result depends on. Where things are, and how many cores run, is not part of it."""
        return {
            "stage": self.stage.name,
            "makes": sorted(self.stage.makes),
            "params": self.params,
            "inputs": {
                name: [[dict(where), artifact.sha256] for where, artifact in entries]
                for name, entries in self.inputs.items()
            },
            "files": {name: _digest_of(str(path), *_stat(path)) for name, path in self.files.items()},
            "code": self.stage.code,
            "models": self.models,
            "libraries": {name: _version(name) for name in self.stage.libraries},
        }

    @functools.cached_property
    def key(self) -> str:
        """SHA-256 of `made_from`."""
        return text_digest(canonical_json(self.made_from))


def plan_step(project: Project, stage: Stage, where: Where, read: Callable[[str], Action]) -> Step:
    """One instance of a stage. `read` gives the record at a path; what it raises for a missing one is passed on."""
    reads = stage.reads_of(project, where)
    return Step(
        stage,
        where,
        stage.params(project, where),
        {
            name: [
                (instance, read(other.record.format(**instance)).outputs[output]) for other, instance, output in entries
            ]
            for name, entries in reads.items()
        },
        stage.files(project, where),
        {
            name: project.models[name].model_dump(mode="json", exclude=NOT_OF_A_MODEL_S_RESULT)
            for name in stage.models(project)
        },
    )


def all_steps(project: Project) -> Iterator[tuple[Stage, Where]]:
    """Every instance of every stage, each after all that it reads."""
    return itertools.chain.from_iterable(
        ((stage, where) for where in stage.instances(project)) for stage in STAGES.values()
    )


def cuts_of(project: Project, source: str, check: Callable[[], None] = lambda: None) -> "Cuts":
    """What the store remembers of the faces of a source, as the code of today cuts them; `check` as `Cuts` has it."""
    from faceset.training.packs import Cuts  # here, since most steps need no tables

    depends_on = {
        "source": source,
        "code": code_digests("faceset.training.cutting"),
        "libraries": {name: _version(name) for name in CUT_LIBRARIES},
    }
    context = text_digest(canonical_json(depends_on))
    return Cuts(project.store.cuts / source, context, project.store.set_aside, check)


@functools.cache
def _version(library: str) -> str:
    if library == "zlib":  # comes with Python, in the version of the system
        return zlib.ZLIB_RUNTIME_VERSION
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{library}-gpu")  # the same module under another package name


def _stat(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


@functools.cache
def _digest_of(path: str, size: int, mtime_ns: int, inode: int) -> str:  # noqa: ARG001 (they tell a changed file)
    return file_digest(Path(path))
