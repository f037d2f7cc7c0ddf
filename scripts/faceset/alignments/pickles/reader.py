"""Pickles from strangers, read without running anything, fast, and in little memory.

A pickle may name any function of any module, and `pickle.loads` calls it; it may also number what it remembers so that
the table of it fills memory. So nothing of Python's unpickler is used here. This reader knows the opcodes that
alignments are written with since protocol 2 (PEP 307, 3154 and 574; `pickletools` describes each), refuses all others,
and admits containers, numbers, text, bytes, and NumPy's arrays and scalars of plain numbers.

Nearly all of a file are long lists of floats or of byte values. They are recognised by their regular bytes
(`number_runs`), and never become Python objects number by number.
"""

import pickle
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from faceset.alignments.pickles.contents import Flattener
from faceset.alignments.pickles.frames import unframed
from faceset.alignments.pickles.numbers import ADMITTED, RefusedError, StandInArray, StandInDtype
from faceset.alignments.pickles.runs import LONGEST_BYTES, Points, Run, byte_run, float_run, point_run
from faceset.errors import FacesetError


@dataclass(frozen=True)
class Limits:
    """How large an object may be.

    A pickle can name one list again and again in two bytes, so that a small file grows without bound when it is copied:
    `repeated` is how many more items and bytes than the pickle is long it may hold. `steps` is how many opcodes it may
    have, runs of numbers apart: each takes time, and some 60 bytes.
    """

    repeated: int = 4_000_000
    steps: int = 1_000_000


@dataclass(frozen=True, slots=True)
class _Named:
    """What a pickle gets for a name: the stand-in, that REDUCE may call."""

    function: Callable[..., object]


class _Reader:
    """Executes the opcodes of one pickle, given as chunks of bytes."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = unframed(chunks)
        self._buffer = b""
        self._at = 0
        self._refill_at = 0
        self.bytes_read = 0
        self._stack: list[Any] = []
        self._outer_stacks: list[list[Any]] = []
        self._memo: list[Any] = []
        self._texts: dict[bytes, str] = {}

    def load(self, steps: int) -> object:
        """Return what the pickle holds; lists of numbers may have runs (arrays) among their entries."""
        for _ in range(steps):
            if self._at >= self._refill_at:
                self._fill(LONGEST_BYTES)
            opcode = self._buffer[self._at]
            self._at += 1
            if opcode == _STOP:
                return self._stack.pop()
            _ACTIONS[opcode](self)
        raise RefusedError("far more objects than bytes")

    # Bytes

    def _fill(self, needed: int) -> None:
        """Have `needed` bytes in the buffer from here on, or all that are left."""
        parts = [self._buffer[self._at :]]
        length, ended = len(parts[0]), False
        while length < needed and not ended:
            chunk = next(self._chunks, None)
            ended = chunk is None
            parts.append(chunk or b"")
            length += len(parts[-1])
            self.bytes_read += len(parts[-1])
        self._buffer, self._at = b"".join(parts), 0
        self._refill_at = sys.maxsize if ended else length - LONGEST_BYTES

    def _take(self, count: int) -> bytes:
        if self._at + count > len(self._buffer):
            self._fill(count)
        part = self._buffer[self._at : self._at + count]
        if len(part) < count:
            raise EOFError("ends within an object")
        self._at += count
        return part

    def _length(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _line(self) -> str:
        end = self._buffer.find(b"\n", self._at, self._at + _LONGEST_NAME)
        if end < 0:
            raise EOFError("a name without an end")
        return self._take(end + 1 - self._at)[:-1].decode()

    # Containers

    def _marked(self) -> list[Any]:
        """Take what lies on the stack above the last mark."""
        items, self._stack = self._stack, self._outer_stacks.pop()
        return items

    def _list_below(self, depth: int) -> list[Any]:
        target = self._stack[-depth]
        if type(target) is not list:
            raise TypeError("entries for what is no list")
        return target

    def mark(self) -> None:
        """MARK; with it, where it begins one, a whole run of numbers that is then appended to a list."""
        following = self._buffer[self._at : self._at + 1]
        if following in (b"K", b"G", b"]") and self._stack and type(self._stack[-1]) is list and self._run(following):
            return
        self._outer_stacks.append(self._stack)
        self._stack = []

    def _run(self, opcode: bytes) -> bool:
        buffer, at, target = self._buffer, self._at, self._stack[-1]
        # A list that began with runs goes on with them, however short; for a short list they are not worth it.
        least = 1 if target and type(target[-1]) is Run else _SHORTEST_RUN
        found = None
        if opcode == b"K":
            found = byte_run(buffer, at, least)
        elif opcode == b"G":
            found = float_run(buffer, at, least)
        else:
            points = point_run(buffer, at, len(self._memo), least)
            if points is not None:
                found = points.run
                if points.remembered:
                    self._memo.extend([points] * len(points.run.values))
        if found is None:
            return False
        target.append(found)
        self._at = found.end
        return True

    def append(self) -> None:
        self._list_below(2).append(self._stack.pop())

    def appends(self) -> None:
        items = self._marked()
        self._list_below(1).extend(items)

    def set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._set(key, value)

    def set_items(self) -> None:
        items = self._marked()
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._set(key, value)

    def _set(self, key: object, value: object) -> None:
        # Other keys than these could be chosen so that a dict takes a year to fill.
        if not (type(key) is str or (type(key) is int and abs(key) < 2**31)):
            raise RefusedError(f"a key of the type {type(key).__name__!r}")
        target = self._stack[-1]
        if type(target) is not dict:
            raise TypeError("an entry for what is no dict")
        target[key] = value

    def make_tuple(self) -> None:
        items = tuple(self._marked())
        self._stack.append(items)

    def make_short_tuple(self, count: int) -> None:
        items = tuple(self._stack[-count:])
        if len(items) < count:
            raise IndexError("a tuple of what is not there")
        self._stack[-count:] = [items]

    # What is remembered

    def memoize(self) -> None:
        self._memo.append(self._stack[-1])

    def put(self, size: int) -> None:
        index = self._length(size)
        # Every pickler counts from 0; a gap would only be there to fill memory.
        if index > len(self._memo):
            raise IndexError("remembers out of order")
        self._memo[index : index + 1] = [self._stack[-1]]

    def get(self, size: int) -> None:
        index = self._length(size)
        value = self._memo[index]
        self._stack.append(value.row(index) if type(value) is Points else value)

    # Numbers, text and bytes

    def push(self, value: object) -> None:
        self._stack.append(value)

    def integer(self, size: int, signed: bool) -> None:
        self._stack.append(int.from_bytes(self._take(size), "little", signed=signed))

    def long_integer(self, size: int) -> None:
        count = self._length(size)
        if count > _LONGEST_INTEGER:
            raise RefusedError("a number of more than a thousand digits")
        self.integer(count, signed=True)

    def float64(self) -> None:
        self._stack.append(_FLOAT64.unpack(self._take(8))[0])

    def text(self, size: int) -> None:
        data = self._take(self._length(size))
        text = self._texts.get(data)
        if text is None:
            # The same few keys stand in every face: one object for each of them.
            text = self._texts.setdefault(data, data.decode("utf-8", "surrogatepass"))
        self._stack.append(text)

    def binary(self, size: int) -> None:
        self._stack.append(self._take(self._length(size)))

    def byte_array(self) -> None:
        self._stack.append(bytearray(self._take(self._length(8))))

    # Names and calls

    def global_name(self) -> None:
        module = self._line()
        self._name(module, self._line())

    def stack_name(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        self._name(module, name)

    def _name(self, module: object, name: object) -> None:
        if not (type(module) is str and type(name) is str):
            raise TypeError("a name that is no text")
        function = ADMITTED.get((module, name))
        if function is None:
            raise RefusedError(f"a reference to '{module}.{name}'"[:200])
        self._stack.append(_Named(function))

    def call(self) -> None:
        arguments, named = self._stack.pop(), self._stack.pop()
        if type(named) is not _Named or type(arguments) is not tuple:
            raise RefusedError("a call of what is no function")
        self._stack.append(named.function(*arguments))

    def build(self) -> None:
        state, target = self._stack.pop(), self._stack[-1]
        if not isinstance(target, StandInArray | StandInDtype):
            raise RefusedError("a change of something that is no NumPy array")
        target.set_state(state)

    def skip(self, size: int) -> None:
        self._take(size)


_SHORTEST_RUN: Final = 4  # the fewest landmarks that a face has
_STOP: Final = pickle.STOP[0]
_FLOAT64: Final = struct.Struct(">d")
_LONGEST_NAME: Final = 200
_LONGEST_INTEGER: Final = 512
_Action = Callable[[_Reader], None]


def _damaged(_reader: _Reader) -> None:
    raise ValueError("an opcode that there is not")


def _refused(what: str) -> _Action:
    def refuse(_reader: _Reader) -> None:
        raise RefusedError(what)

    return refuse


def _actions() -> list[_Action]:
    known: dict[bytes, _Action] = {
        pickle.PROTO: lambda reader: reader.skip(1),
        pickle.FRAME: lambda reader: reader.skip(8),
        pickle.MARK: _Reader.mark,
        pickle.EMPTY_LIST: lambda reader: reader.push([]),
        pickle.EMPTY_DICT: lambda reader: reader.push({}),
        pickle.EMPTY_TUPLE: lambda reader: reader.push(()),
        pickle.APPEND: _Reader.append,
        pickle.APPENDS: _Reader.appends,
        pickle.SETITEM: _Reader.set_item,
        pickle.SETITEMS: _Reader.set_items,
        pickle.TUPLE: _Reader.make_tuple,
        pickle.TUPLE1: lambda reader: reader.make_short_tuple(1),
        pickle.TUPLE2: lambda reader: reader.make_short_tuple(2),
        pickle.TUPLE3: lambda reader: reader.make_short_tuple(3),
        pickle.MEMOIZE: _Reader.memoize,
        pickle.BINPUT: lambda reader: reader.put(1),
        pickle.LONG_BINPUT: lambda reader: reader.put(4),
        pickle.BINGET: lambda reader: reader.get(1),
        pickle.LONG_BINGET: lambda reader: reader.get(4),
        pickle.NONE: lambda reader: reader.push(None),
        pickle.NEWTRUE: lambda reader: reader.push(True),
        pickle.NEWFALSE: lambda reader: reader.push(False),
        pickle.BININT: lambda reader: reader.integer(4, signed=True),
        pickle.BININT1: lambda reader: reader.integer(1, signed=False),
        pickle.BININT2: lambda reader: reader.integer(2, signed=False),
        pickle.LONG1: lambda reader: reader.long_integer(1),
        pickle.LONG4: lambda reader: reader.long_integer(4),
        pickle.BINFLOAT: _Reader.float64,
        pickle.SHORT_BINUNICODE: lambda reader: reader.text(1),
        pickle.BINUNICODE: lambda reader: reader.text(4),
        pickle.BINUNICODE8: lambda reader: reader.text(8),
        pickle.SHORT_BINBYTES: lambda reader: reader.binary(1),
        pickle.BINBYTES: lambda reader: reader.binary(4),
        pickle.BINBYTES8: lambda reader: reader.binary(8),
        pickle.BYTEARRAY8: _Reader.byte_array,
        pickle.GLOBAL: _Reader.global_name,
        pickle.STACK_GLOBAL: _Reader.stack_name,
        pickle.REDUCE: _Reader.call,
        pickle.BUILD: _Reader.build,
        **dict.fromkeys((pickle.EMPTY_SET, pickle.ADDITEMS, pickle.FROZENSET), _refused("a set")),
        **dict.fromkeys((pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.OBJ, pickle.INST), _refused("an object of a class")),
        **dict.fromkeys((pickle.PERSID, pickle.BINPERSID), _refused("a reference to something outside of it")),
        **dict.fromkeys((pickle.EXT1, pickle.EXT2, pickle.EXT4), _refused("a reference to a registered class")),
        **dict.fromkeys((pickle.NEXT_BUFFER, pickle.READONLY_BUFFER), _refused("a reference to another file")),
    }
    return [known.get(bytes([opcode]), _damaged) for opcode in range(256)]


_ACTIONS: Final = _actions()


def load(chunks: Iterable[bytes], name: str, limits: Limits | None = None) -> Any:
    """Return the object that a pickle, given in chunks, holds: dict, list, tuple, str, bytes, numbers, None and arrays.

    Longer lists of floats, of byte values or of points come as arrays: (N,) float64, (N,) uint8, (N, 2) float64. NumPy
    scalars come as Python numbers, arrays in the machine's byte order. `name` is the file, for the message. Raises
    FacesetError for anything else, and for bytes that are no pickle. FacesetError, MemoryError and OSError of the
    chunks are passed on.
    """
    bounds = limits or Limits()
    try:
        reader = _Reader(chunks)
        value = reader.load(bounds.steps)
        flattener = Flattener(reader.bytes_read + bounds.repeated)
        del reader  # and with it all that it remembers
        return flattener.flat(value)
    except (FacesetError, MemoryError, OSError):  # what reading the chunks may end in says nothing about the pickle
        raise
    except RefusedError as refusal:
        raise FacesetError(
            f"{name}: refused, because it holds {refusal}. An alignments file holds only numbers, text and bytes: "
            "this one is damaged or was made to do harm. Use another copy of it."
        ) from None
    except Exception as error:  # a damaged pickle can fail in any way at all
        raise FacesetError(
            f"{name}: not readable as an alignments file ({type(error).__name__}): it is damaged or cut short. "
            "Use another copy of it."
        ) from None
