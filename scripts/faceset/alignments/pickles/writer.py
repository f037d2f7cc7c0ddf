"""Pickles of plain values, protocol 4, written as a function of the values alone.

Python's pickler writes an object again or refers to where it met it before, depending on which of the values happen to
be one object. Here nothing is remembered, so equal values give equal bytes; arrays are written as the lists that they
stand for, without becoming lists.
"""

import pickle
import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from faceset.alignments.pickles.runs import written_bytes, written_floats, written_rows

_BATCH: Final = 1000  # as many entries at once as Python's own pickler writes


def pickled(head: dict[str, Any], key: str, entries: Iterable[tuple[str, Any]]) -> Iterator[bytes]:
    """Yield the pickle of `head` with one more key, whose value is the dict of `entries`: a chunk for each of them.

    Values are text, numbers, None, bytes, dicts with text for keys, lists, and arrays, (N,) uint8 or float64 or
    (N, K > 1) float64, that are written as lists. Raises KeyError for another type.
    """
    yield pickle.PROTO + b"\x04" + pickle.EMPTY_DICT
    for name, value in head.items():
        yield _opcodes(name) + _opcodes(value) + pickle.SETITEM
    yield _opcodes(key) + pickle.EMPTY_DICT
    for name, value in entries:
        yield _opcodes(name) + _opcodes(value) + pickle.SETITEM
    yield pickle.SETITEM + pickle.STOP


def _opcodes(value: Any) -> bytes:
    return _WRITERS[type(value)](value)


def _text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    if len(data) < 256:
        return pickle.SHORT_BINUNICODE + bytes([len(data)]) + data
    return pickle.BINUNICODE8 + struct.pack("<Q", len(data)) + data


def _binary(value: bytes) -> bytes:
    return pickle.BINBYTES8 + struct.pack("<Q", len(value)) + value


def _integer(value: int) -> bytes:
    if 0 <= value < 2**8:
        return pickle.BININT1 + bytes([value])
    if -(2**31) <= value < 2**31:
        return pickle.BININT + struct.pack("<i", value)
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return pickle.LONG1 + bytes([len(data)]) + data


def _float(value: float) -> bytes:
    return pickle.BINFLOAT + struct.pack(">d", value)


def _dict(value: dict[str, Any]) -> bytes:
    entries = b"".join(_opcodes(part) for entry in value.items() for part in entry)
    return pickle.EMPTY_DICT + (pickle.MARK + entries + pickle.SETITEMS if value else b"")


def _list(value: list[Any]) -> bytes:
    return _in_batches(value, lambda batch: b"".join(map(_opcodes, batch)))


def _array(value: NDArray[Any]) -> bytes:
    if value.ndim == 2:
        return _in_batches(value, written_rows)
    return _in_batches(value, written_bytes if value.dtype == np.uint8 else written_floats)


def _in_batches(values: Any, write: Callable[[Any], bytes]) -> bytes:
    batches = (
        pickle.MARK + write(values[start : start + _BATCH]) + pickle.APPENDS for start in range(0, len(values), _BATCH)
    )
    return pickle.EMPTY_LIST + b"".join(batches)


_WRITERS: Final[dict[type, Callable[[Any], bytes]]] = {
    type(None): lambda _: pickle.NONE,
    bool: lambda value: pickle.NEWTRUE if value else pickle.NEWFALSE,
    int: _integer,
    float: _float,
    str: _text,
    bytes: _binary,
    dict: _dict,
    list: _list,
    np.ndarray: _array,
}
