"""Promises of the library's floors: a module uses its own floor and those below it, and no two use each other."""

import ast
import graphlib
from pathlib import Path

import pytest

import faceset

ROOT = Path(faceset.__file__).parent
GROUND = "the ground floor"
FLOORS = (
    ("__main__", "commands"),
    ("setup", "demo"),
    ("upkeep",),
    ("workflow",),
    ("stages",),
    ("report", "review"),
    ("training",),
    ("decisions",),
    ("people",),
    ("project",),
    ("models",),
    ("crops",),
    ("alignments",),
    ("footage",),
    ("geometry",),
    ("store",),
    ("tables",),
    ("code", GROUND),
)
"""From the top: what each holds, folders of the library and `__main__`; on the ground floor are its other modules."""

LEVELS = {name: len(FLOORS) - level for level, names in enumerate(FLOORS) for name in names}


def module_name(path: Path) -> str:
    return ".".join(["faceset", *path.relative_to(ROOT).with_suffix("").parts])


MODULES = {module_name(path): path for path in sorted(ROOT.rglob("*.py")) if path.name != "__init__.py"}


def room(module: str) -> str:
    """Which entry of FLOORS a module belongs to."""
    _, name, *rest = module.split(".")
    return name if rest or name in LEVELS else GROUND


def imported_by(module: str) -> set[str]:
    """The modules of the library that a module imports anywhere: in functions too, and for type checkers alone."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module}: imports by a relative name"
            whole = f"{node.module}"
            found |= {whole if whole in MODULES else f"{whole}.{alias.name}" for alias in node.names}
    return {name for name in found if name in MODULES}


def test_every_module_has_its_floor() -> None:
    assert {room(module) for module in MODULES} <= set(LEVELS)
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders <= set(LEVELS)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_from_its_own_floor_and_those_below(module: str) -> None:
    above = {other for other in imported_by(module) if LEVELS[room(other)] > LEVELS[room(module)]}
    assert not above


def test_only_the_floors_that_run_things_know_the_store_and_the_project_which_names_it() -> None:
    running = {"__main__", "commands", "setup", "demo", "upkeep", "workflow"}
    of_store = {room(module) for module in MODULES if any(room(other) == "store" for other in imported_by(module))}
    assert of_store <= running | {"project", "store"}
    of_project = {room(module) for module in MODULES if any(room(other) == "project" for other in imported_by(module))}
    assert of_project <= running | {"stages", "project"}


def test_no_modules_import_each_other_at_any_remove() -> None:
    graphlib.TopologicalSorter({module: imported_by(module) for module in MODULES}).prepare()
