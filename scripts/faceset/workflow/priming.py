"""Priming: before Snakemake plans, make every record say what the store already knows.

One walk through all steps computes each key. Where the store knows the action, record and links are written; where
it does not, they and everything that hangs on them are removed, for in a fresh folder Snakemake has no memory and
would take a stale record for good.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from faceset.decisions.keep_list import read_keep_list
from faceset.project.project import Project
from faceset.stages.graph import all_instances, records_read
from faceset.stages.stage import Instance, NotMadeYetError, Stage
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.store.format import state_of
from faceset.workflow.keys import Step, plan_step
from faceset.workflow.placing import put_in_place
from faceset.workflow.records import publish, reader, retract, retract_strangers, sweep
from faceset.workflow.roots import note_root

FORECAST_LISTED = 20


@dataclass
class Primed:
    """How many targets are as the store knows them, were brought back from it, and are to be made."""

    known: int = 0
    restored: int = 0
    missing: int = 0


@dataclass(frozen=True)
class Target:
    """An instance of a stage, and what the store knows of it: None if it is to be made."""

    stage: Stage
    instance: Instance
    known: tuple[Step, Action] | None

    @property
    def label(self) -> str:
        """Stage and instance, for people."""
        return " ".join([self.stage.name, *self.instance.values()])


def survey(project: Project) -> Iterator[Target]:
    """Every target, each after all that it reads.

    Nothing is written. Raises FacesetError for input that no run could use.
    """
    for faceset in project.config.facesets:
        keep_list = project.keep_list(faceset)
        read_keep_list(keep_list if keep_list.is_file() else None)
    known: dict[str, Action] = {}

    def read(record: str) -> Action:
        if record not in known:
            raise NotMadeYetError
        return known[record]

    for stage, instance in all_instances(project):
        try:
            step = plan_step(project, stage, instance, read)
        except NotMadeYetError:
            yield Target(stage, instance, None)
            continue
        action = project.store.find(step.key)
        if action is not None:
            known[stage.record.format(**instance)] = action
        yield Target(stage, instance, (step, action) if action else None)


def prime(project: Project) -> Primed:
    """Bring all records and links of the project in step with the store. Never computes anything.

    Raises FacesetError for input that no run could use.
    """
    primed = Primed()
    note_root(project)
    if project.config.paranoid:
        for source in project.sources.values():
            project.footage_digests(source).learn(paranoid=True)
    retract_strangers(project, list(all_instances(project)))
    for target in survey(project):
        stage, instance = target.stage, target.instance
        sweep(project, stage, instance)
        if target.known is None:
            primed.missing += 1
            retract(project, stage, instance)
            continue
        step, action = target.known
        project.store.note_use(step.key, instance)
        put_in_place(project, step, action)
        if publish(project, stage, instance, action):
            primed.restored += 1
        else:
            primed.known += 1
        # Snakemake counts a benchmark among the outputs.
        made = [stage.record, *stage.links.values(), stage.benchmark]
        inputs = [project.path(record) for record in records_read(project, stage, instance)]
        inputs += stage.files(project, instance).values()
        _keep_newer([project.path(pattern.format(**instance)) for pattern in made], inputs)
    return primed


def forecast(project: Project) -> str:
    """What a run would make, in a line or two: Snakemake's own dry run sees only what lies in the folder.

    Raises FacesetError for a store that this code does not know.
    """
    state_of(project.store.root)
    targets = list(survey(project))
    missing = [target.label for target in targets if target.known is None]
    if not missing:
        return f"faceset: the store knows all {len(targets)} results; a run would compute nothing."
    named = ", ".join(missing[:FORECAST_LISTED]) + (", …" if len(missing) > FORECAST_LISTED else "")
    return (
        f"faceset: the store knows {len(targets) - len(missing)} of {len(targets)} results. "
        f"A run of `all` would make, or find unchanged: {named}."
    )


def is_known(project: Project, stage_name: str, instance: Instance) -> bool:
    """Whether the store knows this target's action already.

    Raises FileNotFoundError while something that it reads is yet to be made.
    """
    step = plan_step(project, STAGES[stage_name], instance, reader(project))
    return project.store.find(step.key) is not None


def _keep_newer(made: list[Path], inputs: list[Path]) -> None:
    # Snakemake goes by modification times, of links by their own; the keys have just proved these targets right.
    newest = max((path.stat().st_mtime_ns for path in inputs if path.exists()), default=0)
    for path in made:
        if os.path.lexists(path) and path.lstat().st_mtime_ns <= newest:
            moment = max(time.time_ns(), newest)
            os.utime(path, ns=(moment, moment), follow_symlinks=False)
