"""Our embeddings, written into alignments as faceswap's identities."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from faceset.alignments.files import from_msgpack, fsa_bytes
from faceset.atomic import write_new_file
from faceset.face_ids import frame_of_key
from faceset.models.embeddings import read_embeddings
from faceset.tables.parquet import read_metadata, read_table
from faceset.training.tables import KEPT


def write_identities(
    alignments: Path, kept: Path, embeddings: Path, is_video: bool, output: Path, say: Callable[[str], None]
) -> None:
    """Write a `.fsa` of cleaned alignments in which each face has its embedding, under the model's name.

    Parameters
    ----------
    alignments, kept
        A source's cleaned alignments (msgpack), and the `kept` table that tells their faces' ids.
    embeddings
        The source's `embeddings` table.

    Raises FacesetError for an output that is there already.
    """
    found = read_embeddings(embeddings)
    vector_of = dict(zip(found.face_ids, found.vectors.astype(np.float64), strict=True))
    model = read_metadata(embeddings)["model"]
    ids = {(row["frame"], row["index"]): row["face_id"] for row in read_table(kept, KEPT).to_pylist()}
    read = from_msgpack(alignments.read_bytes(), str(alignments))
    frames, count = {}, 0
    for key, entry in read.frames.items():
        frame = frame_of_key(key, is_video)
        faces = []
        for index, face in enumerate(entry["faces"]):
            vector = vector_of[ids[frame, index]]
            faces.append({**face, "identity": {**face["identity"], model: vector}})
        count += len(faces)
        frames[key] = {**entry, "faces": faces}
    write_new_file(output, fsa_bytes({**read.data, "__data__": frames}))
    say(f"{output}: {count:,} faces with their {model} embedding.")
