"""Keys: what an instance of a stage depends on, and the digest that this amounts to."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from faceset.digests import canonical_json, remembered_file_digest, text_digest
from faceset.project.project import Project
from faceset.stages.code import code_of_function, code_of_stage, library_version
from faceset.stages.graph import reads_of, stages_before
from faceset.stages.stage import Instance, Stage, models_of
from faceset.store.actions import Action, Artifact, Provenance

if TYPE_CHECKING:
    from faceset.training.packs import Cuts

# The threshold is a setting of the stages that judge by it.
NOT_OF_A_MODEL_S_RESULT: Final = {"build", "file", "licence", "source", "threshold"}
# What the pixels of cut faces depend on besides frames and places: these functions and libraries, and nothing else.
CUTTING: Final = (
    ("faceset.training.pixels", "cut_face"),
    ("faceset.training.cutting", "cut_key"),
    ("faceset.footage.decoding", "decoded_frames"),
    ("faceset.footage.frames", "rows_of_video"),  # which says of a position which frame it is, and how it is turned
)
CUTTING_LIBRARIES: Final = ("av", "deflate", "numpy", "opencv-python")


@dataclass(frozen=True)
class Step:
    """The running of a stage for one instance, with all that its key needs known.

    `inputs` holds, by name, the artifacts read, each with the instance that made it. What it was made from stays what
    it was when first asked for: plan again to see an edit.
    """

    stage: Stage
    instance: Instance
    settings: dict[str, Any]
    inputs: dict[str, list[tuple[Instance, Artifact]]]
    files: dict[str, Path]
    models: dict[str, dict[str, Any]]

    @functools.cached_property
    def provenance(self) -> Provenance:
        """All that the result depends on."""
        used = code_of_stage(self.stage)
        settings, libraries = self.settings, used.libraries
        if self.stage.tells_code:
            before = {stage.name: code_of_stage(stage) for stage in stages_before(self.stage)}
            settings = {**settings, "code": {name: one.code for name, one in before.items()}}
            libraries = {name: version for one in (*before.values(), used) for name, version in one.libraries.items()}
        return Provenance(
            stage=self.stage.name,
            outputs=tuple(sorted(self.stage.outputs)),
            settings=settings,
            inputs={
                name: tuple((instance, artifact.sha256) for instance, artifact in entries)
                for name, entries in self.inputs.items()
            },
            files={name: remembered_file_digest(path) for name, path in self.files.items()},
            code=used.code,
            schemas=used.schemas,
            libraries=libraries,
            models=self.models,
        )

    @functools.cached_property
    def key(self) -> str:
        """The digest of its provenance."""
        return self.provenance.key


def plan_step(project: Project, stage: Stage, instance: Instance, read: Callable[[str], Action]) -> Step:
    """The running of a stage for one instance.

    `read` gives the record at a path, of which the project's prefix is no part; what it raises for a missing one is
    passed on. Raises NotMadeYetError for footage that was not hashed as it is now.
    """
    return Step(
        stage,
        instance,
        stage.settings(project, instance),
        {
            name: [(one.instance, read(one.record).outputs[one.output.name]) for one in reads]
            for name, reads in reads_of(project, stage, instance).items()
        },
        stage.files(project, instance),
        {
            name: model.model_dump(mode="json", exclude=NOT_OF_A_MODEL_S_RESULT)
            for name, model in models_of(project, stage).items()
        },
    )


@functools.cache
def cutting_code() -> str:
    """The digest of the code that cuts pixels."""
    code = {name: digest for start in CUTTING for name, digest in code_of_function(*start).code.items()}
    return text_digest(canonical_json({"kind": "cutting code", "code": code}))


@functools.cache
def cutting_context() -> str:
    """What the store knows pixels by that today's code cuts: a digest of code and libraries."""
    libraries = {name: library_version(name) for name in CUTTING_LIBRARIES}
    context = {"kind": "cutting context", "code": cutting_code(), "libraries": libraries}
    return text_digest(canonical_json(context))


def cuts_of(project: Project, source: str, check: Callable[[], None] = lambda: None) -> "Cuts":
    """What the store remembers of the faces of a source, as the code of today cuts them; `check` as `Cuts` has it."""
    from faceset.training.packs import Cuts  # here, since most steps need no tables

    return Cuts(project.store.cuts / source, cutting_context(), project.store.set_aside, check)
