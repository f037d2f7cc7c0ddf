"""The tables of decisions: what a faceset keeps, and what a person should know of that."""

from faceset.tables.columns import FACE_ID, FACE_INDEX, FRAME, SOURCE
from faceset.tables.schema import Column, Schema

MANIFEST = Schema(
    "manifest",
    "one face of a faceset's sources, kept or not",
    (
        FACE_ID,
        SOURCE,
        FRAME,
        FACE_INDEX,
        Column("track", "string", "the track", nullable=True),
        Column("cluster", "string", "the cluster", nullable=True),
        Column("kept", "bool", "whether the face is in the faceset"),
        Column("decided_by", "string", "row, policy, filter, undecided or problem"),
        Column("reason", "string", "the one rule or row that decided, in words"),
    ),
)

NOTICES = Schema(
    "notices",
    "one thing about a faceset's decisions that a person should know",
    (
        Column("kind", "string", "stale row, moved row, reach changed, contradiction, policy, empty"),
        Column("face", "string", "the face that the row names, if any"),
        Column("detail", "string", "in words, with what to do"),
    ),
)
