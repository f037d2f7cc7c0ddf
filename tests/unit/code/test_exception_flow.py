"""Promises of the check that the words of errors reach no result."""

import ast
from pathlib import Path

import pytest

from exception_flow import flows
from faceset.code.digests import Library
from made_up_library import write_library

HEAD = """
import logging
import sys
import traceback
from concurrent.futures import Future

from faceset import errors
from faceset.errors import FacesetError, MissingError, NumberedError

LOGGER = logging.getLogger("made up")
ERRORS = (FacesetError, KeyError)


def work(): return 1
def note(value): return value
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


def found(root: Path, body: str, kinds: str = "FacesetError") -> list[str]:
    """The code of the places where something of an error flows on that a handler with this body catches."""
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    text = f"{HEAD}\n\ndef made(table):\n    try:\n        work()\n    except {kinds} as error:\n{lines}"
    (root / "made_up.py").write_text(text)
    return [flow.code for flow in flows(Library(root), ["faceset.made_up"])]


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "raise",
        "raise error",
        "raise FacesetError('words') from error",
        "raise FacesetError(f'words {error}') from error",
        "raise MissingError('words', reason=str(error.args[0]))",
        "raise errors.FacesetError(error)",
        "raise ValueError from error",
        "print(error)",
        "print(f'{error!r}', file=sys.stderr)",
        "traceback.print_exc()",
        "traceback.print_exception(error)",
        "logging.warning('%s', error)",
        "LOGGER.error('words: %s', str(error))",
        "error = None",
        "def later():\n    raise FacesetError(str(error))",
    ],
)
def test_what_goes_to_a_person_is_no_flow(root: Path, body: str) -> None:
    assert found(root, body) == []


@pytest.mark.parametrize(
    "body",
    [
        "table.append(str(error))",
        "table['reason'] = f'{error}'",
        "return error",
        "return error.number",
        "kept = error",
        "raise ValueError(str(error))",
        "raise error.number",
        "raise note(error)",
        "print(error, file=table)",
        "print(error, **table)",
        "print(kept := str(error))",
        "raise FacesetError(kept := str(error))",
        "table.info(error)",
        "table.append(FacesetError(str(error)))",
        "if 'x' in str(error): work()",
        "if isinstance(error, MissingError): work()",
        "return lambda: error",
        "table.append(traceback.format_exc())",
        "table.append(sys.exc_info()[1])",
    ],
)
def test_what_may_get_into_a_result_is_a_flow(root: Path, body: str) -> None:
    assert found(root, body) == [ast.unparse(ast.parse(body)).splitlines()[0]]


@pytest.mark.parametrize(
    "kinds",
    [
        "FacesetError",
        "NumberedError",
        "errors.MissingError",
        "Exception",
        "BaseException",
        "(KeyError, FacesetError)",
        "ERRORS",
        "unknown()",
    ],
)
def test_handlers_that_may_catch_an_error_of_ours_are_looked_at(root: Path, kinds: str) -> None:
    assert found(root, "return str(error)", kinds) == ["return str(error)"]


@pytest.mark.parametrize("kinds", ["ValueError", "(OSError, KeyError)", "logging.Oops"])
def test_handlers_that_catch_none_of_ours_are_not_looked_at(root: Path, kinds: str) -> None:
    assert found(root, "return str(error)", kinds) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f(future: Future):\n    return future.exception()",
        "def f(error):\n    return error.__cause__",
        "class C:\n    def __exit__(self, kind, error, trace):\n        self.reason = error",
        "def f():\n    try: pass\n    except Exception: return traceback.format_exc()",
        "try: work()\nexcept* FacesetError as group:\n    GROUP = group",
        "try: work()\nexcept FacesetError as error: REASON = str(error)",
    ],
)
def test_other_ways_to_an_error_are_seen(root: Path, text: str) -> None:
    (root / "made_up.py").write_text(f"{HEAD}\n{text}\n")
    places = flows(Library(root), ["faceset.errors", "faceset.made_up"])
    assert [(place.module, place.line > 15) for place in places] == [("faceset.made_up", True)]
