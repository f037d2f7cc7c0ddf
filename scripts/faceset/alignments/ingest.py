"""Ingest: somebody's alignments become the table of faces, the lossless safe copy, and a list of problems."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from faceset.alignments.entries import Face
from faceset.alignments.files import Alignments, face_landmarks, msgpack_chunks
from faceset.alignments.tables import FACES, PROBLEMS
from faceset.errors import FacesetError
from faceset.face_ids import face_id, frame_of_key
from faceset.footage.files import is_video
from faceset.footage.tables import FRAMES
from faceset.geometry.transforms import base_matrices
from faceset.tables.parquet import TableWriter, read_metadata, read_table, write_table

IDENTITY_LANDMARKS = (68, 98)
LARGEST_EDGE = 2**31 - 1  # what the table can hold
# A face may reach beyond its frame; so many times as large, it is an error, whose crop no memory could hold.
LARGEST_SHARE = 2


@dataclass(frozen=True)
class _Frame:
    position: int
    width: int
    height: int


@dataclass
class _Problems:
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, kind: str, frame: str, detail: str) -> None:
        self.rows.append((kind, frame, detail))


def ingest(
    read: Alignments,
    name: str,
    footage: Path,
    frames: Path,
    source: str,
    faces_output: Path,
    alignments_output: Path,
    problems_output: Path,
) -> None:
    """Write what the other stages work from: alignments as read, whose file is called `name` in messages.

    Raises FacesetError if none of their frames is in the footage, or two entries are of one frame.
    """
    table = read_table(frames, FRAMES, ["frame", "position", "width", "height"])
    known = {row["frame"]: _Frame(row["position"], row["width"], row["height"]) for row in table.to_pylist()}
    problems = _Problems()
    for note in read.notes:
        problems.add("note", "", note)
    if missing := _missing_frames(frames):
        problems.add("footage cut short", "", f"{missing} of {missing + len(table)} frames can not be decoded")
    with TableWriter(faces_output, FACES) as writer:
        for row in _faces(read, known, source, is_video(footage), name, problems):
            writer.add(**{name: [value] for name, value in row.items()})
    with alignments_output.open("wb") as file:
        file.writelines(msgpack_chunks(read.data))
    kinds, names, details = zip(*problems.rows, strict=True) if problems.rows else ((), (), ())
    write_table(problems_output, PROBLEMS, {"kind": kinds, "frame": names, "detail": details})


def _missing_frames(frames: Path) -> int:
    """How many frames of a video are missing, by its `frames` table: cut off, or damaged. 0 for a folder.

    A few less than declared is how videos are; only a difference of more than a second and 2 % counts.
    """
    metadata = read_metadata(frames)
    declared, found = int(metadata.get("declared_frames", 0)), pq.read_metadata(frames).num_rows
    rate = float(Fraction(metadata.get("average_rate", "0")))
    return declared - found if declared - found > max(rate, 0.02 * declared) else 0


def _faces(
    read: Alignments, known: dict[str, _Frame], source: str, video: bool, file: str, problems: _Problems
) -> Iterator[dict[str, Any]]:
    entries = read.frames
    met: dict[str, str] = {}
    for key, entry in entries.items():
        name = frame_of_key(key, video)
        if name in met:
            raise FacesetError(f"{file}: the entries {met[name]!r} and {key!r} are both of frame {name}. Remove one.")
        met[name] = key
        frame = known.get(name)
        faces = entry["faces"]
        if frame is None:
            problems.add("entry without frame", key, f"{len(faces)} faces of a frame that is not in the footage")
        elif not faces:
            problems.add("no faces", name, "")
        elif len(faces) > 1:
            problems.add("several faces", name, f"{len(faces)} faces")
        for index, face in enumerate(faces):
            landmarks = face_landmarks(face)
            problem = _problem(face, landmarks, frame)
            if problem and frame is not None:
                problems.add("bad face", name, f"face {index}: {problem}")
            yield {
                "face_id": face_id(source, name, index),
                "frame": name,
                "face_index": index,
                "position": frame.position if frame else None,
                **{side: min(max(face[side], -LARGEST_EDGE), LARGEST_EDGE) for side in "xywh"},
                "landmarks": landmarks.ravel(),
                "problem": problem,
            }
    if entries and not met.keys() & known.keys():
        raise FacesetError(
            f"{file}: none of its {len(met)} frames is in the footage (its first is {next(iter(met.values()))!r}, the "
            f"footage's {next(iter(known))!r}). Is it the alignments file of other footage?"
        )
    for name in known.keys() - met.keys():
        problems.add("frame without entry", name, "")
    problems.rows.sort()


def _problem(face: Face, landmarks: npt.NDArray[np.float32], frame: _Frame | None) -> str | None:
    """Why a face, whose landmarks are (P, 2), can not be used, if so."""
    if frame is None:
        return "its frame is not in the footage"
    if len(landmarks) not in IDENTITY_LANDMARKS:
        return f"{len(landmarks)} landmarks say too little of a face to tell who it is"
    if not np.isfinite(landmarks).all():
        return "landmarks that are not numbers"
    (base,) = base_matrices(landmarks[None])
    if not np.isfinite(base).all():
        return "landmarks all in one place"
    largest_px = LARGEST_SHARE * max(frame.width, frame.height)
    # The base matrix leads from pixels to mean faces: its scale is one face's edge, inverted.
    if np.abs(landmarks).max() > 2 * largest_px or abs(np.linalg.det(base[:, :2])) * largest_px**2 < 1:
        return "landmarks far beyond its frame"
    if max(abs(face[side]) for side in "xywh") > LARGEST_EDGE:
        return "a box far beyond its frame"
    if not np.isfinite(_other_numbers(face)).all():
        return "a mask or an identity with numbers that are not finite"
    if not ((landmarks >= 0) & (landmarks < (frame.width, frame.height))).all(axis=1).any():
        return "wholly outside its frame"
    return None


def _other_numbers(face: Face) -> npt.NDArray[np.float32]:
    """All numbers that a face's picture will carry besides its landmarks."""
    matrices = [mask["affine_matrix"].ravel() for mask in face["mask"].values()]
    with np.errstate(over="ignore"):
        return np.concatenate([[], *matrices, *face["identity"].values()]).astype(np.float32)
