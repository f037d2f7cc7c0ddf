"""The tables of embeddings."""

from faceset.tables.columns import FACE_ID
from faceset.tables.schema import Column, Schema

EMBEDDINGS = Schema(
    "embeddings",
    "the embedding of one face",
    (FACE_ID, Column("embedding", "float32[dimensions]", "the identity model's output, as it came")),
)

REFERENCE = Schema(
    "reference",
    "one photo of the person that a faceset wants",
    (
        Column("photo", "string", "the file's name"),
        Column("sha256", "string", "SHA-256 of the file"),
        Column("faces", "int32", "how many faces were found in it, of which the largest counts"),
        Column("embedding", "float32[dimensions]", "what the identity model gives for that face"),
    ),
)
