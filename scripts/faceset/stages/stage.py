"""What a stage is: what it reads, what it makes, and what else its result depends on.

Each stage is one file of this folder, which holds a `STAGE` and the function `compute` that makes its outputs. Planning
imports all of these files, so they import nothing heavy: `compute` imports its subject inside the function, and the
key of the stage begins at what it imports there. Other stages are imported under names in capitals: a string in
`compute`, as "frames", counts as a use of what the file knows by that name, and would draw the other stage's file in.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from faceset.project.project import Project
from faceset.project.sources import Source

if TYPE_CHECKING:
    from faceset.models.catalogue import Model

Instance = Mapping[str, str]
"""What a stage runs for: the values of its wildcards `faceset` and `source`, as far as it has them."""

PER_SOURCE: Final = "results/{source}"
PER_FACESET: Final = "results/facesets/{faceset}"
PER_FACESET_AND_SOURCE: Final = "results/facesets/{faceset}/{source}"
PER_PROJECT: Final = "results"


class NotMadeYetError(Exception):
    """Something that an instance depends on is yet to be made."""


class Job(Protocol):
    """What `compute` is handed: where to read and write, and what the result may depend on.

    `settings`, `files` and `models` are those of the stage's declaration. `ran_on` may be set to what models ran on.
    """

    ran_on: str

    @property
    def settings(self) -> Mapping[str, Any]:
        """The stage's settings."""

    @property
    def source(self) -> Source:
        """The source that the instance works on."""

    @property
    def models(self) -> Mapping[str, Any]:
        """The catalogue's entries of the stage's models, by name."""

    @property
    def models_folder(self) -> Path:
        """Where the models' files lie."""

    @property
    def device(self) -> Any:
        """What models are to run on: `auto`, `cpu` or `cuda`."""

    @property
    def threads(self) -> int:
        """How many threads to use at most; no result depends on it."""

    @property
    def parts(self) -> Any:
        """What was made of parts of this work, as `faceset.footage.parts.Parts`."""

    @property
    def files(self) -> Mapping[str, Path]:
        """The user's own files, by name."""

    @property
    def footage_digests(self) -> Mapping[Path, str]:
        """The SHA-256 of each file of the source's footage, in order."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """All that the result depends on, as JSON."""

    def has(self, name: str) -> bool:
        """Whether there is an input of that name."""

    def input(self, name: str) -> Path:
        """The one artifact of that name, verified."""

    def inputs(self, name: str) -> Mapping[str, Path]:
        """All artifacts of that name, verified, by the wildcard that this stage lacks: source or faceset."""

    def inputs_below(self) -> Mapping[str, tuple[str, int]]:
        """What it reads that lies in its own folder of results: by path in there, SHA-256 and size in bytes."""

    def output(self, name: str) -> Path:
        """Where to write the output of that name."""

    def cuts(self) -> AbstractContextManager[Any]:
        """The store's memory of the source's cut faces, a `faceset.training.packs.Cuts`, nobody else adding to it."""


class Placement(Protocol):
    """What `put_in_place` is handed: the result, and what it was made from."""

    @property
    def folder(self) -> Path:
        """The instance's folder of results."""

    def result(self, name: str) -> tuple[Path, str]:
        """Path and SHA-256 of an output, not verified."""

    def inputs(self, name: str) -> Mapping[str, Path]:
        """As of a job, each verified when it is asked for."""

    def source(self, name: str) -> Source:
        """A source of the project."""

    def cuts(self, source: str) -> Any:
        """The store's memory of a source's cut faces, to be read."""

    def discard_input(self, name: str, source: str) -> None:
        """Remove an artifact that proved useless, so that the next run recomputes it."""


def _no_settings(_project: Project, _instance: Instance) -> dict[str, Any]:
    return {}


def _no_files(_project: Project, _instance: Instance) -> dict[str, Path]:
    return {}


def _no_models(_project: Project) -> tuple[str, ...]:
    return ()


def _never(_project: Project) -> bool:
    return False


def _always(_project: Project, _instance: Instance) -> bool:
    return True


@dataclass(frozen=True, eq=False)
class Stage:
    """One stage.

    name
        Also that of its rule, its file, its record and its logs.
    folder
        Where its results lie: a pattern of the wildcards it runs for.
    outputs
        Name and file name of each.
    compute
        Makes them. With all that it imports, it is the code that the result depends on.
    inputs
        What it reads of other stages, by name. If the other stage runs for a wildcard that this one does not have, it
        reads all its instances.
    inputs_if
        For a name in `inputs`: in which projects only.
    settings, files, models
        What else the result depends on: settings, the user's own files, models by name.
    runs_if
        Which of its instances there are; stages that would read the others do without them.
    gpu
        Whether it asks for a GPU, where it runs a model.
    footage
        Whether it reads the footage itself, by the `frames` table.
    in_parts
        In which projects its work is done in parts of frames, which shards may share.
    copied
        Outputs whose plain name is a real file: a browser goes by the name of what a link leads to.
    terminal
        Whether it is wanted for itself: nothing reads it.
    tells_code
        Whether its result tells the code of the stages before it.
    prepare
        Done before the key is computed.
    put_in_place
        Makes what its result is besides record and links, before the record is written; cheap if it is there.
    """

    name: str
    folder: str
    outputs: Mapping[str, str]
    compute: Callable[[Job], None]
    inputs: Mapping[str, "Output"] = field(default_factory=dict)
    inputs_if: Mapping[str, Callable[[Project], bool]] = field(default_factory=dict)
    settings: Callable[[Project, Instance], dict[str, Any]] = _no_settings
    files: Callable[[Project, Instance], dict[str, Path]] = _no_files
    models: Callable[[Project], tuple[str, ...]] = _no_models
    runs_if: Callable[[Project, Instance], bool] = _always
    gpu: bool = False
    footage: bool = False
    in_parts: Callable[[Project], bool] = _never
    copied: tuple[str, ...] = ()
    terminal: bool = False
    tells_code: bool = False
    prepare: Callable[[Project, Instance], None] | None = None
    put_in_place: Callable[[Placement], None] | None = None

    def __getitem__(self, output: str) -> "Output":
        """One of its outputs, to be read by another stage; KeyError if there is none of that name."""
        self.outputs[output]
        return Output(self, output)

    @property
    def wildcards(self) -> tuple[str, ...]:
        """The wildcards it runs for: some of `faceset` and `source`."""
        return tuple(name for name in ("faceset", "source") if f"{{{name}}}" in self.folder)

    @property
    def record(self) -> str:
        """Pattern of the record's path."""
        return f"{self.folder}/{self.name}.json"

    @property
    def links(self) -> dict[str, str]:
        """Patterns of the plain names that lead to the outputs, or of the copies of them."""
        return {name: f"{self.folder}/{file}" for name, file in self.outputs.items()}

    @property
    def shard(self) -> str:
        """Pattern of the path of the mark that one of its shards is made; the wildcard `shard` is its name."""
        return f"{self.folder}/{self.name}.shard-{{shard}}"

    @property
    def log(self) -> str:
        """Pattern of the path of its rule's log."""
        return f"logs/{self.name}/{self._wildcard_path}.log"

    @property
    def benchmark(self) -> str:
        """Pattern of the path of its rule's benchmark."""
        return f"logs/benchmarks/{self.name}/{self._wildcard_path}.tsv"

    @property
    def _wildcard_path(self) -> str:
        return "/".join(f"{{{name}}}" for name in self.wildcards) or "all"


@dataclass(frozen=True)
class Output:
    """One output of a stage, as other stages name it."""

    stage: Stage
    name: str


def models_of(project: Project, stage: Stage) -> "dict[str, Model]":
    """The catalogue's entries of a stage's models, by name."""
    return {name: project.models[name] for name in stage.models(project)}
