"""Extract: training faces of one source, as faceswap cuts, names and labels them."""

import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from faceset.alignments import VERSION, face_landmarks, read_msgpack
from faceset.face_ids import frame_of_key
from faceset.face_png import encode, header_text, pixel_digest
from faceset.footage import Picture, read_frames
from faceset.footage_files import is_video
from faceset.geometry import (
    PADDING_RATIO,
    base_matrices,
    crop_matrices,
    face_sizes,
    minimum_size_px,
    normalised_landmarks,
    poses,
    warp_face,
)
from faceset.parallel import in_order
from faceset.progress import Progress
from faceset.schemas import EXTRACTED, FRAMES, KEPT
from faceset.tables import TableWriter, read_table

CENTERING: Final = "head"


@dataclass(frozen=True)
class _Entry:
    """One frame with kept faces: its key in the alignments, the faces, and their ids."""

    key: str
    faces: list[dict[str, Any]]
    face_ids: list[str]


def extract_faces(
    footage: Path,
    frames: Path,
    alignments: Path,
    kept: Path,
    faces_output: Path,
    extracted_output: Path,
    size_px: int,
    min_size_percent: int,
    every: int,
    threads: int = 1,
) -> None:
    """Write each kept face as a PNG with faceswap's header into `faces_output`, and the `extracted` table.

    Parameters
    ----------
    footage, frames
        The video or folder, and its `frames` table.
    alignments, kept
        The cleaned alignments (msgpack) and the `kept` table that tells their faces' ids.
    size_px, min_size_percent, every
        Edge of the pictures; faces smaller than this share of it in their frame are left out; frames whose position
        is no multiple of `every` are passed over.
    threads
        How many frames are worked on at once; what is written does not depend on it.
    """
    entries = _entries(frames, alignments, kept, is_video(footage), every)
    faces_output.mkdir()
    smallest = minimum_size_px(size_px, min_size_percent)
    video = is_video(footage)
    pictures = Progress(read_frames(footage, frames, list(entries)), "frames extracted", len(entries))
    cuts = (partial(_cut, picture, entries[position], size_px, smallest, video) for position, picture in pictures)
    with TableWriter(extracted_output, EXTRACTED) as table:
        for cut in in_order(cuts, threads):
            for row, data in cut:
                (faces_output / row["file"]).write_bytes(data)
                table.add(**{name: [value] for name, value in row.items()})


def _entries(frames: Path, alignments: Path, kept: Path, video: bool, every: int) -> dict[int, _Entry]:
    """The frames to extract from, by position, in order."""
    position_of = {
        row["frame"]: row["position"]
        for row in read_table(frames, FRAMES, ["frame", "position"]).to_pylist()
        if row["position"] % every == 0
    }
    ids: dict[str, list[str]] = {}
    for row in read_table(kept, KEPT, ["face_id", "frame", "index"]).sort_by("index").to_pylist():
        ids.setdefault(row["frame"], []).append(row["face_id"])
    found = {}
    for key, entry in read_msgpack(alignments).frames.items():
        frame = frame_of_key(key, video)
        if frame in ids and frame in position_of:
            found[position_of[frame]] = _Entry(key, entry["faces"], ids[frame])
    return dict(sorted(found.items()))


def _cut(
    picture: Picture, entry: _Entry, size_px: int, smallest_px: int, video: bool
) -> list[tuple[dict[str, str], bytes]]:
    """Return the row of the table and the PNG of each face of a frame."""
    stem = Path(entry.key).stem
    cut = []
    for index, (face, face_id) in enumerate(zip(entry.faces, entry.face_ids, strict=True)):
        landmarks = face_landmarks(face)[None]
        base = base_matrices(landmarks)
        offset = poses(normalised_landmarks(landmarks, base)).offsets[CENTERING]
        matrix = crop_matrices(base, offset, size_px, PADDING_RATIO[CENTERING])
        if face_sizes(matrix, size_px)[0] < smallest_px:
            continue
        file = f"{stem}_{index}.png"
        header = header_text(
            face,
            {
                "alignments_version": VERSION,
                "original_filename": file,
                "face_index": index,
                "source_filename": entry.key,
                "source_is_video": video,
                "source_frame_dims": [picture.shape[0], picture.shape[1]],
            },
        )
        image = warp_face(picture, matrix[0], size_px)
        data = encode(image, header)
        row = {
            "file": file,
            "face_id": face_id,
            "sha256": hashlib.sha256(data).hexdigest(),
            "pixels": pixel_digest(image),
        }
        cut.append((row, data))
    return cut
