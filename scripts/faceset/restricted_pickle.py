"""Pickles from strangers, read without running anything.

A pickle may name any function of any module, and `pickle.loads` calls it. This reader admits what alignments have ever
held (containers, numbers, text, bytes, and NumPy arrays and scalars of plain numbers, as NumPy 1 and 2 write them) and
builds even the arrays itself: no function of NumPy is called with what the file says.
"""

import io
import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from faceset.errors import FacesetError


@dataclass(frozen=True)
class Limits:
    """How large an object may be once everything it repeats is written out.

    `depth` is how deep containers may nest. A pickle can name one list again and again in two bytes, so that a small
    file grows without bound when it is copied: `repeated` is how many more items and bytes than the pickle is long it
    may hold.
    """

    depth: int = 12
    repeated: int = 16_000_000


class _RefusedError(Exception):
    """The pickle holds something that is not admitted; the message says what."""


class _Dtype:
    """Stands in for `numpy.dtype`: plain numbers only."""

    __slots__ = ("_code", "dtype")

    def __init__(self, code: object, *_flags: object) -> None:
        if not (isinstance(code, str) and code in _NUMBER_CODES):
            raise _RefusedError(f"an array of the type {str(code)[:40]!r}")
        self._code = code
        self.dtype = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) >= 2 and state[1] in ("<", ">", "|", "=")):
            raise _RefusedError("a NumPy type with a description that is not understood")
        if state[1] in ("<", ">"):
            self.dtype = np.dtype(state[1] + self._code)


_NUMBER_CODES: Final = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})


class _Array:
    """Stands in for an array that NumPy would make empty and then fill."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[Any] | None = None

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise _RefusedError("a NumPy array with a description that is not understood")
        _, shape, dtype, column_major, data = state
        self.array = _array(data, dtype, shape, "F" if column_major is True else "C")


def _array(data: object, dtype: object, shape: object, order: object) -> NDArray[Any]:
    if not (isinstance(data, bytes | bytearray) and isinstance(dtype, _Dtype) and order in ("C", "F")):
        raise _RefusedError("a NumPy array that is not made of plain numbers")
    if not (isinstance(shape, tuple) and len(shape) <= 4 and all(type(side) is int and side >= 0 for side in shape)):
        raise _RefusedError(f"a NumPy array of the shape {str(shape)[:40]}")
    if math.prod(shape) * dtype.dtype.itemsize != len(data):
        raise _RefusedError(f"a NumPy array of the shape {shape} that holds {len(data)} bytes")
    native = dtype.dtype.newbyteorder("=")
    array: NDArray[Any] = np.frombuffer(data, dtype.dtype).astype(native).reshape(shape, order=order)
    return array


def _reconstruct(*_arguments: object) -> _Array:
    return _Array()


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> _Array:
    made = _Array()
    made.array = _array(data, dtype, shape, order)
    return made


def _scalar(dtype: object, data: object) -> object:
    return _array(data, dtype, (), "C").item()


def _latin1_bytes(text: object, encoding: object) -> bytes:
    if not (isinstance(text, str) and encoding == "latin1"):
        raise _RefusedError("text in an encoding other than latin1")
    return text.encode("latin1")


def _no_bytes(*arguments: object) -> bytes:
    if arguments:
        raise _RefusedError("a call of 'bytes' with arguments")
    return b""


def _not_callable(*_arguments: object) -> object:
    raise _RefusedError("a call of 'numpy.ndarray'")


_NUMPY_INNER: Final = ("numpy.core", "numpy._core")
_ADMITTED: Final[dict[tuple[str, str], Callable[..., object]]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _not_callable,
    ("_codecs", "encode"): _latin1_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("builtins", "bytes"): _no_bytes,
    **{(f"{inner}.multiarray", "_reconstruct"): _reconstruct for inner in _NUMPY_INNER},
    **{(f"{inner}.multiarray", "scalar"): _scalar for inner in _NUMPY_INNER},
    **{(f"{inner}.numeric", "_frombuffer"): _from_buffer for inner in _NUMPY_INNER},
}


class _Global:
    """What a pickle gets for an admitted name: it can be called, and nothing else.

    The pickle's BUILD opcode may set any attribute of what lies on its stack, of a function too; here it cannot.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *arguments: object) -> object:
        return self._function(*arguments)

    def __setstate__(self, state: object) -> None:
        raise _RefusedError("a change of one of NumPy's own functions")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> object:
        function = _ADMITTED.get((module, name))
        if function is None:
            raise _RefusedError(f"a reference to '{module}.{name}'"[:200])
        return _Global(function)


_NUMBERS: Final = frozenset({int, float, bool, type(None)})


class _Flattener:
    """Gives every stand-in its array, and counts what the object would hold with all repeats written out."""

    def __init__(self, allowance: int, depth: int) -> None:
        self._left = allowance
        self._depth = depth

    def flat(self, value: object, depth: int = 0) -> object:
        """Return `value` with arrays in the place of their stand-ins; lists and dicts are changed in place."""
        if depth > self._depth:
            raise _RefusedError(f"containers nested more than {self._depth} deep")
        if isinstance(value, list):
            self._count(len(value))
            # Most lists hold thousands of plain numbers: looked at without a loop in Python.
            if not set(map(type, value)) <= _NUMBERS:
                value[:] = [self.flat(entry, depth + 1) for entry in value]
            return value
        if isinstance(value, dict):
            self._count(len(value))
            for key, entry in value.items():
                self.flat(key, depth + 1)
                value[key] = self.flat(entry, depth + 1)
            return value
        if isinstance(value, tuple):
            self._count(len(value))
            return tuple(self.flat(entry, depth + 1) for entry in value)
        if isinstance(value, str | bytes | bytearray):
            self._count(len(value))
            return value
        if isinstance(value, _Array) and value.array is not None:
            self._count(value.array.nbytes)
            return value.array
        if type(value) in _NUMBERS:
            return value
        raise _RefusedError(f"an object of the type {type(value).__name__.lstrip('_')!r}")

    def _count(self, items: int) -> None:
        self._left -= items
        if self._left < 0:
            raise _RefusedError("the same lists repeated so often that the whole does not fit into memory")


def loads(data: bytes, name: str, limits: Limits | None = None) -> object:
    """Return the object that a pickle holds: dict, list, tuple, str, bytes, numbers, None and NumPy arrays.

    `name` is the file, for the message. NumPy scalars come as Python numbers, arrays in the machine's byte order.
    Raises FacesetError for anything else, and for bytes that are no pickle.
    """
    bounds = limits or Limits()
    try:
        value = _Unpickler(io.BytesIO(data)).load()
        return _Flattener(len(data) + bounds.repeated, bounds.depth).flat(value)
    except _RefusedError as refusal:
        raise FacesetError(
            f"{name}: refused, because it holds {refusal}. An alignments file holds only numbers, text and bytes: "
            "this one is damaged or was made to do harm. Use another copy of it."
        ) from None
    except Exception as error:  # a damaged pickle can fail in any way at all
        raise FacesetError(
            f"{name}: not readable as an alignments file ({type(error).__name__}): it is damaged or cut short. "
            "Use another copy of it."
        ) from None
