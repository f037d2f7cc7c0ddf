"""All stages, in the order of the data: each module of this folder holds one, but for those that tell of stages."""

import importlib
import pkgutil
from typing import Final

from faceset import stages
from faceset.stages.stage import Stage

NO_STAGES: Final = frozenset({"code", "graph", "stage", "table"})
"""The modules of this folder that tell of stages, and are none."""


def _found() -> dict[str, Stage]:
    names = sorted({module.name for module in pkgutil.iter_modules(stages.__path__)} - NO_STAGES)
    modules = {name: importlib.import_module(f"{stages.__name__}.{name}") for name in names}
    return {name: module.STAGE for name, module in modules.items()}


def _ordered(found: dict[str, Stage]) -> dict[str, Stage]:
    """Each after all that it reads; of those that could be next, first by name, what nothing reads last."""
    waiting, ordered = dict(sorted(found.items())), dict[str, Stage]()
    while waiting:
        ready = [
            stage for stage in waiting.values() if all(output.stage.name in ordered for output in stage.inputs.values())
        ]
        first = min(ready, key=lambda stage: (stage.terminal, stage.name))
        ordered[first.name] = waiting.pop(first.name)
    return ordered


STAGES: Final[dict[str, Stage]] = _ordered(_found())
