"""Promises of the digests of code: what is reached, and what is refused."""

import shutil
from pathlib import Path

import pytest

from faceset.code.digests import CodeError, Library
from faceset.digests import file_digest
from made_up_library import CHIPS, COMPUTE, DEEP, STAGE, WORDS, code, edit, moved, write_library


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


def test_what_a_stage_reaches_counts_and_no_more(root: Path) -> None:
    found = code(root)
    modules = {"faceset.crops.chips", "faceset.crops.deep", "faceset.errors", "faceset.words"}
    assert set(found.modules) == modules | {COMPUTE}
    assert found.schemas == {("faceset.crops.tables", "CHIPS"), ("faceset.crops.tables", "SHAPES")}
    assert found.data == {"crops/numbers.json": file_digest(root / "crops/numbers.json")}
    assert Library(root).modules_reached("faceset.stages.crop", "compute") == sorted(modules)


def test_a_data_file_moves_just_its_digest(root: Path) -> None:
    before = code(root)
    (root / "crops/numbers.json").write_text("[1, 2, 4]")
    after = code(root)
    assert before.data.keys() == after.data.keys() == {"crops/numbers.json"}
    assert before.data != after.data
    assert after.modules == before.modules


def test_a_data_file_counts_wherever_a_string_or_another_data_file_names_it(root: Path) -> None:
    (root / "looks").mkdir()
    (root / "looks/page.css").write_text("body {}")
    edit(root / DEEP, "+ len", "+ len('see page.css') + len")
    (root / "crops/numbers.json").write_text('["others.json"]')
    assert set(code(root).data) == {"crops/numbers.json", "crops/others.json", "looks/page.css"}


def test_a_data_file_counts_that_only_a_docstring_names(root: Path) -> None:
    edit(root / DEEP, "def depth(*values, base):\n", 'def depth(*values, base):\n    """Of others.json."""\n')
    assert set(code(root).data) == {"crops/numbers.json", "crops/others.json"}


@pytest.mark.parametrize(
    "spelling", ['Path(__file__).parent.glob("*.json")', 'Path(__file__).with_name("oth" + "ers.json")']
)
def test_all_data_files_beside_a_module_count_that_asks_for_its_place_and_names_none(root: Path, spelling: str) -> None:
    (root / "crops/looking.py").write_text(f"from pathlib import Path\nFOUND = {spelling}\n")
    edit(root / DEEP, "from faceset import words\n", "from faceset import words\nimport faceset.crops.looking\n")
    assert set(code(root).data) == {"crops/numbers.json", "crops/others.json"}


def test_what_registers_itself_with_something_imported_that_the_stage_uses_counts(root: Path) -> None:
    edit(root / STAGE, "SCALE = 2", "SCALE = 2\n@crop_faces.register\ndef _whole(x): return x + 1")
    edit(root / STAGE, "    from faceset.crops.chips import crop_faces\n", "")
    edit(root / STAGE, "SCALE = 2", "from faceset.crops.chips import crop_faces\nSCALE = 2")
    before = code(root)
    edit(root / STAGE, "return x + 1", "return x + 2")
    assert moved(before, code(root)) == {COMPUTE}


def test_a_new_module_moves_nothing_until_it_is_imported(root: Path) -> None:
    before = code(root)
    (root / "crops/new.py").write_text("Y = 2\n")
    assert code(root) == before
    edit(root / DEEP, "def depth(*values, base):\n", "def depth(*values, base):\n    import faceset.crops.new\n")
    after = code(root)
    assert moved(before, after) == {"faceset.crops.deep", "faceset.crops.new"}


def test_only_the_schemas_that_are_imported_are_named(root: Path) -> None:
    edit(root / CHIPS, "from faceset.crops.tables import SHAPES\n", "")
    assert code(root).schemas == {("faceset.crops.tables", "CHIPS")}
    edit(root / STAGE, "SUFFIX, CHIPS)", "SUFFIX)")
    assert code(root).schemas == frozenset()


def test_the_package_of_tables_is_code(root: Path) -> None:
    (root / "tables").mkdir()
    (root / "tables/parquet.py").write_text("def read(): pass\n")
    edit(
        root / DEEP,
        "from faceset import words\n",
        "from faceset import words\nfrom faceset.tables.parquet import read\n",
    )
    assert "faceset.tables.parquet" in code(root).modules


@pytest.mark.parametrize(
    "spelling",
    ["import faceset.crops.alone", "from faceset.crops import alone", "from faceset.crops.alone import X as Y"],
)
@pytest.mark.parametrize("indent", ["", "if True:\n    ", "def later():\n    ", "class A:\n    "])
def test_an_import_is_followed_in_any_spelling_and_any_place(root: Path, spelling: str, indent: str) -> None:
    with (root / WORDS).open("a") as file:
        file.write(f"{indent}{spelling}\n")
    assert "faceset.crops.alone" in code(root).modules


def test_a_module_counts_that_is_named_in_full_without_an_import_of_its_own(root: Path) -> None:
    edit(root / CHIPS, "return -value", "return -value + faceset.crops.alone.X")
    assert "faceset.crops.alone" in code(root).modules


def test_circles_of_imports_are_walked_once(root: Path) -> None:
    edit(root / WORDS, "SUFFIX =", "import faceset.crops.chips\nSUFFIX =")
    assert "faceset.crops.chips" in code(root).modules


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        (WORDS, 3, "from . import errors", "relative"),
        (WORDS, 3, "from .errors import FacesetError", "relative"),
        (WORDS, 3, "import importlib; importlib.import_module('x')", "import_module imports by a name in a value"),
        (WORDS, 3, "from importlib import import_module", "import_module"),
        (WORDS, 3, "__import__('x')", "__import__"),
        (WORDS, 3, "eval('1')", "eval runs a text"),
        (WORDS, 3, "import inspect; inspect.getsource(len)", "getsource reads its own text"),
        (WORDS, 3, "import sys; sys.modules['faceset.words']", r"sys\.modules finds modules by a name"),
        (WORDS, 3, "import pkgutil", "pkgutil finds, runs or reads code"),
        (WORDS, 3, "from importlib.util import spec_from_file_location", r"importlib\.util finds, runs or reads code"),
        (WORDS, 3, "import builtins", "builtins finds, runs or reads code"),
        (WORDS, 3, "import subprocess", "subprocess finds, runs or reads code"),
        (WORDS, 3, "from types import FunctionType", "FunctionType looks at code as data"),
        (WORDS, 3, "len.__code__", "__code__ looks at code as data"),
        (WORDS, 3, "compile('1', '', 'eval')", "compile runs a text"),
        (WORDS, 3, "import faceset.crops.tables", "import its tables one by one"),
        (WORDS, 3, "import faceset.crops.tables as t", "import its tables one by one"),
        (WORDS, 3, "from faceset.crops import tables", "import its tables one by one"),
        (WORDS, 3, "from faceset.crops.tables import *", "import its tables one by one"),
        (WORDS, 3, "from faceset import crops", "imports the package faceset.crops"),
        (WORDS, 3, "import faceset", "imports the package faceset"),
        (WORDS, 3, "import faceset.missing", "faceset.missing, which the library does not have"),
        (WORDS, 3, "from faceset.crops import missing", "faceset.crops.missing, which the library does not have"),
        (STAGE, 33, "    import faceset.crops.tables", "import its tables one by one"),
        ("crops/__init__.py", 2, "X = 1", "a package holds no code"),
        ("__init__.py", 2, "import os", "a package holds no code"),
    ],
)
def test_what_the_walk_would_not_see_is_an_error_that_names_its_place(
    root: Path, file: str, line: int, text: str, message: str
) -> None:
    with (root / file).open("a") as opened:
        opened.write(f"{text}\n")
    with pytest.raises(CodeError, match=message) as error:
        code(root)
    assert str(error.value).startswith(f"{root / file}:{line}: ")


@pytest.mark.parametrize("text", ["if TYPE_CHECKING:\n    from . import x\n", "# eval('1')\n"])
def test_what_does_not_run_is_no_error(root: Path, text: str) -> None:
    before = code(root)
    with (root / WORDS).open("a") as file:
        file.write(f"from typing import TYPE_CHECKING\n{text}")
    assert code(root) == before


def test_a_function_that_is_not_there_is_an_error(root: Path) -> None:
    with pytest.raises(CodeError, match=r"stages/crop\.py has no function missing"):
        Library(root).code_of("faceset.stages.crop", "missing")
    with pytest.raises(CodeError, match=r"has no function Stage"):
        Library(root).code_of("faceset.stages.crop", "Stage")
    with pytest.raises(CodeError, match=r"has no module faceset\.stages\.missing"):
        Library(root).code_of("faceset.stages.missing", "compute")


@pytest.mark.parametrize(
    ("added", "old", "new"),
    [
        ("\n@WIDTH.add\ndef more(): return 1\n", "def more(): return 1", "def more(): return 2"),
        ("\ndef change():\n    global WIDTH\n    WIDTH = 1\n", "    WIDTH = 1", "    WIDTH = 2"),
        ("\nWIDTH += 1\n", "WIDTH += 1", "WIDTH += 2"),
        ("\nWIDTH[0] = 1\n", "WIDTH[0] = 1", "WIDTH[0] = 2"),
        ("\nif STAGE:\n    WIDTH = 1\n", "    WIDTH = 1", "    WIDTH = 2"),
        ("\ntry:\n    import json\nexcept ImportError:\n    json = 1\n", "json = 1", "json = 2"),
    ],
)
def test_whatever_binds_or_changes_what_the_stage_uses_counts(root: Path, added: str, old: str, new: str) -> None:
    with (root / STAGE).open("a") as file:
        file.write(added)
    before = code(root)
    edit(root / STAGE, old, new)
    assert moved(before, code(root)) == {COMPUTE}


def test_a_copy_of_the_library_elsewhere_has_the_same_digests(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "copy")
    assert code(tmp_path / "copy") == code(root)


def test_a_library_reads_a_file_once(root: Path) -> None:
    library = Library(root)
    before = library.code_of("faceset.stages.crop", "compute")
    edit(root / WORDS, ".png", ".jpg")
    assert library.code_of("faceset.stages.crop", "compute") == before
    assert code(root) != before
