"""Extract: training faces of one source, as faceswap cuts, names and labels them.

Pixels are cut once and remembered in the store; the `extracted` table tells which picture is made of which of them.
The files themselves are made where they are wanted, by `extracted_files`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from faceset.alignments.files import VERSION, iterate_msgpack, unpack_frame
from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.digests import canonical_json
from faceset.face_ids import frame_of_key
from faceset.footage.files import is_video
from faceset.footage.tables import FRAMES
from faceset.geometry.transforms import PADDING_RATIO, base_matrices, crop_matrices, face_sizes, minimum_size_px
from faceset.tables.parquet import TableWriter, iterate_rows, read_table, rows_of_faces
from faceset.training.cutting import cut_faces, cut_key
from faceset.training.packs import Cuts
from faceset.training.pictures.png import face_png
from faceset.training.tables import EXTRACTED, KEPT

CENTERING: Final = "head"
FACES_AT_ONCE: Final = 8192


@dataclass(frozen=True)
class _Faces:
    """N faces to extract, by frame and index.

    `rows` is the (N,) table with face_id, frame, position, index; `matrices` (N, 2, 3) are their crops, `keys` name
    their cuts.
    """

    rows: pa.Table
    matrices: NDArray[np.float64]
    keys: list[bytes]


@dataclass(frozen=True)
class ExtractInputs:
    """What the training faces of a source are cut from.

    footage, frames
        The video or folder, and its `frames` table.
    faces, measures
        The source's tables of these names: landmarks, and where the middle of the head is.
    alignments, kept
        The cleaned alignments (msgpack) and the `kept` table that tells their faces' ids.
    """

    footage: Path
    frames: Path
    faces: Path
    measures: Path
    alignments: Path
    kept: Path


@dataclass(frozen=True)
class ExtractSettings:
    """How training faces are cut.

    size_px, min_size_percent, every
        Edge of the pictures; faces smaller than this share of it in their frame are left out; frames whose position
        is no multiple of `every` are passed over.
    picture_code
        A digest of the code that writes face pictures: where it is another, the files are written again.
    """

    size_px: int
    min_size_percent: int
    every: int
    picture_code: str


def extract_faces(inputs: ExtractInputs, settings: ExtractSettings, cuts: Cuts, output: Path, threads: int = 1) -> None:
    """Cut the kept faces that were never cut before, and write the `extracted` table of all.

    Parameters
    ----------
    cuts
        What was cut before, and where to remember more.
    threads
        How many frames are worked on at once; what is written does not depend on it.
    """
    chosen = _chosen(inputs, settings)
    new = np.flatnonzero([key not in cuts for key in chosen.keys])
    positions = chosen.rows["position"].to_numpy()[new]
    keys = [chosen.keys[face] for face in new.tolist()]
    matrices = chosen.matrices[new]
    cuts.add(cut_faces(inputs.footage, inputs.frames, positions, keys, matrices, settings.size_px, threads))
    with TableWriter(output, EXTRACTED) as table:
        for row in _rows(chosen, inputs, cuts, settings.picture_code):
            table.add(**{name: [value] for name, value in row.items()})


def _chosen(inputs: ExtractInputs, settings: ExtractSettings) -> _Faces:
    """The faces to extract, in the order of frames and of indices."""
    size_px = settings.size_px
    rows = read_table(inputs.kept, KEPT).sort_by([("position", "ascending"), ("index", "ascending")])
    rows = rows.filter(pa.array(rows["position"].to_numpy() % settings.every == 0))
    matrices = np.empty((len(rows), 2, 3))
    heads = rows_of_faces(read_table(inputs.measures, MEASURES, ["face_id", "head_x", "head_y"]), rows["face_id"])
    rows_of_faces(
        read_table(inputs.faces, FACES, ["face_id"]), rows["face_id"]
    )  # all are there, so all are placed below
    offsets = np.column_stack([heads[name].to_numpy() for name in ("head_x", "head_y")]).reshape(-1, 2)
    for batch in iterate_rows(inputs.faces, FACES, FACES_AT_ONCE):
        batch = batch.filter(pc.is_in(batch["face_id"], rows["face_id"]))
        places = pc.index_in(batch["face_id"], rows["face_id"]).to_numpy()
        matrices[places] = _crops(batch["landmarks"], offsets[places], size_px)
    large = face_sizes(matrices, size_px) >= minimum_size_px(size_px, settings.min_size_percent)
    rows, matrices = rows.filter(pa.array(large)), matrices[large]
    digests = read_table(inputs.frames, FRAMES, ["digest"])["digest"]
    video = is_video(inputs.footage)
    keys = [
        cut_key(digests[position].as_py(), position if video else None, matrix, size_px)
        for position, matrix in zip(rows["position"].to_pylist(), matrices, strict=True)
    ]
    return _Faces(rows, matrices, keys)


def _crops(landmarks: pa.ListArray, offsets: NDArray[np.float32], size_px: int) -> NDArray[np.float64]:
    """(N, 2, 3) the crops of faces, whose landmarks may be of different counts."""
    matrices = np.empty((len(landmarks), 2, 3))
    counts = landmarks.value_lengths().to_numpy()
    numbers, starts = landmarks.flatten().to_numpy(), np.cumsum(counts) - counts
    for count in np.unique(counts):
        same = np.flatnonzero(counts == count)
        points = numbers[starts[same, None] + np.arange(count)].reshape(len(same), -1, 2)
        matrices[same] = crop_matrices(base_matrices(points), offsets[same], size_px, PADDING_RATIO[CENTERING])
    return matrices


def _rows(chosen: _Faces, inputs: ExtractInputs, cuts: Cuts, picture_code: str) -> Iterator[dict[str, Any]]:
    """The rows of the `extracted` table, in the order of the alignments."""
    positions, ids, indices = (chosen.rows[name].to_numpy() for name in ("position", "face_id", "index"))
    table = read_table(inputs.frames, FRAMES, ["position", "frame", "width", "height"]).take(np.unique(positions))
    frames_by_name = {frame["frame"]: frame for frame in table.to_pylist()}
    video = is_video(inputs.footage)
    for name, packed in iterate_msgpack(inputs.alignments):
        frame = frames_by_name.get(frame_of_key(name, video))
        if frame is None:
            continue
        first, end = np.searchsorted(positions, [frame["position"], frame["position"] + 1]).tolist()
        entry = hashlib.sha256(packed).hexdigest()
        for face in range(first, end):
            row = {
                "file": f"{PurePath(name).stem}_{indices[face]}.png",
                "face_id": ids[face],
                "name": name,
                "index": int(indices[face]),
                "width": frame["width"],
                "height": frame["height"],
                "cut": chosen.keys[face].hex(),
                "pixels": cuts.pixels(chosen.keys[face]),
            }
            # Another face of its frame may change this too: the file is then made again, no different.
            made_of = {"kind": "picture", **row, "entry": entry, "code": picture_code}
            row["picture"] = hashlib.sha256(canonical_json(made_of).encode()).hexdigest()
            yield row


def extracted_files(
    extracted: Path, alignments: Path, video: bool, cuts: Cuts, wanted: Mapping[str, str]
) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of the pictures in `wanted`, which holds the names by face id.

    Parameters
    ----------
    extracted, alignments, cuts
        What `extract_faces` wrote, read and filled.
    video
        Whether the footage is a video.

    Raises MissingCutError for pixels that the store no longer has.
    """
    table = read_table(extracted, EXTRACTED, ["file", "face_id", "name", "index", "width", "height", "cut"])
    table = table.filter(pc.is_in(table["face_id"], pa.array(list(wanted), pa.string())))
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_pylist():
        rows.setdefault(row["name"], []).append(row)
    for name, packed in iterate_msgpack(alignments) if rows else ():
        if name not in rows:
            continue
        faces = unpack_frame(packed, name)["faces"]
        for row in rows[name]:
            source = {
                "alignments_version": VERSION,
                "original_filename": row["file"],
                "face_index": row["index"],
                "source_filename": name,
                "source_is_video": video,
                "source_frame_dims": [row["height"], row["width"]],
            }
            cut = cuts.read(bytes.fromhex(row["cut"]))
            yield wanted[row["face_id"]], face_png(cut.size_px, cut.packed, faces[row["index"]], source)
