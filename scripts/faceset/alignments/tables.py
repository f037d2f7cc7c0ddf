"""The tables of a source's alignments: its faces, and what is wrong with them."""

from faceset.alignments.problems import FaceProblem, ProblemKind
from faceset.enumerations import listed
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
        Column("problem", "string", f"why this face cannot be used: {listed(FaceProblem)}", nullable=True),
    ),
)

PROBLEMS = Schema(
    "problems",
    "one thing about a source's alignments that a person should know",
    (
        Column("kind", "string", f"what it is: {listed(ProblemKind)}"),
        Column("frame", "string", "the frame, or its name in the alignments where the footage has none"),
        Column("face_index", "int32", "of a bad face: its place among its frame's faces", nullable=True),
        Column(
            "count",
            "int32",
            "how many faces the frame or entry has, frames the footage lacks, or landmarks a face has if too few",
            nullable=True,
        ),
        Column("total", "int32", "of footage cut short: how many frames it should have", nullable=True),
        Column("problem", "string", "of a bad face: why it cannot be used, as in `faces`", nullable=True),
        Column("note", "string", "of a note: what reading the alignments brought up, in words", nullable=True),
        Column("detail", "string", "the sentence made of these columns; empty where `kind` says it all"),
    ),
)
