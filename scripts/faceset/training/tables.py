"""The tables of training sets, and of the store's memory of cut faces."""

from faceset.tables.columns import FACE_ID, FRAME, POSITION, SOURCE
from faceset.tables.schema import Column, Schema

KEPT = Schema(
    "kept",
    "one face left in a source's cleaned alignments",
    (
        FACE_ID,
        FRAME,
        POSITION,
        Column("index", "int32", "the face's place among its frame's faces in the cleaned alignments, from 0"),
    ),
)

PIXELS = Column("pixels", "string", "SHA-256 of the decoded pixels, whatever the file's name and header")

PICTURE = Column("picture", "string", "SHA-256 of all that the file is made of, its cut and its header's data")

EXTRACTED = Schema(
    "extracted",
    "one extracted picture of a source",
    (
        Column("file", "string", "file name, faceswap's own: {frame stem}_{index in the cleaned alignments}.png"),
        FACE_ID,
        Column("name", "string", "the frame's name in the cleaned alignments"),
        Column("index", "int32", "the face's place among its frame's faces in the cleaned alignments, from 0"),
        Column("width", "int32", "width of the frame", "px"),
        Column("height", "int32", "height of the frame", "px"),
        Column("cut", "string", "by what the store knows its pixels: SHA-256 of frame, place and size"),
        PICTURE,
        PIXELS,
    ),
)

CUTS = Schema(
    "cuts",
    "the pixels of one extracted face, in the store",
    (
        Column("cut", "binary[32]", "SHA-256 of the frame, of the face's place in it, and of the size"),
        Column("pixels", "binary[32]", "SHA-256 of the decoded pixels"),
        Column("packed_sha256", "binary[32]", "SHA-256 of the packed pixels"),
        Column("size_px", "int32", "edge of the picture", "px"),
        Column("packed", "binary", "the pixels as the IDAT chunk of a PNG holds them"),
    ),
)

FACESET = Schema(
    "faceset",
    "one picture of an assembled faceset",
    (
        Column("file", "string", "file name in the faceset's faces folder: {source}--{faceswap's name}"),
        FACE_ID,
        SOURCE,
        Column("cluster", "string", "the cluster", nullable=True),
        PICTURE,
        PIXELS,
    ),
)
