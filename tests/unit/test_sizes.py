"""Promises of the library's sizes: what one has to read at once is short."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import faceset

ROOT = Path(faceset.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
MOST_PARAMETERS = 8


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a file: in classes and in functions too."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """The names of a function's parameters but for the object, or the class, that it belongs to."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args)]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    names += [one.arg for one in given.kwonlyargs]
    return names + [one.arg for one in (given.vararg, given.kwarg) if one]


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many lines a function has, from the first of its decorators."""
    first = min([function.lineno, *(one.lineno for one in function.decorator_list)])
    return (function.end_lineno or first) - first + 1


def test_the_whole_library_is_looked_at() -> None:
    assert sum(1 for path in FILES for _ in functions_of(path)) > len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_short_and_take_few_parameters(path: Path) -> None:
    assert len(path.read_bytes().splitlines()) <= MOST_LINES_OF_A_FILE
    functions = {f"{function.name}, line {function.lineno}": function for function in functions_of(path)}
    lines = {name: lines_of(function) for name, function in functions.items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES_OF_A_FUNCTION} == {}
    parameters = {name: len(parameters_of(function)) for name, function in functions.items()}
    assert {name: count for name, count in parameters.items() if count > MOST_PARAMETERS} == {}
