"""Columns that tables of several subjects have."""

from faceset.tables.schema import Column

FACE_ID = Column("face_id", "string", "the face: {source}/{frame}_{index}")

SOURCE = Column("source", "string", "the source's name in sources.tsv")

FRAME = Column("frame", "string", "the frame: a folder's file stem, or a video's 6-digit number from 1")

FACE_INDEX = Column("face_index", "int32", "the face's place among its frame's faces, from 0, as they came in")

POSITION = Column("position", "int32", "the frame's place in its source, from 0")
