"""The tables of a source's alignments: its faces, and what is wrong with them."""

from faceset.tables.columns import FACE_ID, FACE_INDEX, FRAME
from faceset.tables.schema import Column, Schema

FACES = Schema(
    "faces",
    "one face of a source's alignments",
    (
        FACE_ID,
        FRAME,
        FACE_INDEX,
        Column("position", "int32", "the frame's place in its source, from 0", nullable=True),
        Column("x", "int32", "left edge of the box", "px"),
        Column("y", "int32", "top edge of the box", "px"),
        Column("w", "int32", "width of the box", "px"),
        Column("h", "int32", "height of the box", "px"),
        Column("landmarks", "list<float32>", "x0, y0, x1, y1 … of 68, 98 or 4 points", "px"),
        Column("problem", "string", "why this face can not be used", nullable=True),
    ),
)

PROBLEMS = Schema(
    "problems",
    "one thing about a source's alignments that a person should know",
    (
        Column(
            "kind",
            "string",
            "frame without entry, entry without frame, no faces, several faces, bad face, footage cut short, note",
        ),
        Column("frame", "string", "the frame, or its name in the alignments where the footage has none"),
        Column("detail", "string", "in words"),
    ),
)
