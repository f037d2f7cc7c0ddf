"""Face pictures as faceswap reads them: a PNG that carries its face's alignments in a text chunk.

The chunk stands before the first pixels: `iTXt` with the keyword faceswap and, as a Python literal,

    {"alignments": a canonical face without its thumb, the matrices of its masks 3 x 3 in float32 precision,
     "source": {"alignments_version": float, "original_filename": str, "face_index": int, "source_filename": str,
                "source_is_video": bool, "source_frame_dims": [height, width]}}

Format: PNG specification, third edition (W3C).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from faceset.alignments.entries import EntryError, Face, Remarks, canonical_face, known_face, plain
from faceset.errors import FacesetError
from faceset.training.pictures.literals import read_literal

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD: Final = b"faceswap\0"
# After the keyword: not compressed (2 bytes), no language, no translated keyword.
_TEXT_START: Final = _KEYWORD + b"\0\0\0\0"
_LONGEST_TEXT: Final = 4 * 2**20

_SOURCE_KEYS: Final[dict[str, type | tuple[type, ...]]] = {
    "alignments_version": (int, float),
    "original_filename": str,
    "face_index": int,
    "source_filename": str,
    "source_is_video": bool,
    "source_frame_dims": list,
}


def header_text(face: Face, source: dict[str, Any]) -> str:
    """Return the text that goes into the PNG of one canonical face.

    `source` holds the six keys of the module's head. Raises ValueError where it does not, and for numbers that are
    not finite, which no reader of literals takes.
    """
    problem = _source_problem(source)
    if problem:
        raise ValueError(problem)
    known = known_face(face)
    del known["thumb"]
    for mask in known["mask"].values():
        mask["affine_matrix"] = _full_float32(mask["affine_matrix"])
    matrices = [mask["affine_matrix"] for mask in known["mask"].values()]
    if not all(
        np.isfinite(numbers).all() for numbers in (known["landmarks_xy"], *known["identity"].values(), *matrices)
    ):
        raise ValueError("a face with numbers that are not finite cannot be written")
    return repr({"alignments": plain(known), "source": {key: source[key] for key in _SOURCE_KEYS}})


def _full_float32(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the (2, 3) matrix of a mask as faceswap has it in pictures: (3, 3), of float32 precision."""
    full = np.eye(3, dtype=np.float32)
    with np.errstate(over="ignore"):
        full[:2] = matrix
    return full


def face_png(size_px: int, packed: bytes, face: Face, source: dict[str, Any]) -> bytes:
    """Return the PNG of a square of pixels that `pixels.pack` packed, with the header of a face; raises ValueError."""
    return encode(size_px, size_px, packed, header_text(face, source))


def encode(width: int, height: int, packed: bytes, text: str) -> bytes:
    """Return the PNG of pixels that `face_pixels.pack` packed, with `text` in its chunk."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header), _text_chunk(text), _chunk(b"IDAT", packed), _chunk(b"IEND", b"")
    return b"".join((_SIGNATURE, *chunks))


def read_header(data: bytes, name: str) -> dict[str, Any]:
    """Return what the chunk of a face PNG holds, in canonical form.

    `name` is the file, for messages. Raises FacesetError for what is no PNG, has no such chunk, or holds another thing
    in it. The pixels are not looked at.
    """
    for kind, body, checksum in _chunks(data, name):
        if kind == b"IDAT":
            break
        if kind == b"iTXt" and body.startswith(_KEYWORD):
            if zlib.crc32(body, zlib.crc32(kind)) != checksum:
                raise FacesetError(f"{name}: damaged: the checksum of its face data is wrong. Extract this face again.")
            return _parsed(body, name)
    raise FacesetError(
        f"{name}: has no face data from faceswap or Faceset in it: it was saved by another program, or is no extracted "
        "face. Take it out of the folder, or extract it again."
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _text_chunk(text: str) -> bytes:
    return _chunk(b"iTXt", _TEXT_START + text.encode())


def _chunks(data: bytes, name: str) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield kind, body and the stored checksum of each chunk, up to the end of the picture."""
    if not data.startswith(_SIGNATURE):
        raise FacesetError(f"{name}: {'not a PNG' if data else 'an empty file'}. Extract this face again.")
    position, kind = len(_SIGNATURE), b""
    while kind != b"IEND":
        start = position + 8
        length, kind = struct.unpack(">I4s", data[position:start]) if start <= len(data) else (0, b"")
        position = start + length + 4
        if position > len(data):
            raise FacesetError(f"{name}: a PNG that is cut short. Extract this face again.")
        yield kind, data[start : start + length], int.from_bytes(data[start + length : position], "big")


def _parsed(body: bytes, name: str) -> dict[str, Any]:
    try:
        if not body.startswith(_TEXT_START) or len(body) > _LONGEST_TEXT:
            raise EntryError("expected plain text of at most 4 MiB")
        value = read_literal(body[len(_TEXT_START) :].decode())
        if not isinstance(value, dict) or set(value) != {"alignments", "source"}:
            raise EntryError("expected alignments and source")
        face = canonical_face(value["alignments"], name, Remarks())
        source = value["source"]
        if isinstance(source, dict) and isinstance(source.get("source_frame_dims"), tuple):
            source["source_frame_dims"] = list(source["source_frame_dims"])
        problem = _source_problem(source)
        if problem:
            raise EntryError(problem)
    except EntryError as error:
        raise FacesetError(f"{name}: its face data is not as expected: {error}. Extract this face again.") from None
    except (ValueError, SyntaxError, RecursionError):  # all of them are ways in which text can fail to be a literal
        raise FacesetError(f"{name}: its face data is not readable. Extract this face again.") from None
    del face["thumb"]
    return {"alignments": face, "source": {key: source[key] for key in _SOURCE_KEYS}}


def _source_problem(source: object) -> str:
    """Return what is wrong with a `source`, or nothing."""
    if not isinstance(source, dict) or set(source) != set(_SOURCE_KEYS):
        return f"source: expected the keys {', '.join(_SOURCE_KEYS)}"
    for key, kinds in _SOURCE_KEYS.items():
        if not isinstance(source[key], kinds) or (isinstance(source[key], bool) and kinds is not bool):
            return f"source: {key}: {source[key]!r:.40} is of the wrong type"
    height_width = source["source_frame_dims"]
    if len(height_width) != 2 or not all(type(side) is int and side > 0 for side in height_width):
        return "source: source_frame_dims: expected [height, width]"
    return "" if source["face_index"] >= 0 else "source: face_index: expected a number from 0"
