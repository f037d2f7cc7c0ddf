"""The canonical form of frames and faces in alignments: every spelling since version 2.0, made version 2.4.

    {"faces": [face, ...], "video_meta": {} | {"pts_time": int, "keyframe": bool}}
    face = {"x": int, "w": int, "y": int, "h": int,            box in frame pixels
            "landmarks_xy": (P, 2) float64,                     P = 4, 68 or 98, frame pixels, NaN allowed
            "mask": {name: mask}, "identity": {model: (D,) float64},
            "thumb": bytes | None}                              a small JPEG
    mask = {"mask": bytes, "affine_matrix": (2, 3) float64, "interpolator": int, "stored_size": int,
            "stored_centering": "face" | "head" | "legacy"}

In files the arrays are lists of floats, and a thumb is a list of byte values: as Python objects they would take six
times the memory. Keys that are not in this list are kept behind the others, so that nothing is lost, and reported:
faceswap refuses a file that holds them.
"""

import sys
from collections import Counter
from itertools import chain
from typing import Any, Final

import numpy as np

from faceset.arrays import Float64
from faceset.errors import FacesetError
from faceset.geometry.mean_faces import LANDMARK_COUNTS

Face = dict[str, Any]
Frame = dict[str, Any]

FACE_KEYS: Final = ("x", "w", "y", "h", "landmarks_xy", "mask", "identity", "thumb")
FRAME_KEYS: Final = ("faces", "video_meta")
MASK_KEYS: Final = ("mask", "affine_matrix", "interpolator", "stored_size", "stored_centering")
LEGACY_MASKS: Final = frozenset({"components", "extended"})

_LARGEST_INT: Final = 2**53
_LARGEST_MASK_SIZE: Final = 4096
_DEEPEST: Final = 12


class EntryError(ValueError):
    """An entry is not as it should be; the message begins with the key and says what was expected."""


class Remarks:
    """What was found on reading that the user should know, counted by kind, with the first place of each."""

    def __init__(self) -> None:
        """Start with none."""
        self._counts: Counter[str] = Counter()
        self._first: dict[str, str] = {}

    def add(self, remark: str, place: str) -> None:
        """Count `remark`, met at `place`."""
        self._counts[remark] += 1
        self._first.setdefault(remark, place)

    def lines(self) -> tuple[str, ...]:
        """Return one line for each kind of remark, in the order of first meeting."""
        return tuple(
            f"{remark}: {count} time{'s' * (count > 1)}, first in {self._first[remark]}"
            for remark, count in self._counts.items()
        )


def for_faceswap(frame: Frame) -> Frame:
    """Return a canonical frame without the keys that faceswap refuses, its thumbs as (N,) uint8."""
    faces = [known_face(face) for face in frame["faces"]]
    for face in faces:
        if face["thumb"] is not None:
            face["thumb"] = np.frombuffer(face["thumb"], np.uint8)
    return {"faces": faces, "video_meta": frame["video_meta"]}


def known_face(face: Face) -> Face:
    """Return a face without the keys that faceswap refuses."""
    masks = {name: {key: mask[key] for key in MASK_KEYS} for name, mask in face["mask"].items()}
    return {key: face[key] for key in FACE_KEYS} | {"mask": masks}


def plain(value: Any) -> Any:
    """Return a canonical frame, face or part of one with lists in the place of its arrays."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def canonical_frame(entry: object, name: str, file: str, remarks: Remarks) -> Frame:
    """Return the canonical form of one frame's entry.

    `entry` may be the list of faces itself, as old files have it. Raises FacesetError that names file, frame and face.
    """
    if isinstance(entry, list | tuple):
        entry = {"faces": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("faces"), list | tuple):
        raise FacesetError(
            f"{file}: frame '{name}': expected a list of faces or {{'faces': [...]}}, found {_kind(entry)}."
        )
    faces = []
    for index, face in enumerate(entry["faces"]):
        try:
            faces.append(canonical_face(face, f"frame '{name}', face {index}", remarks))
        except EntryError as error:
            raise FacesetError(
                f"{file}: frame '{name}', face {index}: {error}. Correct or delete this face with faceswap's own "
                "tools, or use another copy of the file."
            ) from None
    try:
        frame = {"faces": faces, "video_meta": _video_meta(entry.get("video_meta"))}
        return frame | _others(entry, FRAME_KEYS, "a frame", f"frame '{name}'", remarks)
    except EntryError as error:
        raise FacesetError(f"{file}: frame '{name}': {error}.") from None


def canonical_face(entry: object, place: str, remarks: Remarks) -> Face:
    """Return the canonical form of one face. Raises EntryError; `place` is where a remark says it was met."""
    if not isinstance(entry, dict):
        raise EntryError(f"expected a face, found {_kind(entry)}")
    spelling = "landmarks_xy" if "landmarks_xy" in entry else "landmarksXY"
    missing = [key for key in ("x", "w", "y", "h") if key not in entry]
    missing += [] if spelling in entry else ["landmarks_xy"]
    if missing:
        raise EntryError(f"{', '.join(missing)} missing")
    face: Face = {key: _integer(entry[key], key) for key in ("x", "w", "y", "h")}
    face["landmarks_xy"] = _rows(entry[spelling], "landmarks_xy", LANDMARK_COUNTS, 2)
    face["mask"] = _masks(entry.get("mask"), place, remarks)
    face["identity"] = _identities(entry.get("identity"))
    face["thumb"] = _thumb(entry.get("thumb"))
    return face | _others(entry, (*FACE_KEYS, spelling), "a face", place, remarks)


def _kind(value: object) -> str:
    if isinstance(value, list | tuple | dict | str | bytes):
        return f"{type(value).__name__} of length {len(value)}"
    return f"{value!r:.40}" if isinstance(value, int | float) else type(value).__name__


def _listed(value: object) -> object:
    """Return an array as a list, a NumPy scalar as a Python number, anything else as it is."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _integer(value: object, key: str) -> int:
    """Return a whole number; old files hold floats too, which are rounded."""
    value = _listed(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST_INT:
        return round(value)
    raise EntryError(f"{key}: expected a whole number, found {_kind(value)}")


def _floats(value: object, key: str) -> Float64:
    """Return a list of numbers as (N,) float64; the very same array if it is one."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.ndim == 1:
        return value
    value = _listed(value)
    if isinstance(value, list | tuple) and set(map(type, value)) <= {float, int}:
        try:
            return np.array(value, np.float64)
        except OverflowError:
            pass
    raise EntryError(f"{key}: expected a list of numbers, found {_kind(value)}")


def _rows(value: object, key: str, counts: tuple[int, ...], width: int) -> Float64:
    """Return a list of rows of `width` numbers as (N, width) float64; the very same array if it is one."""
    if type(value) is np.ndarray and value.dtype == np.float64 and value.shape in {(count, width) for count in counts}:
        return value
    value = _listed(value)
    if isinstance(value, list | tuple) and len(value) in counts:
        # Most files have plain lists: seen without a loop in Python over the rows.
        plain_rows = set(map(type, value)) == {list} and set(map(type, chain.from_iterable(value))) <= {float}
        rows = value if plain_rows else [_floats(row, key) for row in value]
        if set(map(len, rows)) == {width}:
            return np.array(rows, np.float64)
    expected = " or ".join(map(str, counts))
    raise EntryError(f"{key}: expected {expected} rows of {width} numbers, found {_kind(value)}")


def _masks(value: object, place: str, remarks: Remarks) -> dict[str, dict[str, Any]]:
    masks = {}
    for name, mask in _named(value, "mask"):
        if name in LEGACY_MASKS:
            remarks.add(f"legacy mask '{name}' left out, as faceswap does", place)
            continue
        try:
            masks[name] = _mask(mask, place, remarks)
        except EntryError as error:
            raise EntryError(f"mask '{name}': {error}") from None
    return masks


def _mask(value: object, place: str, remarks: Remarks) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise EntryError(f"expected a mask, found {_kind(value)}")
    missing = [key for key in MASK_KEYS[:4] if key not in value]
    if missing:
        raise EntryError(f"{', '.join(missing)} missing")
    if not isinstance(value["mask"], bytes | bytearray):
        raise EntryError(f"mask: expected bytes, found {_kind(value['mask'])}")
    size = _integer(value["stored_size"], "stored_size")
    if not 0 < size <= _LARGEST_MASK_SIZE:
        raise EntryError(f"stored_size: expected 1 to {_LARGEST_MASK_SIZE} pixels, found {size}")
    centering = value.get("stored_centering", "face")  # before 2.2 it was always the face, and not said
    if not (isinstance(centering, str) and centering in ("face", "head", "legacy")):
        raise EntryError(f"stored_centering: expected face, head or legacy, found {_kind(centering)}")
    mask = {
        "mask": bytes(value["mask"]),
        # In face pictures faceswap writes the third row of a full matrix as well: it says nothing.
        "affine_matrix": _rows(value["affine_matrix"], "affine_matrix", (2, 3), 3)[:2],
        "interpolator": _integer(value["interpolator"], "interpolator"),
        "stored_size": size,
        "stored_centering": centering,
    }
    return mask | _others(value, MASK_KEYS, "a mask", place, remarks)


def _identities(value: object) -> dict[str, Float64]:
    return {name: _floats(vector, f"identity '{name}'") for name, vector in _named(value, "identity")}


def _named(value: object, key: str) -> list[tuple[str, object]]:
    """Return the entries of a dict, sorted: their order in a file says nothing."""
    if value is None:
        return []
    if not isinstance(value, dict):
        raise EntryError(f"{key}: expected entries by name, found {_kind(value)}")
    return [(sys.intern(name), value[name]) for name in _sorted_names(value)]


def _sorted_names(entries: dict[Any, Any]) -> list[str]:
    for name in entries:
        if not isinstance(name, str):
            raise EntryError(f"expected text for every key, found {_kind(name)}")
        _check_text(name)
    return sorted(entries)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes in another encoding, that no other format could hold
        raise EntryError(f"{text!r:.80}: expected text, found other bytes") from None


def _thumb(value: object) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 1:
        return value.tobytes()
    value = _listed(value)
    if isinstance(value, list | tuple) and set(map(type, value)) <= {int}:
        try:
            return bytes(value)
        except ValueError:
            pass
    raise EntryError(f"thumb: expected a list of byte values 0 to 255, found {_kind(value)}")


def _video_meta(value: object) -> dict[str, Any]:
    if value is None or (isinstance(value, dict) and not value):
        return {}
    if not isinstance(value, dict) or set(value) != {"pts_time", "keyframe"}:
        raise EntryError(f"video_meta: expected pts_time and keyframe, or nothing, found {_kind(value)}")
    keyframe = _listed(value["keyframe"])
    if not isinstance(keyframe, bool | int):
        raise EntryError(f"video_meta: keyframe: expected true or false, found {_kind(keyframe)}")
    return {"pts_time": _integer(value["pts_time"], "video_meta: pts_time"), "keyframe": bool(keyframe)}


def _others(entry: dict[Any, Any], known: tuple[str, ...], owner: str, place: str, remarks: Remarks) -> dict[str, Any]:
    """Return the entries that the format does not know, sorted, and remark on them."""
    if all(key in known for key in entry):
        return {}
    others = {}
    for key in _sorted_names({key: None for key in entry if key not in known}):
        others[key] = _plain(entry[key])
        remarks.add(f"key '{key:.60}' of {owner}, unknown to faceswap, will not be in an .fsa", place)
    return others


def _plain(value: object, depth: int = 0) -> Any:
    """Return a value of dicts (sorted), lists, text, bytes and numbers alone, as msgpack can hold it."""
    if depth > _DEEPEST:
        raise EntryError(f"expected containers nested at most {_DEEPEST} deep")
    value = _listed(value)
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {key: _plain(value[key], depth + 1) for key in _sorted_names(value)}
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise EntryError("expected numbers of at most 64 bits")
    if isinstance(value, str):
        _check_text(value)
    if not isinstance(value, str | bytes | bytearray | int | float | None):
        raise EntryError(f"expected numbers, text and bytes, found {_kind(value)}")
    return bytes(value) if isinstance(value, bytearray) else value
