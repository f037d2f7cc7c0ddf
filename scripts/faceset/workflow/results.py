"""The one way to find a result by name: its record says which artifact it is now, and the store has that."""

from dataclasses import dataclass
from pathlib import Path

from faceset.errors import FacesetError
from faceset.project.project import Project
from faceset.stages.graph import reads_of
from faceset.stages.stage import Instance, NotMadeYetError, Stage
from faceset.stages.table import STAGES
from faceset.store.actions import Action, Artifact
from faceset.workflow.keys import plan_step
from faceset.workflow.records import read_record

RUN_FIRST = "Run the workflow, look at the report, and try again."


@dataclass(frozen=True)
class Result:
    """An output of an instance of a stage, as its record names it."""

    project: Project
    stage: Stage
    output: str
    instance: Instance
    artifact: Artifact

    @property
    def record(self) -> Path:
        """Where its record lies."""
        return self.project.path(self.stage.record.format(**self.instance))

    @property
    def shown(self) -> Path:
        """The plain name by which it is shown."""
        return self.project.path(self.stage.links[self.output].format(**self.instance))

    @property
    def path(self) -> Path:
        """Its bytes in the store, verified.

        Raises FacesetError if they are gone or damaged.
        """
        return self.project.store.get(self.artifact)


class Results:
    """The results of a project, as they lie in the working directory now."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._current: dict[str, Action] = {}

    def find(self, stage_name: str, output: str, **instance: str) -> Result | None:
        """A result; None if it is not made yet, or no longer in the store.

        Raises FacesetError for a record that is not ours.
        """
        stage = STAGES[stage_name]
        try:
            action = read_record(self._project.path(stage.record.format(**instance)))
        except FileNotFoundError:
            return None
        artifact = action.outputs.get(output)
        if artifact is None or not self._project.store.has(artifact):
            return None
        return Result(self._project, stage, output, instance, artifact)

    def get(self, stage_name: str, output: str, **instance: str) -> Result:
        """A result.

        Raises FacesetError if it is not made yet, or no longer in the store.
        """
        found = self.find(stage_name, output, **instance)
        if found is None:
            record = self._project.path(STAGES[stage_name].record.format(**instance))
            raise FacesetError(f"{record}: not made yet. Run the workflow first.")
        return found

    def get_current(self, stage_name: str, output: str, **instance: str) -> Result:
        """A result that, with all that it depends on, is what a run would make now.

        Raises FacesetError if it is not made yet, or was made from something else.
        """
        stage = STAGES[stage_name]
        action = self._checked(stage, instance)
        return Result(self._project, stage, output, instance, action.outputs[output])

    def is_current(self, stage_name: str, **instance: str) -> bool:
        """Whether a result is what a run would make now from the records that it reads; False if there is none."""
        stage, project = STAGES[stage_name], self._project
        try:
            step = plan_step(project, stage, instance, lambda record: read_record(project.path(record)))
            return project.store.find(step.key) == read_record(project.path(stage.record.format(**instance)))
        except (FileNotFoundError, NotMadeYetError, KeyError):
            return False

    def _checked(self, stage: Stage, instance: Instance) -> Action:
        record = stage.record.format(**instance)
        if record not in self._current:
            for reads in reads_of(self._project, stage, instance).values():
                for read in reads:
                    self._checked(read.output.stage, read.instance)
            if stage.prepare:
                stage.prepare(self._project, instance)
            self._current[record] = self._read_current(stage, instance, self._project.path(record))
        return self._current[record]

    def _read_current(self, stage: Stage, instance: Instance, path: Path) -> Action:
        try:
            action = read_record(path)
        except FileNotFoundError as error:
            raise FacesetError(f"{path}: not made yet. {RUN_FIRST}") from error
        known = self._project.store.find(plan_step(self._project, stage, instance, self._current.__getitem__).key)
        if known is None or known.outputs != action.outputs:
            raise FacesetError(f"{path}: what it was made from or decided by has changed since. {RUN_FIRST}")
        return action
