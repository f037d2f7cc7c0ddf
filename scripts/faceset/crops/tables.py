"""The tables of a source's crops: chips, and what is measured."""

from faceset.tables.columns import FACE_ID
from faceset.tables.schema import Column, Schema

CHIPS = Schema(
    "chips",
    "the small aligned crop of one face",
    (
        FACE_ID,
        Column("sha256", "binary[32]", "SHA-256 of the chip"),
        Column("chip", "binary", "384 px JPEG of the face at its base matrix, padding ratio 0.625"),
    ),
)

MEASURES = Schema(
    "measures",
    "what faceswap's sorting measures of one face",
    (
        FACE_ID,
        Column("size", "float32", "edge of the face in the frame", "px"),
        Column("distance", "float32", "mean absolute difference from the mean face, 0 is most alike", "face units"),
        Column(
            "yaw", "float32", "turn of the head to the side, positive towards the left edge of the picture", "degrees"
        ),
        Column("pitch", "float32", "turn of the head up or down, positive downwards", "degrees"),
        Column("roll", "float32", "tilt of the head that alignment leaves, positive clockwise", "degrees"),
        Column("head_x", "float32", "shift to the right that puts the head in the middle of a crop", "face units"),
        Column("head_y", "float32", "shift downwards that puts the head in the middle of a crop", "face units"),
        Column("blur", "float32", "sharpness: variance of the Laplacian per edge length, higher is sharper"),
        Column("blur_fft", "float32", "sharpness: mean log magnitude of the high frequencies, higher is sharper"),
    ),
)
