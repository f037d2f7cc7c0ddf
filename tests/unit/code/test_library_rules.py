"""What the walk of imports would not see is not written in this library."""

import ast
from pathlib import Path

import pytest

import faceset

LIBRARY = Path(faceset.__file__).parent
FILES = sorted(path.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_no_module_imports_by_a_relative_name(name: str) -> None:
    tree = ast.parse((LIBRARY / name).read_bytes())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("__init__.py")])
def test_a_package_holds_nothing_but_what_it_says_of_itself(name: str) -> None:
    (only,) = ast.parse((LIBRARY / name).read_bytes()).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)
