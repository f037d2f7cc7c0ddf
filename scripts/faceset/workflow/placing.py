"""Putting in place what a result is besides its record and links, as its stage says."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faceset.project.project import Project
from faceset.project.sources import Source
from faceset.store.actions import Action, Artifact
from faceset.workflow.keys import Step, cuts_of

if TYPE_CHECKING:
    from faceset.training.packs import Cuts


def put_in_place(project: Project, step: Step, action: Action) -> None:
    """Before a target's record is written, make the real files right that belong to it; cheap if they are.

    Raises what the stage's own function does.
    """
    if step.stage.put_in_place:
        step.stage.put_in_place(_Placement(project, step, action))


@dataclass(frozen=True)
class _Placement:
    """What the stage's function is handed, a `faceset.stages.stage.Placement`."""

    project: Project
    step: Step
    action: Action

    @property
    def folder(self) -> Path:
        return self.project.path(self.step.stage.folder.format(**self.step.instance))

    def result(self, name: str) -> tuple[Path, str]:
        artifact = self.action.outputs[name]
        return self.project.store.object_path(artifact), artifact.sha256

    def inputs(self, name: str) -> Mapping[str, Path]:
        return _Verified(self, name)

    def source(self, name: str) -> Source:
        return self.project.sources[name]

    def cuts(self, source: str) -> "Cuts":
        return cuts_of(self.project, source)

    def artifacts(self, name: str) -> dict[str, Artifact]:
        return {instance["source"]: artifact for instance, artifact in self.step.inputs[name]}

    def discard_input(self, name: str, source: str) -> None:
        self.project.store.discard(self.artifacts(name)[source])


class _Verified(Mapping[str, Path]):
    """The artifacts of an input by source, each verified when it is asked for."""

    def __init__(self, placement: _Placement, name: str) -> None:
        self._placement, self._artifacts = placement, placement.artifacts(name)

    def __getitem__(self, source: str) -> Path:
        return self._placement.project.store.get(self._artifacts[source])

    def __iter__(self) -> Iterator[str]:
        return iter(self._artifacts)

    def __len__(self) -> int:
        return len(self._artifacts)
