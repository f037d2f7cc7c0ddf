"""Frames of pickles: since protocol 4 a pickle is cut into pieces of some 64 KiB, in the middle of lists too."""

import pickle
from collections.abc import Iterable, Iterator
from typing import Final

_PROTOCOL_BYTES: Final = 2
_FRAME_BYTES: Final = 9

# What may stand between frames, being too large for one: with how many bytes its length has.
_LENGTH_BYTES: Final = {
    pickle.BINBYTES: 4,
    pickle.BINUNICODE: 4,
    pickle.BINBYTES8: 8,
    pickle.BINUNICODE8: 8,
    pickle.BYTEARRAY8: 8,
}


def unframed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the bytes of a pickle without its frames' heads, so that runs of entries are whole.

    Where something else stands than a frame, all from there on is left as it is.
    """
    waiting, left, framed = b"", _PROTOCOL_BYTES, True
    for chunk in chunks:
        buffer, at = waiting + chunk, 0
        parts = []
        while framed:
            parts.append(buffer[at : at + left])
            at, left = at + len(parts[-1]), left - len(parts[-1])
            if left or len(buffer) - at < _FRAME_BYTES:
                break
            opcode = buffer[at : at + 1]
            if opcode == pickle.FRAME:
                left = int.from_bytes(buffer[at + 1 : at + _FRAME_BYTES], "little")
                at += _FRAME_BYTES
            elif opcode in _LENGTH_BYTES:
                head = 1 + _LENGTH_BYTES[opcode]
                left = head + int.from_bytes(buffer[at + 1 : at + head], "little")
            else:
                framed = False
        if not framed:
            parts.append(buffer[at:])
            at = len(buffer)
        waiting = buffer[at:]
        yield b"".join(parts)
    yield waiting
