"""The tables that cross from one stage to the next: every column, its type, its unit and what it means."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """One column: its Arrow type, what it means, its unit, and whether a value may be missing."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Schema:
    """One table: what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema that readers and writers hold tables to."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.nullable) for c in self.columns])


FACE_ID = Column("face_id", pa.string(), "the face: {source}/{frame}_{index}")
SOURCE = Column("source", pa.string(), "the source's name in sources.tsv")
FRAME = Column("frame", pa.string(), "the frame: a folder's file stem, or a video's 6-digit number from 1")
FACE_INDEX = Column("face_index", pa.int32(), "the face's place among its frame's faces, from 0, as they came in")
POSITION = Column("position", pa.int32(), "the frame's place in its source, from 0")

FRAMES = Schema(
    "frames",
    "one frame of a source, in order",
    (
        POSITION,
        FRAME,
        Column("name", pa.string(), "the picture's file name; none for a video", nullable=True),
        Column("digest", pa.string(), "SHA-256 of the picture file, or of the whole video"),
        Column("pts", pa.int64(), "presentation time", "stream time base", nullable=True),
        Column("keyframe", pa.bool_(), "whether decoding can start here"),
        Column("width", pa.int32(), "width as shown, after rotation", "px"),
        Column("height", pa.int32(), "height as shown, after rotation", "px"),
        Column("rotation", pa.int16(), "turn applied to the decoded picture, counter-clockwise", "degrees"),
    ),
)

FACES = Schema(
    "faces",
    "one face of a source's alignments",
    (
        FACE_ID,
        FRAME,
        FACE_INDEX,
        Column("position", pa.int32(), "the frame's place in its source, from 0", nullable=True),
        Column("x", pa.int32(), "left edge of the box", "px"),
        Column("y", pa.int32(), "top edge of the box", "px"),
        Column("w", pa.int32(), "width of the box", "px"),
        Column("h", pa.int32(), "height of the box", "px"),
        Column("landmarks", pa.list_(pa.float32()), "x0, y0, x1, y1 … of 68, 98 or 4 points", "px"),
        Column("problem", pa.string(), "why this face can not be used", nullable=True),
    ),
)

PROBLEMS = Schema(
    "problems",
    "one thing about a source's alignments that a person should know",
    (
        Column(
            "kind",
            pa.string(),
            "frame without entry, entry without frame, no faces, several faces, bad face, footage cut short, note",
        ),
        Column("frame", pa.string(), "the frame, or its name in the alignments where the footage has none"),
        Column("detail", pa.string(), "in words"),
    ),
)

CHIPS = Schema(
    "chips",
    "the small aligned crop of one face",
    (
        FACE_ID,
        Column("sha256", pa.binary(32), "SHA-256 of the chip"),
        Column("chip", pa.binary(), "384 px JPEG of the face at its base matrix, padding ratio 0.625"),
    ),
)

MEASURES = Schema(
    "measures",
    "what faceswap's sorting measures of one face",
    (
        FACE_ID,
        Column("size", pa.float32(), "edge of the face in the frame", "px"),
        Column("distance", pa.float32(), "mean absolute difference from the mean face", "face units"),
        Column("yaw", pa.float32(), "turn of the head to the side", "degrees"),
        Column("pitch", pa.float32(), "turn of the head up or down", "degrees"),
        Column("roll", pa.float32(), "tilt of the head", "degrees"),
        Column("head_x", pa.float32(), "shift to the right that puts the head in the middle of a crop", "face units"),
        Column("head_y", pa.float32(), "shift downwards that puts the head in the middle of a crop", "face units"),
        Column("blur", pa.float32(), "sharpness: variance of the Laplacian per edge length, higher is sharper"),
        Column("blur_fft", pa.float32(), "sharpness: mean log magnitude of the high frequencies, higher is sharper"),
    ),
)


def embeddings_schema(dimensions: int) -> Schema:
    """The embeddings table of a model that gives `dimensions` numbers a face."""
    vector = Column("embedding", pa.list_(pa.float32(), dimensions), "the identity model's output, as it came")
    return Schema("embeddings", "the embedding of one face", (FACE_ID, vector))


def reference_schema(dimensions: int) -> Schema:
    """The reference table of a model that gives `dimensions` numbers a face."""
    return Schema(
        "reference",
        "one photo of the person that a faceset wants",
        (
            Column("photo", pa.string(), "the file's name"),
            Column("sha256", pa.string(), "SHA-256 of the file"),
            Column("faces", pa.int32(), "how many faces were found in it, of which the largest counts"),
            Column("embedding", pa.list_(pa.float32(), dimensions), "what the identity model gives for that face"),
        ),
    )


TRACKS = Schema(
    "tracks",
    "one face and the track it belongs to",
    (FACE_ID, Column("track", pa.string(), "the track: the id of its first face")),
)

CLUSTERS = Schema(
    "clusters",
    "one face and the cluster it belongs to",
    (
        FACE_ID,
        SOURCE,
        Column("track", pa.string(), "the track: the id of its first face"),
        Column("cluster", pa.string(), "the cluster: the id of its most central face"),
        Column("order", pa.int32(), "place in an order that puts similar faces side by side"),
        Column("distance", pa.float32(), "distance to the cluster's mean embedding", "model's metric"),
        Column(
            "next_cluster", pa.string(), "of the other clusters, that whose mean embedding is nearest", nullable=True
        ),
        Column("next_distance", pa.float32(), "distance to that mean embedding", "model's metric", nullable=True),
        Column("outlier", pa.bool_(), "whether the face lies further from its cluster than faces of one person may"),
    ),
)

PAIRS = Schema(
    "pairs",
    "two clusters that may be one person, the likeliest first; never two that were seen in one frame",
    (
        Column("cluster", pa.string(), "the one cluster, that of more faces"),
        Column("other", pa.string(), "the other cluster"),
        Column("distance", pa.float32(), "distance between their mean embeddings", "model's metric"),
    ),
)

NEARNESS = Schema(
    "nearness",
    "one cluster with faces in a faceset's sources, the nearest to the faceset's reference photos first",
    (
        Column("cluster", pa.string(), "the cluster"),
        Column("faces", pa.int32(), "how many faces it has in the faceset's sources"),
        Column("distance", pa.float32(), "mean distance between these faces and the photos", "model's metric"),
        Column("near", pa.bool_(), "whether that is within the model's threshold"),
    ),
)

DOUBTS = Schema(
    "doubts",
    "one cluster that may be two people, the likeliest first",
    (
        Column("cluster", pa.string(), "the cluster"),
        Column("face", pa.string(), "the most central face of the smaller of the two parts"),
        Column("faces", pa.int32(), "how many faces that part has"),
        Column("distance", pa.float32(), "distance between the two parts' mean embeddings", "model's metric"),
        Column("share", pa.float32(), "how much of the cluster's scatter the two parts explain, 0 to 1"),
    ),
)

STEPS = Schema(
    "steps",
    "one change that `cluster.strictness` a tenth lower or higher would probably make, of large clusters first",
    (
        Column("step", pa.string(), "looser or stricter"),
        Column("cluster", pa.string(), "the cluster that another would join, or that would come apart"),
        Column("other", pa.string(), "the cluster, of fewer faces, that would join it", nullable=True),
    ),
)

MANIFEST = Schema(
    "manifest",
    "one face of a faceset's sources, kept or not",
    (
        FACE_ID,
        SOURCE,
        FRAME,
        FACE_INDEX,
        Column("track", pa.string(), "the track", nullable=True),
        Column("cluster", pa.string(), "the cluster", nullable=True),
        Column("kept", pa.bool_(), "whether the face is in the faceset"),
        Column("decided_by", pa.string(), "row, policy, filter, undecided or problem"),
        Column("reason", pa.string(), "the one rule or row that decided, in words"),
    ),
)

NOTICES = Schema(
    "notices",
    "one thing about a faceset's decisions that a person should know",
    (
        Column("kind", pa.string(), "stale row, moved row, reach changed, contradiction, policy, empty"),
        Column("face", pa.string(), "the face that the row names, if any"),
        Column("detail", pa.string(), "in words, with what to do"),
    ),
)

KEPT = Schema(
    "kept",
    "one face left in a source's cleaned alignments",
    (
        FACE_ID,
        FRAME,
        POSITION,
        Column("index", pa.int32(), "the face's place among its frame's faces in the cleaned alignments, from 0"),
    ),
)

PIXELS = Column("pixels", pa.string(), "SHA-256 of the decoded pixels, whatever the file's name and header")
PICTURE = Column("picture", pa.string(), "SHA-256 of all that the file is made of, its cut and its header's data")

EXTRACTED = Schema(
    "extracted",
    "one extracted picture of a source",
    (
        Column("file", pa.string(), "file name, faceswap's own: {frame stem}_{index in the cleaned alignments}.png"),
        FACE_ID,
        Column("name", pa.string(), "the frame's name in the cleaned alignments"),
        Column("index", pa.int32(), "the face's place among its frame's faces in the cleaned alignments, from 0"),
        Column("width", pa.int32(), "width of the frame", "px"),
        Column("height", pa.int32(), "height of the frame", "px"),
        Column("cut", pa.string(), "by what the store knows its pixels: SHA-256 of frame, place and size"),
        PICTURE,
        PIXELS,
    ),
)

CUTS = Schema(
    "cuts",
    "the pixels of one extracted face, in the store",
    (
        Column("cut", pa.binary(32), "SHA-256 of the frame, of the face's place in it, and of the size"),
        Column("pixels", pa.binary(32), "SHA-256 of the decoded pixels"),
        Column("packed_sha256", pa.binary(32), "SHA-256 of the packed pixels"),
        Column("size_px", pa.int32(), "edge of the picture", "px"),
        Column("packed", pa.binary(), "the pixels as the IDAT chunk of a PNG holds them"),
    ),
)

FACESET = Schema(
    "faceset",
    "one picture of an assembled faceset",
    (
        Column("file", pa.string(), "file name in the faceset's faces folder: {source}--{faceswap's name}"),
        FACE_ID,
        SOURCE,
        Column("cluster", pa.string(), "the cluster", nullable=True),
        PICTURE,
        PIXELS,
    ),
)

ALL = (
    FRAMES,
    FACES,
    PROBLEMS,
    CHIPS,
    MEASURES,
    embeddings_schema(128),
    TRACKS,
    CLUSTERS,
    PAIRS,
    DOUBTS,
    STEPS,
    reference_schema(128),
    NEARNESS,
    MANIFEST,
    NOTICES,
    KEPT,
    EXTRACTED,
    CUTS,
    FACESET,
)
