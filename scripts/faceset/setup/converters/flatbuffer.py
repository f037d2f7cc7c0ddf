"""Reading FlatBuffers tables by field number, as far as TFLite files need it."""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Table:
    """One table: fields are found by the number that the file format's schema gives them.

    Every reader gives a default where the field is absent; struct.error or ValueError where the file is cut short.
    """

    def __init__(self, data: bytes, position: int) -> None:
        """Take the table at `position` of the file `data`."""
        self._data = data
        self._position = position
        self._fields = position - self._unpack("i", position)
        self._fields_size = self._unpack("H", self._fields)

    @classmethod
    def root(cls, data: bytes) -> "Table":
        """The table that the file as a whole is."""
        return cls(data, struct.unpack_from("<I", data, 0)[0])

    @classmethod
    def empty(cls) -> "Table":
        """A table without fields, which says of each that it has its default."""
        return cls(struct.pack("<HHi", 4, 4, 4), 4)

    def integer(self, field: int, kind: str = "i", default: int = 0) -> int:
        """A number stored as struct's format `kind`."""
        place = self._place(field)
        return self._unpack(kind, place) if place else default

    def integers(self, field: int) -> list[int]:
        """A vector of int32."""
        start, count = self._vector(field)
        return list(struct.unpack_from(f"<{count}i", self._data, start))

    def array(self, field: int, dtype: str) -> NDArray[Any]:
        """A vector of bytes, taken as an array of `dtype`."""
        start, count = self._vector(field)
        return np.frombuffer(self._data[start : start + count], dtype)

    def text(self, field: int) -> str:
        """A string."""
        start, count = self._vector(field)
        return self._data[start : start + count].decode()

    def table(self, field: int) -> "Table | None":
        """A table within this one."""
        place = self._place(field)
        return Table(self._data, place + self._unpack("I", place)) if place else None

    def tables(self, field: int) -> list["Table"]:
        """A vector of tables."""
        start, count = self._vector(field)
        places = range(start, start + 4 * count, 4)
        return [Table(self._data, place + self._unpack("I", place)) for place in places]

    def _place(self, field: int) -> int:
        """Position of a field's value; 0 where it is absent."""
        slot = 4 + 2 * field
        offset = self._unpack("H", self._fields + slot) if slot < self._fields_size else 0
        return self._position + offset if offset else 0

    def _vector(self, field: int) -> tuple[int, int]:
        place = self._place(field)
        if not place:
            return 0, 0
        start = place + self._unpack("I", place)
        return start + 4, self._unpack("I", start)

    def _unpack(self, kind: str, position: int) -> int:
        value: int = struct.unpack_from(f"<{kind}", self._data, position)[0]
        return value
