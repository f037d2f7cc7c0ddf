"""Promises of the code in keys: what each stage owes to code, and that an edit moves the keys it should and no other.

Edits are made in a copy of the library, as changes of its syntax trees, and the copy is asked in a process of its own.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import faceset
from exception_flow import flows
from faceset.code.digests import Library
from faceset.stages.code import DISTRIBUTIONS, code_of_function, code_of_stage
from faceset.stages.stage import Stage
from faceset.stages.table import STAGES
from faceset.workflow.keys import CUTTING, CUTTING_LIBRARIES

ROOT = Path(faceset.__file__).parent
NOT_OF_RESULTS = {"commands", "demo", "project", "setup", "stages", "store", "upkeep", "workflow"}
READ_ALIGNMENTS = {"detect", "ingest", "clean", "extract"}

# What is caught there is onnxruntime's error, and all that comes of it is which error is raised.
ONLY_CHOOSE_AN_ERROR = {
    ("faceset.models.inference", "_pass_on_full_memory(error, provider)"),
    ("faceset.models.inference", "_pass_on_full_memory(error, self.provider)"),
}

each_stage = pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)


def modules_of(stage: Stage) -> list[str]:
    """The modules that a stage's `compute` reaches, without its own file."""
    return Library(ROOT).modules_reached(stage.compute.__module__, stage.compute.__name__)


@each_stage
def test_a_stage_owes_its_result_to_its_own_compute_and_to_subjects_alone(stage: Stage) -> None:
    reached = modules_of(stage)
    assert not {module for module in reached if module.split(".")[1] in NOT_OF_RESULTS}
    own = [name for name in code_of_stage(stage).code if name.startswith("faceset.stages.")]
    assert own == [f"faceset.stages.{stage.name}:compute"]
    assert len(reached) > 3


@each_stage
def test_no_word_in_a_stage_s_compute_draws_the_declaration_of_another_stage_in(stage: Stage) -> None:
    path = ROOT / "stages" / f"{stage.name}.py"
    tree = ast.parse(path.read_bytes())
    (compute,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "compute"]
    strings = {
        node.value for node in ast.walk(compute) if isinstance(node, ast.Constant) and node.value.__class__ is str
    }
    bound = {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert not strings & bound, "a string in compute counts as a use of an import of that name"


@each_stage
def test_of_every_package_that_a_stage_imports_the_version_counts(stage: Stage) -> None:
    used = code_of_stage(stage).libraries
    assert used
    assert set(used) <= {*DISTRIBUTIONS.values(), "zlib"}
    assert all(version[0].isdigit() for version in used.values())


def test_no_words_of_an_error_reach_a_result() -> None:
    modules = {module for stage in STAGES.values() for module in modules_of(stage)}
    cutting = {name.partition(":")[0] for start in CUTTING for name in code_of_function(*start).code}
    own = {stage.compute.__module__ for stage in STAGES.values()}
    found = flows(Library(ROOT), sorted(modules | cutting | own))
    assert {(flow.module, flow.code) for flow in found} == ONLY_CHOOSE_AN_ERROR


def test_what_cut_pixels_are_known_by_is_the_code_that_decodes_and_cuts_and_its_libraries() -> None:
    used = [code_of_function(*start) for start in CUTTING]
    assert {name for one in used for name in one.code} == {
        "faceset.arrays",
        "faceset.errors",
        "faceset.footage.decoding:decoded_frames",
        "faceset.footage.frames:rows_of_video",
        "faceset.geometry.mean_faces",
        "faceset.geometry.transforms",
        "faceset.training.cutting:cut_key",
        "faceset.training.pixels:cut_face",
    }
    assert {name for one in used for name in one.libraries} == set(CUTTING_LIBRARIES)
    assert not any(one.schemas for one in used)


# Edits of the copy

Change = Callable[[ast.Module], bool]


def walked(tree: ast.AST, kind: type[ast.AST]) -> Iterator[Any]:
    return (node for node in ast.walk(tree) if isinstance(node, kind))


def calls_of(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    return (call for call in walked(tree, ast.Call) if isinstance(call.func, ast.Name) and call.func.id == name)


def constant_at_module_level(tree: ast.Module) -> bool:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value:
            for constant in walked(statement.value, ast.Constant):
                if isinstance(constant.value, int | float) and not isinstance(constant.value, bool):
                    constant.value *= 2
                    return True
    return False


def operator(tree: ast.Module) -> bool:
    for node in walked(tree, ast.Compare):
        if isinstance(node.ops[0], ast.Lt | ast.LtE):
            node.ops[0] = ast.Gt()
            return True
    return False


def default_argument(tree: ast.Module) -> bool:
    for function in walked(tree, ast.FunctionDef):
        for default in function.args.defaults:
            if isinstance(default, ast.Constant):
                default.value = 77
                return True
    return False


def returned_value(tree: ast.Module) -> bool:
    for node in walked(tree, ast.Return):
        if node.value:
            node.value = ast.Tuple([node.value], ast.Load())
            return True
    return False


def statement_of_compute(tree: ast.Module) -> bool:
    (compute,) = [node for node in walked(tree, ast.FunctionDef) if node.name == "compute"]
    compute.body.append(ast.parse("return None").body[0])
    return True


def type_of_a_column(tree: ast.Module) -> bool:
    for call in calls_of(tree, "Column"):
        if call.args[1].value == "int32":
            call.args[1] = ast.Constant("int64")
            return True
    return False


def meaning_of_a_column(tree: ast.Module) -> bool:
    (call, *_) = calls_of(tree, "Column")
    call.args[2] = ast.Constant("something that nobody computes with")
    return True


def words_of_errors(tree: ast.Module) -> bool:
    raised = [node.exc for node in walked(tree, ast.Raise) if node.exc in list(calls_of(tree, "FacesetError"))]
    for error in raised:
        error.args = [ast.Constant("other words")]
    return bool(raised)


def docstrings(tree: ast.Module) -> bool:
    documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    found = [node for node in documented if ast.get_docstring(node)]
    for node in found:
        node.body[0] = ast.Expr(ast.Constant("Other words."))
    return bool(found)


def annotation(tree: ast.Module) -> bool:
    for function in walked(tree, ast.FunctionDef):
        if function.returns:
            function.returns = ast.Name("object", ast.Load())
            return True
    return False


def new_function(tree: ast.Module) -> bool:
    tree.body.append(ast.parse("def nobody_calls_this():\n    return 1\n").body[0])
    return True


def new_table(tree: ast.Module) -> bool:
    tree.body.append(ast.parse("NEW = Schema('new', 'a row', (Column('x', 'int32', 'a number'),))").body[0])
    return True


ASK = """
import json
from dataclasses import asdict
from faceset.stages.code import code_of_stage
from faceset.stages.table import STAGES
from faceset.workflow.keys import cutting_context
found = {name: asdict(code_of_stage(stage)) for name, stage in STAGES.items()}
print(json.dumps({**found, "cuts": cutting_context()}))
"""


def code_in(library: Path) -> dict[str, Any]:
    """What each stage, and what is cut, owes to the code of a library."""
    environment = {**os.environ, "PYTHONPATH": str(library.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    said = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, check=True, text=True)
    found: dict[str, Any] = json.loads(said.stdout)
    return found


@pytest.fixture(scope="module")
def before() -> dict[str, Any]:
    return code_in(ROOT)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the library."""
    return Path(shutil.copytree(ROOT, tmp_path / "faceset", ignore=shutil.ignore_patterns("__pycache__")))


def moved(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {name for name in before | after if before.get(name) != after.get(name)}


def change(path: Path, how: Change) -> None:
    """Edit a file; how it is laid out, and its comments, change with it."""
    tree = ast.parse(path.read_bytes())
    assert how(tree), f"{path.name} has nothing to edit so"
    path.write_text(ast.unparse(tree))


def test_a_copy_elsewhere_gives_the_same_keys(before: dict[str, Any], copy: Path) -> None:
    assert moved(before, code_in(copy)) == set()
    assert set(before) == {*STAGES, "cuts"}


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("geometry/transforms.py", docstrings),
        ("people/linkage.py", docstrings),
        ("stages/crop.py", docstrings),
        ("footage/decoding.py", words_of_errors),
        ("alignments/ingest.py", words_of_errors),
        ("geometry/transforms.py", annotation),
        ("footage/tables.py", meaning_of_a_column),
        ("tables/columns.py", meaning_of_a_column),
        ("people/tables.py", new_table),
        ("stages/crop.py", new_function),
        ("stages/stage.py", new_function),
        ("project/project.py", new_function),
        ("workflow/summary.py", new_function),
        ("training/assembled_folder.py", new_function),
    ],
)
def test_an_edit_that_changes_no_result_moves_no_key(
    before: dict[str, Any], copy: Path, file: str, how: Change
) -> None:
    text = (copy / file).read_text()
    (copy / file).write_text(f"# A comment.\n{text}\n\n# Another.\n")
    change(copy / file, how)
    assert moved(before, code_in(copy)) == set()


@pytest.mark.parametrize(
    ("file", "how", "expected"),
    [
        (
            "geometry/transforms.py",
            constant_at_module_level,
            {"detect", "ingest", "crop", "embed", "reference", "extract", "cuts"},
        ),
        ("people/linkage.py", operator, {"cluster"}),
        ("alignments/entries.py", default_argument, READ_ALIGNMENTS),
        ("models/detector.py", default_argument, {"detect", "reference"}),
        ("alignments/pickles/numbers.py", returned_value, READ_ALIGNMENTS),
        ("tables/parquet.py", returned_value, set(STAGES)),
        ("training/pixels.py", returned_value, {"extract", "cuts"}),
        (
            "footage/tables.py",
            type_of_a_column,
            {"frames", "detect", "ingest", "crop", "clean", "extract", "crate", "report"},
        ),
        ("people/tables.py", type_of_a_column, {"cluster", "manifest", "nearness", "report"}),
        ("stages/track.py", statement_of_compute, {"track"}),
    ],
)
def test_an_edit_moves_the_keys_of_exactly_the_stages_that_reach_it(
    before: dict[str, Any], copy: Path, file: str, how: Change, expected: set[str]
) -> None:
    change(copy / file, how)
    assert moved(before, code_in(copy)) == expected


@pytest.mark.parametrize(
    ("file", "expected"), [("report/page.css", {"report"}), ("models/landmarks.json", {"detect", "reference"})]
)
def test_an_edited_data_file_moves_the_keys_of_the_stages_that_name_it(
    before: dict[str, Any], copy: Path, file: str, expected: set[str]
) -> None:
    (copy / file).write_bytes((copy / file).read_bytes() + b"\n")
    assert moved(before, code_in(copy)) == expected
