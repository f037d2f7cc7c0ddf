"""Runs of numbers in pickles, read and written a whole run at a time.

A pickle writes a list as a mark, its entries and APPENDS, at most a thousand entries at once. Between the two, floats
and byte values have entries of one length: the bytes of many are checked, and taken, as one array.
"""

import pickle
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_MOST: Final = 1024
_FLOAT_BYTES: Final = 9
_APPENDS: Final = pickle.APPENDS

# How a point, a list of two floats, may begin: with how many bytes of a number after the opcode that remembers it.
_POINT_STARTS: Final = {b"": 0, pickle.MEMOIZE: 0, pickle.BINPUT: 1, pickle.LONG_BINPUT: 4}
_MOST_POINTS: Final = 128

LONGEST_BYTES: Final = 16_384
"""More bytes than any run that is looked for takes."""


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers that were found: (N,) uint8 or float64, or (N, 2) float64; `end` is where what follows them begins."""

    values: NDArray[Any]
    end: int


@dataclass(frozen=True, slots=True)
class Points:
    """A run of points, each of which the pickle may have remembered: `first` is the number of the first."""

    run: Run
    first: int
    remembered: bool

    def row(self, number: int) -> list[float]:
        """Return the point remembered as `number`."""
        point: list[float] = self.run.values[number - self.first].tolist()
        return point


def byte_run(buffer: bytes, at: int, least: int) -> Run | None:
    """Find entries of a list, all numbers from 0 to 255, that begin at `at`; None if fewer than `least`."""
    count = _equal_heads(buffer[at : at + 2 * _MOST : 2], pickle.BININT1)
    end = at + 2 * count
    if count < least or buffer[end : end + 1] != _APPENDS:
        return None
    return Run(np.frombuffer(buffer[at + 1 : end : 2], np.uint8), end + 1)


def float_run(buffer: bytes, at: int, least: int) -> Run | None:
    """Find entries of a list, all floats, that begin at `at`; None if fewer than `least`."""
    count = _equal_heads(buffer[at : at + _FLOAT_BYTES * _MOST : _FLOAT_BYTES], pickle.BINFLOAT)
    end = at + _FLOAT_BYTES * count
    if count < least or buffer[end : end + 1] != _APPENDS:
        return None
    entries = np.frombuffer(buffer, np.uint8, _FLOAT_BYTES * count, at).reshape(count, _FLOAT_BYTES)
    return Run(_floats(entries[:, 1:]), end + 1)


def _equal_heads(heads: bytes, opcode: bytes) -> int:
    return len(heads) - len(heads.lstrip(opcode))


def _floats(big_endian: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the numbers of rows of 8 bytes."""
    numbers: NDArray[np.float64] = np.ascontiguousarray(big_endian).view(">f8").astype(np.float64)[:, 0]
    return numbers


def point_run(buffer: bytes, at: int, next_number: int, least: int) -> Points | None:
    """Find entries of a list, all lists of two floats, that begin at `at`; None if fewer than `least`.

    `next_number` is the number under which the next object is remembered.
    """
    start = buffer[at + 1 : at + 2]
    start = b"" if start == pickle.MARK else start
    number_bytes = _POINT_STARTS.get(start)
    if number_bytes is None:
        return None
    head = 1 + len(start) + number_bytes
    width = head + 1 + 2 * _FLOAT_BYTES + 1
    if least > 1 and buffer[at + width - 1 : at + width + 1] != _APPENDS + pickle.EMPTY_LIST:  # no second one
        return None
    available = min(_MOST_POINTS, (len(buffer) - at) // width)
    entries = np.frombuffer(buffer, np.uint8, available * width, at).reshape(available, width)
    places = [0, *range(1, 1 + len(start)), head, head + 1, head + 1 + _FLOAT_BYTES, width - 1]
    opcodes = pickle.EMPTY_LIST + start + pickle.MARK + 2 * pickle.BINFLOAT + _APPENDS
    alike = (entries[:, places] == np.frombuffer(opcodes, np.uint8)).all(axis=1)
    count = available if alike.all() else int(alike.argmin())
    end = at + count * width
    if count < least or buffer[end : end + 1] != _APPENDS:
        return None
    entries = entries[:count]
    if number_bytes:
        digits = entries[:, 1 + len(start) : head].astype(np.int64)
        numbers = digits @ (256 ** np.arange(number_bytes))
        if (numbers != next_number + np.arange(count)).any():
            return None
    x, y = head + 2, head + 2 + _FLOAT_BYTES
    values = np.stack([_floats(entries[:, x : x + 8]), _floats(entries[:, y : y + 8])], axis=1)
    return Points(Run(values, end + 1), next_number, bool(start))


def written_bytes(values: NDArray[np.uint8]) -> bytes:
    """Return the pickle's entries of byte values, (N,)."""
    entries = np.empty((len(values), 2), np.uint8)
    entries[:, 0] = pickle.BININT1[0]
    entries[:, 1] = values
    return entries.tobytes()


def written_floats(values: NDArray[np.float64]) -> bytes:
    """Return the pickle's entries of floats, (N,)."""
    return _float_entries(values).tobytes()


def written_rows(values: NDArray[np.float64]) -> bytes:
    """Return the pickle's entries of lists of floats, (N, K), K > 1."""
    count, length = values.shape
    entries = np.empty((count, 2 + _FLOAT_BYTES * length + 1), np.uint8)
    entries[:, :2] = np.frombuffer(pickle.EMPTY_LIST + pickle.MARK, np.uint8)
    entries[:, 2:-1] = _float_entries(values.ravel()).reshape(count, -1)
    entries[:, -1] = _APPENDS[0]
    return entries.tobytes()


def _float_entries(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    entries = np.empty((len(values), _FLOAT_BYTES), np.uint8)
    entries[:, 0] = pickle.BINFLOAT[0]
    entries[:, 1:] = values.astype(">f8").view(np.uint8).reshape(-1, 8)
    return entries
