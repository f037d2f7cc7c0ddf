"""Ingest: somebody's alignments become the table of faces, the lossless safe copy, and a list of problems."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from faceset.alignments.entries import Face
from faceset.alignments.files import Alignments, face_landmarks, msgpack_chunks
from faceset.alignments.problems import FaceProblem, Problem, problem_sentence
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


@dataclass(frozen=True)
class IngestInputs:
    """What ingest reads.

    Parameters
    ----------
    read
        The alignments as read.
    file
        What messages call the file that they are from.
    source
        The source's name.
    footage, frames
        Where the source's footage is, and its `frames` table.
    """

    read: Alignments
    file: str
    source: str
    footage: Path
    frames: Path


@dataclass(frozen=True)
class IngestOutputs:
    """Where the `faces` table, the safe copy of the alignments (msgpack) and the `problems` table go."""

    faces: Path
    alignments: Path
    problems: Path


def ingest(inputs: IngestInputs, outputs: IngestOutputs) -> None:
    """Write what the other stages work from.

    Raises FacesetError if none of the alignments' frames is in the footage, or two entries are of one frame.
    """
    table = read_table(inputs.frames, FRAMES, ["frame", "position", "width", "height"])
    known = {row["frame"]: _Frame(row["position"], row["width"], row["height"]) for row in table.to_pylist()}
    problems = [Problem("note", note=note) for note in inputs.read.notes]
    if missing := _missing_frames(inputs.frames):
        problems.append(Problem("footage_cut_short", count=missing, total=missing + len(table)))
    with TableWriter(outputs.faces, FACES) as writer:
        for row in _faces(inputs, known, problems):
            writer.add(**{name: [value] for name, value in row.items()})
    with outputs.alignments.open("wb") as file:
        file.writelines(msgpack_chunks(inputs.read.data))
    problems.sort(key=lambda problem: problem.order)
    names = [field.name for field in dataclasses.fields(Problem)]
    columns = {name: [getattr(problem, name) for problem in problems] for name in names}
    columns["detail"] = [problem_sentence(problem) for problem in problems]
    write_table(outputs.problems, PROBLEMS, columns)


def _missing_frames(frames: Path) -> int:
    """How many frames of a video are missing, by its `frames` table: cut off, or damaged. 0 for a folder.

    A few less than declared is how videos are; only a difference of more than a second and 2 % counts.
    """
    metadata = read_metadata(frames)
    declared, found = int(metadata.get("declared_frames", 0)), pq.read_metadata(frames).num_rows
    rate = float(Fraction(metadata.get("average_rate", "0")))
    return declared - found if declared - found > max(rate, 0.02 * declared) else 0


def _faces(inputs: IngestInputs, known: dict[str, _Frame], problems: list[Problem]) -> Iterator[dict[str, Any]]:
    """Rows of the `faces` table, in the order of the alignments; what is odd about them is added to `problems`."""
    entries = inputs.read.frames
    video = is_video(inputs.footage)
    met: dict[str, str] = {}
    for key, entry in entries.items():
        name = frame_of_key(key, video)
        if name in met:
            raise FacesetError(
                f"{inputs.file}: the entries {met[name]!r} and {key!r} are both of frame {name}. Remove one."
            )
        met[name] = key
        frame = known.get(name)
        faces = entry["faces"]
        if frame is None:
            problems.append(Problem("entry_without_frame", key, count=len(faces)))
        elif not faces:
            problems.append(Problem("no_faces", name))
        elif len(faces) > 1:
            problems.append(Problem("several_faces", name, count=len(faces)))
        for index, face in enumerate(faces):
            landmarks = face_landmarks(face)
            problem = _problem(face, landmarks, frame)
            if problem and frame is not None:
                count = len(landmarks) if problem == "too_few_landmarks" else None
                problems.append(Problem("bad_face", name, index, count, problem=problem))
            yield {
                "face_id": face_id(inputs.source, name, index),
                "frame": name,
                "face_index": index,
                "position": frame.position if frame else None,
                **{side: min(max(face[side], -LARGEST_EDGE), LARGEST_EDGE) for side in "xywh"},
                "landmarks": landmarks.ravel(),
                "problem": problem,
            }
    if entries and not met.keys() & known.keys():
        raise FacesetError(
            f"{inputs.file}: none of its {len(met)} frames is in the footage (its first is "
            f"{next(iter(met.values()))!r}, the footage's {next(iter(known))!r}). Is it the alignments file of other "
            "footage?"
        )
    problems += [Problem("frame_without_entry", name) for name in known.keys() - met.keys()]


def _problem(face: Face, landmarks: npt.NDArray[np.float32], frame: _Frame | None) -> FaceProblem | None:
    """Why a face, whose landmarks are (P, 2), cannot be used, if so."""
    if frame is None:
        return "frame_missing"
    if len(landmarks) not in IDENTITY_LANDMARKS:
        return "too_few_landmarks"
    if not np.isfinite(landmarks).all():
        return "not_finite"
    (base,) = base_matrices(landmarks[None])
    if not np.isfinite(base).all():
        return "landmarks_in_one_place"
    largest_px = LARGEST_SHARE * max(frame.width, frame.height)
    # The base matrix leads from pixels to mean faces: its scale is one face's edge, inverted.
    if np.abs(landmarks).max() > 2 * largest_px or abs(np.linalg.det(base[:, :2])) * largest_px**2 < 1:
        return "landmarks_far_outside"
    if max(abs(face[side]) for side in "xywh") > LARGEST_EDGE:
        return "box_far_outside"
    if not np.isfinite(_other_numbers(face)).all():
        return "extras_not_finite"
    if not ((landmarks >= 0) & (landmarks < (frame.width, frame.height))).all(axis=1).any():
        return "outside_frame"
    return None


def _other_numbers(face: Face) -> npt.NDArray[np.float32]:
    """All numbers that a face's picture will carry besides its landmarks."""
    matrices = [mask["affine_matrix"].ravel() for mask in face["mask"].values()]
    with np.errstate(over="ignore"):
        return np.concatenate([[], *matrices, *face["identity"].values()]).astype(np.float32)
