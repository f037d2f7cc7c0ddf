"""The tables of people: tracks, clusters, and how sure they are."""

from faceset.tables.columns import FACE_ID, SOURCE
from faceset.tables.schema import Column, Schema

TRACKS = Schema(
    "tracks",
    "one face and the track it belongs to",
    (FACE_ID, Column("track", "string", "the track: the id of its first face")),
)

CLUSTERS = Schema(
    "clusters",
    "one face and the cluster it belongs to",
    (
        FACE_ID,
        SOURCE,
        Column("track", "string", "the track: the id of its first face"),
        Column("cluster", "string", "the cluster: the id of its medoid, the most central of its faces"),
        Column("order", "int32", "place in an order that puts similar faces side by side"),
        Column("distance", "float32", "distance to the cluster's mean embedding", "model's metric"),
        Column("next_cluster", "string", "of the other clusters, that whose mean embedding is nearest", nullable=True),
        Column("next_distance", "float32", "distance to that mean embedding", "model's metric", nullable=True),
        Column("outlier", "bool", "whether the face lies further from its cluster than faces of one person may"),
    ),
)

MERGE_CANDIDATES = Schema(
    "merge_candidates",
    "two clusters that may be one person, the likeliest first; never two that were seen in one frame",
    (
        Column("cluster", "string", "the one cluster, that of more faces"),
        Column("other", "string", "the other cluster"),
        Column("distance", "float32", "distance between their mean embeddings", "model's metric"),
    ),
)

NEARNESS = Schema(
    "nearness",
    "one cluster with faces in a faceset's sources, the nearest to the faceset's reference photos first",
    (
        Column("cluster", "string", "the cluster"),
        Column("faces", "int32", "how many faces it has in the faceset's sources"),
        Column("distance", "float32", "mean distance between these faces and the photos", "model's metric"),
        Column("near", "bool", "whether that is within the model's threshold"),
    ),
)

SPLIT_CANDIDATES = Schema(
    "split_candidates",
    "one cluster that may be two people, the likeliest first",
    (
        Column("cluster", "string", "the cluster"),
        Column("face", "string", "the medoid of the smaller of the two parts"),
        Column("faces", "int32", "how many faces that part has"),
        Column("distance", "float32", "distance between the two parts' mean embeddings", "model's metric"),
        Column("share", "float32", "how much of the cluster's scatter the two parts explain, 0 to 1"),
    ),
)

STRICTNESS_CHANGES = Schema(
    "strictness_changes",
    "one change that `cluster.strictness` a tenth lower or higher would probably make, of large clusters first",
    (
        Column("direction", "string", "looser or stricter"),
        Column("cluster", "string", "the cluster that another would join, or that would come apart"),
        Column("other", "string", "the cluster, of fewer faces, that would join it", nullable=True),
    ),
)
