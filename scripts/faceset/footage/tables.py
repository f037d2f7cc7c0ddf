"""The table of a source's frames."""

from faceset.tables.columns import FRAME, POSITION
from faceset.tables.schema import Column, Schema

FRAMES = Schema(
    "frames",
    "one frame of a source, in order",
    (
        POSITION,
        FRAME,
        Column("name", "string", "the picture's file name; none for a video", nullable=True),
        Column("digest", "string", "SHA-256 of the picture file, or of the whole video"),
        Column("pts", "int64", "presentation time", "stream time base", nullable=True),
        Column("keyframe", "bool", "whether decoding can start here"),
        Column("width", "int32", "width as shown, after rotation", "px"),
        Column("height", "int32", "height as shown, after rotation", "px"),
        Column("rotation", "int16", "turn applied to the decoded picture, counter-clockwise", "degrees"),
    ),
)
