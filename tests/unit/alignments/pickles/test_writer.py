"""Promises of pickles written without Python's pickler."""

import pickle
import pickletools
from typing import Any

import numpy as np
import pytest

from faceset.alignments.pickles.writer import pickled

VALUES: list[Any] = [
    *(None, True, False, 0, 255, 256, 65_536, -1, 2**31 - 1, -(2**31), 2**31, -(2**31) - 1, 2**63, -(2**64), 10**100),
    *(0.0, -0.0, 1e308, float("inf"), "", "ü", "x" * 255, "x" * 256, "\ud800", b"", b"\0" * 300),
    *([], {}, [[]], {"a": {"b": []}}, list(range(2500)), {str(number): number for number in range(2500)}),
]


def written(value: Any) -> bytes:
    return b"".join(pickled({"head": 2.4}, "body", [("value", value)]))


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_pythons_unpickler_reads_the_same_value(value: Any) -> None:
    read = pickle.loads(written(value))
    assert read == {"head": 2.4, "body": {"value": value}}
    assert repr(read["body"]["value"]) == repr(value)


@pytest.mark.parametrize("length", [0, 1, 2, 68, 1000, 1001, 2500])
def test_arrays_are_read_as_the_lists_that_they_stand_for(length: int) -> None:
    numbers = np.random.default_rng(length).normal(size=(length, 2))
    for array in (numbers, numbers[:, 0], (numbers[:, 0] * 50).astype(np.uint8), numbers[:, ::-1]):
        read = pickle.loads(written(array))["body"]["value"]
        assert read == array.tolist()
        assert repr(read) == repr(array.tolist())


def test_nothing_is_named_and_nothing_remembered() -> None:
    shared = ["a", [1.5] * 3]
    opcodes = {opcode.name for opcode, _, _ in pickletools.genops(written([shared, shared, np.ones((3, 2))]))}
    assert not opcodes & {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "MEMOIZE", "BINPUT", "BINGET"}


def test_other_values_are_an_error() -> None:
    for value in ({1, 2}, (1, 2), np.float64(1), object()):
        with pytest.raises(KeyError):
            written(value)
