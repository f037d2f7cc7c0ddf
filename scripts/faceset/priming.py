"""Priming: before Snakemake plans, make every record say what the store already knows.

One walk through all steps computes each key. Where the store knows the action, record and links are written; where
it does not, they and everything that hangs on them are removed, for in a fresh folder Snakemake has no memory and
would take a stale record for good.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from faceset.keep_list import read_keep_list
from faceset.materialise import materialise
from faceset.project import Project
from faceset.records import publish, read_record, retract
from faceset.stages import STAGES, Where, all_steps, plan_step
from faceset.store import Action


@dataclass
class Primed:
    """How many targets are up to date, and how many are to be made."""

    known: int = 0
    restored: int = 0
    missing: int = 0


def prime(project: Project) -> Primed:
    """Bring all records and links of the project in step with the store. Never computes anything.

    Raises FacesetError for input that no run could use.
    """
    for faceset in project.config.facesets:
        keep_list = project.keep_list(faceset)
        read_keep_list(keep_list if keep_list.is_file() else None)
    primed = Primed()
    current: dict[str, Action] = {}
    for stage, where in all_steps(project):
        record = stage.record.format(**where)
        action = None
        try:
            step = plan_step(project, stage, where, current.__getitem__)
        except KeyError:  # something it reads is yet to be made
            step = None
        if step is not None:
            action = project.store.find(step.key)
        if step is None or action is None:
            primed.missing += 1
            retract(stage, where)
            continue
        current[record] = action
        materialise(project.store, step, action)
        if publish(project.store, stage, where, action):
            primed.restored += 1
        else:
            primed.known += 1
        made = [record, *(pattern.format(**where) for pattern in stage.links.values())]
        _keep_newer([Path(path) for path in made], [Path(path) for path in stage.record_inputs(project, where)])
    return primed


def is_known(project: Project, stage_name: str, where: Where) -> bool:
    """Whether the store knows this target's action already.

    Raises FileNotFoundError while something that it reads is yet to be made.
    """
    return project.store.find(plan_step(project, STAGES[stage_name], where, read_record).key) is not None


def _keep_newer(made: list[Path], inputs: list[Path]) -> None:
    # Snakemake goes by modification times, of links by their own; the keys have just proved these targets right.
    newest = max((path.stat().st_mtime_ns for path in inputs if path.exists()), default=0)
    for path in made:
        if path.lstat().st_mtime_ns <= newest:
            moment = max(time.time_ns(), newest)
            os.utime(path, ns=(moment, moment), follow_symlinks=False)
