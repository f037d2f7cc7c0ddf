"""Alignments files: which faces are on which frame, in faceswap's own form.

In memory alignments are one plain object, canonical version 2.4 (a frame's form: see `alignment_entries`):

    {"__meta__": {"version": 2.4}, "__data__": {frame name: frame, ...}}

Written, it is a pure function of the object's values: the same bytes for equal alignments, however they were built.
"""

import contextlib
import gc
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeGuard

import msgpack
import numpy as np
from numpy.typing import NDArray

from faceset.alignments.entries import Frame, Remarks, canonical_frame, for_faceswap
from faceset.alignments.pickles import reader as restricted_pickle
from faceset.alignments.pickles.reader import Limits
from faceset.alignments.pickles.writer import pickled
from faceset.errors import FacesetError

VERSION: Final = 2.4
_OLDEST_VERSION: Final = 2.0

# A file of alignments shrinks to a half or a tenth; one that shrank to less than a hundredth was made to fill memory,
# and so was one with more objects than bytes.
_LARGEST_RATIO: Final = 100
_ALWAYS_UNPACKED: Final = 64 * 2**20
_STEPS_PER_BYTE: Final = 2
_ALWAYS_STEPS: Final = 1_000_000
_CHUNK_BYTES: Final = 2**18

_LARGEST_FRAME_BYTES: Final = 2**30
_LONGEST_ARRAY: Final = 2**16


@dataclass(frozen=True)
class Alignments:
    """Alignments as read: `data` is the canonical object.

    `notes` are lines for the user about what was left out or will be.
    """

    data: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def frames(self) -> dict[str, Frame]:
        """The frames by name, in the file's order."""
        frames: dict[str, Frame] = self.data["__data__"]
        return frames


def read_alignments(path: Path) -> Alignments:
    """Read a `.fsa` of versions 2.0 to 2.4, our `.msgpack`, or a `.json` of the same object or of faceswap's export.

    Raises FacesetError naming file, frame and face for whatever is not alignments.
    """
    readers = {".fsa": _from_fsa, ".msgpack": _from_msgpack, ".json": _from_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise FacesetError(f"{path}: expected an alignments file ending in .fsa, .msgpack or .json.")
    with _opened(path) as file, _without_collector():
        return reader(file, str(path))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise FacesetError(f"{path}: cannot be read ({error.strerror}).") from None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for reference cycles among the many objects of a file while all of it is read.

    Not to be used across a `yield`: the caller's code would run without the collector.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _from_fsa(file: BinaryIO, name: str) -> Alignments:
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    chunks = _unpacked(file, max(_ALWAYS_UNPACKED, size * _LARGEST_RATIO), name)
    value = restricted_pickle.load(chunks, name, Limits(steps=_ALWAYS_STEPS + size * _STEPS_PER_BYTE))
    for _ in chunks:  # only at its end does the checksum tell that all of it was right
        pass
    return _canonical(value, name)


def _unpacked(file: BinaryIO, most: int, name: str) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    packed, written = b"", 0
    while not unpacker.eof:
        packed = unpacker.unconsumed_tail or file.read(_CHUNK_BYTES)
        if not packed:
            raise FacesetError(f"{name}: cut short: the compressed data has no end. Use another copy.")
        try:
            chunk = unpacker.decompress(packed, _CHUNK_BYTES)
        except zlib.error:
            raise FacesetError(
                f"{name}: not an alignments file, or damaged: it is not zlib-compressed. Use another copy."
            ) from None
        written += len(chunk)
        if written > most:
            raise FacesetError(f"{name}: refused, because it unpacks to more than {most:,} bytes.")
        yield chunk


def _from_json(file: BinaryIO, name: str) -> Alignments:
    try:
        value = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise FacesetError(f"{name}: not readable as JSON ({error}).") from None
    if isinstance(value, dict) and "__meta__" not in value and all(map(_is_export, value.values())):
        remarks = Remarks()
        frames = _canonical_frames(_from_export(value, name).items(), name, remarks)
        return _alignments(dict(frames), remarks)
    return _canonical(value, name)


def _is_export(faces: object) -> bool:
    return isinstance(faces, list) and all(isinstance(face, dict) and "landmarks_2d" in face for face in faces)


def _from_export(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return frames from faceswap's export, `{frame: [{"detected": [l, t, r, b], "landmarks_2d": [...]}]}`."""
    frames: dict[str, Any] = {}
    for frame, faces in value.items():
        frames[frame] = []
        for index, face in enumerate(faces):
            try:
                left, top, right, bottom = (round(edge) for edge in face["detected"])
                box = {"x": left, "w": right - left, "y": top, "h": bottom - top}
                frames[frame].append({**box, "landmarks_xy": face["landmarks_2d"]})
            except (KeyError, TypeError, ValueError, OverflowError):
                raise FacesetError(
                    f"{name}: frame '{frame}', face {index}: expected detected: [left, top, right, bottom] and "
                    "landmarks_2d."
                ) from None
    return frames


def _canonical(value: object, name: str) -> Alignments:
    """Return what was read as alignments; its frames are taken out of it one by one, so that memory holds them once."""
    if not isinstance(value, dict):
        raise FacesetError(f"{name}: expected alignments, found {type(value).__name__}.")
    remarks = Remarks()
    _check_version(value.get("__meta__"), name)
    _remark_on_keys(value, remarks)
    frames = _checked_frames(value.get("__data__"), name)
    drained = ((frame, frames.pop(frame)) for frame in list(frames))
    return _alignments(dict(_canonical_frames(drained, name, remarks)), remarks)


def _alignments(frames: dict[str, Frame], remarks: Remarks) -> Alignments:
    return Alignments({"__meta__": {"version": VERSION}, "__data__": frames}, remarks.lines())


def _remark_on_keys(keys: Iterable[object], remarks: Remarks) -> None:
    for key in sorted(str(key) for key in keys if key not in ("__meta__", "__data__")):
        remarks.add(f"key '{key:.60}' of the file, unknown to faceswap, left out", "its top level")


def _checked_frames(frames: object, name: str) -> dict[Any, Any]:
    if not isinstance(frames, dict):
        raise FacesetError(f"{name}: expected frames under '__data__', found {type(frames).__name__}.")
    return frames


def _canonical_frames(
    frames: Iterable[tuple[object, object]], name: str, remarks: Remarks
) -> Iterator[tuple[str, Frame]]:
    for frame, entry in frames:
        if not _is_file_name(frame):
            raise FacesetError(f"{name}: frame {frame!r:.80}: expected a file name without its folder as the key.")
        yield frame, canonical_frame(entry, frame, name, remarks)


def _is_file_name(name: object) -> TypeGuard[str]:
    try:
        return isinstance(name, str) and bool(name.encode()) and not set(name) & {"/", "\0"}
    except UnicodeEncodeError:  # a name in another encoding: no table or record could hold it
        return False


def _check_version(meta: object, name: str) -> None:
    version = meta.get("version") if isinstance(meta, dict) else 1.0 if meta is None else None
    if not isinstance(version, int | float) or isinstance(version, bool):
        raise FacesetError(f"{name}: expected its version as a number under '__meta__'.")
    if version < _OLDEST_VERSION:
        raise FacesetError(
            f"{name}: version {version:.1f}, older than {_OLDEST_VERSION:.1f}: its faces were cut in another way, and "
            "faceswap refuses it too. Detect the faces again: write 'detect' in the alignments column of this source."
        )
    if not version <= VERSION:
        raise FacesetError(
            f"{name}: version {version}, newer than {VERSION}, the newest that is known here. Update Faceset, or "
            f"save the file with a faceswap that writes {VERSION}."
        )


def face_landmarks(face: dict[str, Any]) -> NDArray[np.float32]:
    """Return a canonical face's landmarks, (P, 2) float32, frame pixels."""
    with np.errstate(over="ignore"):
        return np.array(face["landmarks_xy"], dtype=np.float32)


def fsa_chunks(data: dict[str, Any]) -> Iterator[bytes]:
    """Yield the `.fsa` of alignments, piece by piece: zlib, and in it a pickle of protocol 4 that names no class.

    Keys that faceswap does not know are left out, since it refuses a file that holds them. Raises FacesetError where
    `data` is not alignments.
    """
    # The fastest level: masks and thumbs, most of the file, are compressed already.
    packer = zlib.compressobj(level=1)
    frames = ((name, for_faceswap(frame)) for name, frame in _frames_to_write(data))
    for chunk in pickled({"__meta__": {"version": VERSION}}, "__data__", frames):
        yield packer.compress(chunk)
    yield packer.flush()


def fsa_bytes(data: dict[str, Any]) -> bytes:
    """Return what `fsa_chunks` yields, as one."""
    return b"".join(fsa_chunks(data))


def msgpack_chunks(data: dict[str, Any]) -> Iterator[bytes]:
    """Yield the msgpack of alignments, frame by frame, with nothing left out.

    It holds what the `.fsa` does, but each thumb as bytes. Raises FacesetError where `data` is not alignments.
    """
    packer = msgpack.Packer(use_bin_type=True, default=np.ndarray.tolist)
    yield packer.pack_map_header(2) + packer.pack("__meta__") + packer.pack({"version": VERSION})
    yield packer.pack("__data__") + packer.pack_map_header(len(data.get("__data__", ())))
    for name, frame in _frames_to_write(data):
        yield packer.pack(name) + packer.pack(frame)


def msgpack_bytes(data: dict[str, Any]) -> bytes:
    """Return what `msgpack_chunks` yields, as one."""
    return b"".join(msgpack_chunks(data))


def _frames_to_write(data: dict[str, Any]) -> Iterator[tuple[str, Frame]]:
    name = "alignments to be written"
    _check_version(data.get("__meta__"), name)
    return _canonical_frames(_checked_frames(data.get("__data__"), name).items(), name, Remarks())


def read_msgpack(path: Path) -> Alignments:
    """Read a file of what `msgpack_chunks` yields, whatever it is called. Raises FacesetError."""
    with _opened(path) as file, _without_collector():
        return _from_msgpack(file, str(path))


def iterate_msgpack(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and packed entry of each frame of a file that `msgpack_chunks` gave, one in memory at a time.

    Made for files of ours that are known to be whole; `unpack_frame` reads an entry.
    """
    with _opened(path) as file, _opened(path) as entries:
        unpacker = msgpack.Unpacker(file, read_size=_CHUNK_BYTES, max_buffer_size=_LARGEST_FRAME_BYTES)
        unpacker.read_map_header()
        for _ in range(3):  # __meta__, what it says, and __data__
            unpacker.skip()
        for _ in range(unpacker.read_map_header()):
            name = unpacker.unpack()
            start = unpacker.tell()
            unpacker.skip()
            entries.seek(start)
            yield name, entries.read(unpacker.tell() - start)


def unpack_frame(packed: bytes, name: str) -> Frame:
    """Return the entry of the frame `name`, as `iterate_msgpack` gave it."""
    return canonical_frame(msgpack.unpackb(packed), name, "cleaned alignments", Remarks())


def from_msgpack(content: bytes, name: str) -> Alignments:
    """Read what `msgpack_bytes` returned. `name` is for messages; raises FacesetError."""
    return _from_msgpack(io.BytesIO(content), name)


def _from_msgpack(file: BinaryIO, name: str) -> Alignments:
    # Room for an array is taken when its length is read, before its entries: so there is a limit to what it may say.
    unpacker = msgpack.Unpacker(
        file, read_size=_CHUNK_BYTES, max_buffer_size=_LARGEST_FRAME_BYTES, max_array_len=_LONGEST_ARRAY
    )
    remarks, keys = Remarks(), []
    frames: dict[str, Frame] | None = None
    try:
        for _ in range(unpacker.read_map_header()):
            keys.append(unpacker.unpack())
            if keys[-1] == "__meta__":
                _check_version(unpacker.unpack(), name)
            elif keys[-1] == "__data__":
                count = unpacker.read_map_header()
                entries = ((unpacker.unpack(), unpacker.unpack()) for _ in range(count))
                frames = dict(_canonical_frames(entries, name, remarks))
            else:
                unpacker.skip()
    except (ValueError, RecursionError, msgpack.exceptions.UnpackException) as error:
        raise FacesetError(f"{name}: not readable as msgpack ({error}): damaged or cut short.") from None
    if frames is None:
        raise FacesetError(f"{name}: expected frames under '__data__', found nothing.")
    if "__meta__" not in keys:
        _check_version(None, name)
    _remark_on_keys(keys, remarks)
    return _alignments(frames, remarks)
