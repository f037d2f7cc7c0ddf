"""Alignments files: which faces are on which frame, in faceswap's own form.

In memory alignments are one plain object, canonical version 2.4 (a frame's form: see `alignment_entries`):

    {"__meta__": {"version": 2.4}, "__data__": {frame name: frame, ...}}

Written, it is a pure function of the object's values: the same bytes for equal alignments, however they were built.
"""

import io
import json
import pickle
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np
from numpy.typing import NDArray

from faceset import restricted_pickle
from faceset.alignment_entries import Frame, Remarks, canonical_frame, for_faceswap
from faceset.errors import FacesetError

VERSION: Final = 2.4
_OLDEST_VERSION: Final = 2.0

# A file of alignments shrinks to a half or a tenth; one that shrank to less than a hundredth was made to fill memory.
_LARGEST_RATIO: Final = 100
_ALWAYS_UNPACKED: Final = 256 * 2**20


@dataclass(frozen=True)
class Alignments:
    """Alignments as read: `data` is the canonical object.

    `version_read` is what the file said it was, None for an export that does not say; `notes` are lines for the user
    about what was left out or will be.
    """

    data: dict[str, Any]
    version_read: float | None
    notes: tuple[str, ...]

    @property
    def frames(self) -> dict[str, Frame]:
        """The frames by name, in the file's order."""
        frames: dict[str, Frame] = self.data["__data__"]
        return frames


def default_alignments_path(footage: Path) -> Path:
    """Return where faceswap puts the alignments of a folder of frames, or of a video."""
    if footage.is_dir():
        return footage / "alignments.fsa"
    return footage.with_name(f"{footage.stem}_alignments.fsa")


def read_alignments(path: Path) -> Alignments:
    """Read a `.fsa` of versions 2.0 to 2.4, our `.msgpack`, or a `.json` of the same object or of faceswap's export.

    Raises FacesetError naming file, frame and face for whatever is not alignments.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FacesetError(f"{path}: cannot be read ({error.strerror}).") from None
    suffix = path.suffix.lower()
    if suffix == ".fsa":
        return _canonical(restricted_pickle.loads(_unpacked(content, str(path)), str(path)), str(path))
    if suffix == ".msgpack":
        return from_msgpack(content, str(path))
    if suffix == ".json":
        return _from_json(content, str(path))
    raise FacesetError(f"{path}: expected an alignments file ending in .fsa, .msgpack or .json.")


def _unpacked(content: bytes, name: str) -> bytes:
    most = max(_ALWAYS_UNPACKED, len(content) * _LARGEST_RATIO)
    reader = zlib.decompressobj()
    try:
        data = reader.decompress(content, most)
    except zlib.error:
        raise FacesetError(
            f"{name}: not an alignments file, or damaged: it is not zlib-compressed. Use another copy."
        ) from None
    if reader.unconsumed_tail:
        raise FacesetError(f"{name}: refused, because it unpacks to more than {most:,} bytes.")
    if not reader.eof:
        raise FacesetError(f"{name}: cut short: the compressed data has no end. Use another copy.")
    return data


def _from_json(content: bytes, name: str) -> Alignments:
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FacesetError(f"{name}: not readable as JSON ({error}).") from None
    if isinstance(value, dict) and "__meta__" not in value and all(map(_is_export, value.values())):
        return _canonical_frames(_from_export(value, name), None, name, Remarks())
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
    if not isinstance(value, dict):
        raise FacesetError(f"{name}: expected alignments, found {type(value).__name__}.")
    version = _version(value.get("__meta__"), name)
    remarks = Remarks()
    for key in sorted(str(key) for key in value if key not in ("__meta__", "__data__")):
        remarks.add(f"key '{key:.60}' of the file, unknown to faceswap, left out", "its top level")
    return _canonical_frames(value.get("__data__"), version, name, remarks)


def _canonical_frames(frames: object, version: float | None, name: str, remarks: Remarks) -> Alignments:
    if not isinstance(frames, dict):
        raise FacesetError(f"{name}: expected frames under '__data__', found {type(frames).__name__}.")
    canonical: dict[str, Frame] = {}
    for frame, entry in frames.items():
        if not _is_file_name(frame):
            raise FacesetError(f"{name}: frame {frame!r:.80}: expected a file name without its folder as the key.")
        canonical[frame] = canonical_frame(entry, frame, name, remarks)
    return Alignments({"__meta__": {"version": VERSION}, "__data__": canonical}, version, remarks.lines())


def _is_file_name(name: object) -> bool:
    try:
        return isinstance(name, str) and bool(name.encode()) and not set(name) & {"/", "\0"}
    except UnicodeEncodeError:  # a name in another encoding: no table or record could hold it
        return False


def _version(meta: object, name: str) -> float:
    version = meta.get("version") if isinstance(meta, dict) else 1.0 if meta is None else None
    if not isinstance(version, int | float) or isinstance(version, bool):
        raise FacesetError(f"{name}: expected its version as a number under '__meta__'.")
    if version < _OLDEST_VERSION:
        raise FacesetError(
            f"{name}: version {version:.1f}, older than {_OLDEST_VERSION:.1f}: its faces were cut in another way, and "
            "faceswap refuses it too. Detect the faces anew: write 'detect' in the alignments column of this source."
        )
    if not version <= VERSION:
        raise FacesetError(
            f"{name}: version {version}, newer than {VERSION}, the newest that is known here. Update Faceset, or "
            f"save the file with a faceswap that writes {VERSION}."
        )
    return float(version)


def face_landmarks(face: dict[str, Any]) -> NDArray[np.float32]:
    """Return a canonical face's landmarks, (P, 2) float32, frame pixels."""
    with np.errstate(over="ignore"):
        return np.array(face["landmarks_xy"], dtype=np.float32)


def fsa_bytes(data: dict[str, Any]) -> bytes:
    """Return the `.fsa` of alignments: zlib, and in it a pickle of protocol 4 that names no class.

    Keys that faceswap does not know are left out, since it refuses a file that holds them. Raises FacesetError where
    `data` is not alignments.
    """
    canonical = _canonical(data, "alignments to be written").data
    frames = {name: for_faceswap(frame) for name, frame in canonical["__data__"].items()}
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    # Without its memo a pickle depends on values alone, not on which of them happen to be one object.
    pickler.fast = True
    pickler.dump({**canonical, "__data__": frames})
    # Level 1 takes a fifth of the time of the default and makes the file 7 % larger.
    return zlib.compress(buffer.getbuffer(), level=1)


def msgpack_bytes(data: dict[str, Any]) -> bytes:
    """Return the msgpack of alignments, with nothing left out. Raises FacesetError where `data` is not alignments."""
    try:
        packed: bytes = msgpack.packb(_canonical(data, "alignments to be written").data, use_bin_type=True)
    except UnicodeEncodeError as error:
        raise FacesetError(
            f"alignments to be written: {error.object!r:.80}: expected text, found other bytes."
        ) from None
    return packed


def from_msgpack(content: bytes, name: str) -> Alignments:
    """Read what `msgpack_bytes` wrote. `name` is the file, for messages; raises FacesetError."""
    try:
        value = msgpack.unpackb(content, raw=False, strict_map_key=True)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise FacesetError(f"{name}: not readable as msgpack ({error}): damaged or cut short.") from None
    return _canonical(value, name)
