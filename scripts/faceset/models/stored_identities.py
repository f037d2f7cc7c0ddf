"""Embeddings that alignments bring with them, as faceswap's identities."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgpack
import numpy as np
import pyarrow.compute as pc

from faceset.alignments.tables import FACES
from faceset.errors import FacesetError
from faceset.face_ids import split_face_id
from faceset.models.embeddings import Embeddings, Metric, unusable_rows, write_embeddings
from faceset.tables.parquet import read_table


def take_identities(
    faces: Path, alignments: Path, output: Path, source: str, name: str, dimensions: int, metric: Metric
) -> None:
    """Write the `embeddings` table of a source from the identities of its faces in the alignments.

    Parameters
    ----------
    faces, alignments
        What ingest made of them: the table, and the msgpack.
    name, dimensions, metric
        Which identity of each face is taken, how many numbers it has, and how they are compared.

    Raises FacesetError if a usable face has no such identity, or one that cannot be compared.
    """
    table = read_table(faces, FACES, ["face_id", "position", "problem"])
    usable = np.flatnonzero(pc.is_null(table["problem"]).to_numpy())
    ordered = usable[np.argsort(table["position"].to_numpy()[usable], kind="stable")]  # of frames, as chips are
    ids = table["face_id"].take(ordered).to_pylist()
    places = np.full(len(table), -1)
    places[ordered] = np.arange(len(ordered))
    vectors = np.empty((len(ids), dimensions), np.float32)
    lacking: list[str] = []
    brought: Counter[str] = Counter()
    for place, identity in zip(places.tolist(), _identities(alignments), strict=True):
        if place < 0:
            continue
        brought.update(identity.keys() or ["none"])
        vector = identity.get(name)
        if vector is None:
            lacking.append(ids[place])
        elif len(vector) != dimensions:
            raise FacesetError(
                f"{_place(ids[place])}: its identity {name} has {len(vector)} numbers, not {dimensions}. "
                "Was it made by another model? Extract this source again in faceswap."
            )
        else:
            vectors[place] = vector
    if lacking:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in sorted(brought.items()))
        raise FacesetError(
            f"source {source}: {len(lacking):,} of {len(ids):,} usable faces have no identity {name}, "
            f"the first is {_place(lacking[0])}. Its faces bring: {kinds}. In config.yaml, set identity.model to one "
            "that all faces have, or identity.embeddings to model."
        )
    if len(bad := unusable_rows(vectors, metric)):
        raise FacesetError(f"{_place(ids[bad[0]])}: its identity {name} is not finite, or all zeros.")
    write_embeddings(output, Embeddings(ids, vectors, metric), name, "")


def _identities(alignments: Path) -> Iterator[dict[str, list[float]]]:
    """The identities of every face, in the order of the faces table; frame by frame, as masks and thumbs are large."""
    with alignments.open("rb") as file:
        unpacker = msgpack.Unpacker(file, max_buffer_size=0)
        for _ in range(unpacker.read_map_header()):
            if unpacker.unpack() != "__data__":
                unpacker.skip()
                continue
            for _ in range(unpacker.read_map_header()):
                unpacker.skip()  # the frame's name
                for face in unpacker.unpack()["faces"]:
                    yield face["identity"]


def _place(face: str) -> str:
    source, frame, index = split_face_id(face)
    return f"source {source}, frame {frame}, face {index}"
