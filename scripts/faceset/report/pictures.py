"""The pictures of the report: chips read in passing, made small, as data URIs."""

import base64
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from faceset.crops.tables import CHIPS
from faceset.errors import FacesetError
from faceset.tables.parquet import iterate_rows

CROP_PX = 272
"""Edge of the middle part of a 384 px chip that is shown: the head, with little around it."""
THUMBNAIL_PX = 112
PORTRAIT_PX = 256
JPEG_QUALITY = 80


def pictures_of(sizes_px: Mapping[str, int], chips: Mapping[str, Path]) -> dict[str, str]:
    """A small JPEG of each face in `sizes_px`, of the edge that it names, as a data URI.

    Chips are read a few at a time, so memory depends on the faces shown and not on the faces there are.

    Raises FacesetError where a face has no chip, or one that is no picture.
    """
    wanted = pa.array(sorted(sizes_px), pa.string())
    pictures: dict[str, str] = {}
    for source, path in chips.items():
        ours = wanted.filter(pc.starts_with(wanted, pattern=f"{source}/"))
        found = 0
        for batch in iterate_rows(path, CHIPS) if len(ours) else ():
            for row in batch.filter(pc.is_in(batch["face_id"], value_set=ours)).to_pylist():
                found += 1
                pictures[row["face_id"]] = _data_uri(row["chip"], sizes_px[row["face_id"]], f"{path}: {row['face_id']}")
            if found == len(ours):
                break
    missing = sorted(sizes_px.keys() - pictures.keys())
    if missing:
        raise FacesetError(
            f"no chip shows {missing[0]}, which the clusters name: they do not belong together. "
            "Delete the records crop.json and cluster.json and run again."
        )
    return pictures


def _data_uri(chip: bytes, edge_px: int, where: str) -> str:
    image = cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise FacesetError(f"{where}: its chip is no readable picture. Delete the file and run again.")
    top, left = (max(0, (edge - CROP_PX) // 2) for edge in image.shape[:2])
    middle = image[top : top + CROP_PX, left : left + CROP_PX]
    small = cv2.resize(middle, (edge_px, edge_px), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
