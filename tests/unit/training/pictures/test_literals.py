"""Promises of reading literals."""

import ast
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceset.training.pictures.literals import read_literal

numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | numbers | st.text() | st.binary()
values = st.recursive(
    plain, lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner), max_leaves=9
)


@given(values)
def test_what_python_spells_is_read_as_it_was(value: Any) -> None:
    assert repr(read_literal(repr(value))) == repr(value)


@pytest.mark.parametrize(
    "text",
    [
        " [ 1 , -2.5e-3 , ] ",
        "{'a' : (1,2) , }",
        "[\"'\", '\"']",
        "()",
        "(1,)",
        r"b'\\\x00\''",
        "[[1, 2.0], [3.0, 4.0]]",
        "+5",
    ],
)
def test_spaces_commas_and_quotes_are_read_as_python_reads_them(text: str) -> None:
    assert read_literal(text) == ast.literal_eval(text.strip())


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[",
            "]",
            "{1: 2}",
            "{'a'}",
            "{'a': }",
            "'a",
            "b'\xff",
            "a",
            "nan",
            "[NaN]",
            "[Infinity]",
            "1 2",
            "[1 2]",
        ),
        *("__import__('os')", "f'{1}'", "1+1", "1if 1else 2", "[" * 5000, "[''," * 50, "'\\N{no such}'", "9" * 5000),
    ],
)
def test_everything_else_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, SyntaxError, RecursionError)):
        read_literal(text)


def test_numbers_keep_their_last_bit() -> None:
    for number in (math.pi, 5e-324, 1.7976931348623157e308, 0.1 + 0.2):
        assert read_literal(f"[{number!r}, '']")[0] == read_literal(f"[{number!r}]")[0] == number
