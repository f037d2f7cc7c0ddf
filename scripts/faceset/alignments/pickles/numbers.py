"""NumPy's arrays and scalars in strangers' pickles, built here without calling anything that the file names.

A pickle holds an array as a call of one of NumPy's functions. `ADMITTED` gives each such function a stand-in, which
takes what NumPy 1 and 2 write for plain numbers and nothing else.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray


class RefusedError(Exception):
    """The pickle holds something that is not admitted; the message says what."""


_NUMBER_CODES: Final = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})


class StandInDtype:
    """Stands in for `numpy.dtype`: plain numbers only."""

    __slots__ = ("_code", "dtype")

    def __init__(self, code: object, *_flags: object) -> None:
        if not (isinstance(code, str) and code in _NUMBER_CODES):
            raise RefusedError(f"an array of the type {str(code)[:40]!r}")
        self._code = code
        self.dtype = np.dtype(code)

    def set_state(self, state: object) -> None:
        """Take the byte order, from what a pickle says of a dtype."""
        if not (isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "|", "=")):
            raise RefusedError("a NumPy type with a description that is not understood")
        if state[1] in ("<", ">"):
            self.dtype = np.dtype(state[1] + self._code)


class StandInArray:
    """Stands in for an array that NumPy would make empty and then fill."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[Any] | None = None

    def set_state(self, state: object) -> None:
        """Take the numbers, from what a pickle says of an array."""
        if not (isinstance(state, tuple) and len(state) == 5):
            raise RefusedError("a NumPy array with a description that is not understood")
        _, shape, dtype, column_major, data = state
        self.array = _array(data, dtype, shape, "F" if column_major is True else "C")


def _array(data: object, dtype: object, shape: object, order: object) -> NDArray[Any]:
    if not (isinstance(data, bytes | bytearray) and isinstance(dtype, StandInDtype) and order in ("C", "F")):
        raise RefusedError("a NumPy array that is not made of plain numbers")
    if not (isinstance(shape, tuple) and len(shape) <= 4 and all(type(side) is int and side >= 0 for side in shape)):
        raise RefusedError(f"a NumPy array of the shape {_shown(shape)}")
    if math.prod(shape) * dtype.dtype.itemsize != len(data):
        raise RefusedError(f"a NumPy array of the shape {_shown(shape)} that holds {len(data)} bytes")
    native = dtype.dtype.newbyteorder("=")
    array: NDArray[Any] = np.frombuffer(data, dtype.dtype).astype(native).reshape(shape, order=order)
    return array


def _shown(shape: object) -> str:
    try:
        return str(shape)[:40]
    except (ValueError, RecursionError):  # a number too long to be written, a tuple of tuples of tuples
        return "of no array"


def _reconstruct(*_arguments: object) -> StandInArray:
    return StandInArray()


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> StandInArray:
    made = StandInArray()
    made.array = _array(data, dtype, shape, order)
    return made


def _scalar(dtype: object, data: object) -> object:
    return _array(data, dtype, (), "C").item()


def _latin1_bytes(text: object, encoding: object) -> bytes:
    if not (isinstance(text, str) and encoding == "latin1"):
        raise RefusedError("text in an encoding other than latin1")
    return text.encode("latin1")


def _no_bytes(*arguments: object) -> bytes:
    if arguments:
        raise RefusedError("a call of 'bytes' with arguments")
    return b""


def _not_callable(*_arguments: object) -> object:
    raise RefusedError("a call of 'numpy.ndarray'")


_INNER: Final = ("numpy.core", "numpy._core")
ADMITTED: Final[dict[tuple[str, str], Callable[..., object]]] = {
    ("numpy", "dtype"): StandInDtype,
    ("numpy", "ndarray"): _not_callable,
    ("_codecs", "encode"): _latin1_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    **{(f"{inner}.multiarray", "_reconstruct"): _reconstruct for inner in _INNER},
    **{(f"{inner}.multiarray", "scalar"): _scalar for inner in _INNER},
    **{(f"{inner}.numeric", "_frombuffer"): _from_buffer for inner in _INNER},
}
"""What a pickle may name, and what it gets instead."""
