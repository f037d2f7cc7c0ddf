"""The tables of decisions: what a faceset keeps, and what a person should know of that."""

from faceset.decisions.kinds import CAUSES, RULES, DecidedBy, NoticeKind, Scope, listed_by
from faceset.enumerations import listed
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
        Column("decided_by", "string", f"what decided: {listed(DecidedBy)}"),
        Column("rule", "string", f"which rule of it. {listed_by(RULES)}"),
        Column(
            "row_line", "int32", "the line of the keep-list that decided, of contradicting ones the first", "", True
        ),
        Column("other_line", "int32", "the first line of the keep-list that contradicts `row_line`", nullable=True),
        Column("value", "float32", "the measure that a filter compared", "the measure's", nullable=True),
        Column("limit", "float32", "the bound of that filter", "the measure's", nullable=True),
        Column("note", "string", "the note of the row that decided", nullable=True),
        Column("reason", "string", "the sentence made of these columns"),
    ),
)

NOTICES = Schema(
    "notices",
    "one thing about a faceset's decisions that a person should know",
    (
        Column("kind", "string", f"what it is: {listed(NoticeKind)}"),
        Column("cause", "string", f"why, or what was done. {listed_by(CAUSES)}", nullable=True),
        Column("face", "string", "the face that the row names, or the id of the cluster kept", nullable=True),
        Column("lines", "list<int32>", "the lines of the keep-list concerned"),
        Column("decisions", "list<string>", "what each of these lines says: `keep` or `drop`"),
        Column("faces", "list<string>", "the face that each of these lines names"),
        Column("meant", "string", "the face that a moved row means now", nullable=True),
        Column("scope", "string", f"what it is about: {listed(Scope)}", nullable=True),
        Column("group", "string", "the id of that cluster, track or face", nullable=True),
        Column("problem", "string", "why the face cannot be used, as in `faces`", nullable=True),
        Column("before", "int32", "how many faces the group had when the row was written", nullable=True),
        Column("now", "int32", "how many faces it has now; of a policy, in the faceset's sources", nullable=True),
        Column("distance", "float32", "how far the nearest cluster is from the reference", "model's metric", True),
        Column("next_distance", "float32", "how far the one after it is", "model's metric", True),
        Column("decided_by", "list<string>", "of an empty faceset: what dropped faces, as in `manifest`"),
        Column("counts", "list<int32>", "how many faces each of these dropped"),
        Column("detail", "string", "the sentence made of these columns, with what to do"),
    ),
)
