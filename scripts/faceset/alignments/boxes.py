"""Where faces lie in their frames, from the `faces` tables."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from faceset.alignments.tables import FACES
from faceset.errors import FacesetError
from faceset.geometry.boxes import Box
from faceset.tables.parquet import read_table


def read_boxes(faces: Mapping[str, Path], wanted: Collection[str] | None = None) -> dict[str, Box]:
    """Return the box of every face in `wanted`, or of all faces, by face id, from `faces` tables by source.

    Raises FacesetError naming the first face that is in none of the tables.
    """
    boxes: dict[str, Box] = {}
    for path in faces.values():
        table = read_table(path, FACES, ["face_id", "x", "y", "w", "h"])
        if wanted is not None:
            table = table.filter(pc.is_in(table["face_id"], pa.array(list(wanted), pa.string())))
        names, *sides = (table[name].to_pylist() for name in table.column_names)
        boxes.update(zip(names, zip(*sides, strict=True), strict=True))
    if missing := [face for face in dict.fromkeys(wanted or ()) if face not in boxes]:
        raise FacesetError(
            f"{missing[0]}: not in any table of faces ({len(missing):,} of {len(set(wanted or ())):,} faces are not). "
            "Run again."
        )
    return boxes
