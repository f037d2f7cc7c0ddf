"""Crop: one pass over the footage that cuts each face's chip and measures the face."""

import hashlib
from collections.abc import Iterator
from functools import partial
from itertools import islice, pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from faceset.alignments.tables import FACES
from faceset.arrays import Image
from faceset.crops.measures.table import measure_face
from faceset.crops.tables import CHIPS, MEASURES
from faceset.footage.frames import read_frames
from faceset.footage.parts import Outputs, Parts, parts_of, rows_digest
from faceset.footage.tables import FRAMES
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import CHIP_SIZE_PX, chip_matrices
from faceset.progress import Progress
from faceset.tables.parquet import PICTURE_GROUP_ROWS, TableWriter, iterate_rows, read_table

CHIP_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]


def crop_faces(footage: Path, frames: Path, faces: Path, outputs: Outputs, parts: Parts) -> None:
    """Write the `chips` and `measures` tables of a source: all faces without a problem, in the order of frames.

    For a shard, the tables are those of its share.

    Raises FacesetError if the footage no longer agrees with its `frames` table.
    """
    table = read_table(faces, FACES, ["face_id", "position", "landmarks", "problem"])
    table = table.filter(pc.is_null(table["problem"])).combine_chunks()
    table = table.take(np.argsort(table["position"].to_numpy(), kind="stable"))
    positions = table["position"].to_numpy()

    def pictures_of(wanted: npt.NDArray[np.int32]) -> Iterator[tuple[int, Image]]:
        frames_wanted = np.unique(wanted).tolist()
        return iter(Progress(read_frames(footage, frames, frames_wanted), "frames cropped", len(frames_wanted)))

    all_parts = parts_of(positions)
    if parts.is_whole(all_parts):
        _crop(table, pictures_of(positions), outputs)
        return
    work = [table.slice(part.start, part.stop - part.start) for part in parts.share(all_parts)]
    listed = read_table(frames, FRAMES, ["digest", "pts", "rotation"])
    digests = [rows_digest(rows, listed.take(np.unique(rows["position"]))) for rows in work]
    made = [parts.find(digest) for digest in digests]
    missing = [rows["position"].to_numpy() for rows, found in zip(work, made, strict=True) if not found]
    # All in one go: some footage can only be read from its beginning.
    pictures = pictures_of(np.concatenate([positions[:0], *missing]))
    with (
        TableWriter(outputs["chips"], CHIPS, group_rows=PICTURE_GROUP_ROWS) as chips,
        TableWriter(outputs["measures"], MEASURES) as measures,
    ):
        for rows, digest, found in zip(work, digests, made, strict=True):
            cropped = found or parts.make(digest, partial(_crop, rows, pictures))
            for writer, name, schema in ((chips, "chips", CHIPS), (measures, "measures", MEASURES)):
                for batch in iterate_rows(cropped[name], schema):
                    writer.add(**batch.to_pydict())


def _crop(table: pa.Table, pictures: Iterator[tuple[int, Image]], outputs: Outputs) -> str:
    """Crop the faces in `table`, of whose frames `pictures` are the next. Returns what it ran on."""
    positions, starts = np.unique(table["position"].to_numpy(), return_index=True)
    faces_of = pairwise([*starts.tolist(), len(table)])
    with (
        TableWriter(outputs["chips"], CHIPS, group_rows=PICTURE_GROUP_ROWS) as chips,
        TableWriter(outputs["measures"], MEASURES) as measures,
    ):
        for (_, picture), (start, end) in zip(islice(pictures, len(positions)), faces_of, strict=True):
            for row in range(start, end):
                face_id = table["face_id"][row].as_py()
                points = table["landmarks"][row].values.to_numpy().reshape(-1, 2)
                chip = _chip(picture, points)
                chips.add(face_id=[face_id], sha256=[hashlib.sha256(chip).digest()], chip=[chip])
                measured = measure_face(picture, points)
                measures.add(face_id=[face_id], **{name: [value] for name, value in measured.items()})
    return "cpu"


def _chip(picture: Image, points: npt.NDArray[np.float32]) -> bytes:
    chip = smooth_warp(picture, chip_matrices(points[None])[0], CHIP_SIZE_PX)
    return cv2.imencode(".jpg", chip, CHIP_JPEG)[1].tobytes()
