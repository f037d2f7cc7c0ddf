"""The embeddings of chips: one vector a face, what the identity model sees in it."""

from functools import partial
from pathlib import Path

import cv2
import numpy as np

from faceset.alignments.tables import FACES
from faceset.arrays import Image
from faceset.crops.tables import CHIPS
from faceset.footage.parts import Outputs, Parts, parts_of, rows_digest
from faceset.geometry.transforms import as_68_points, chip_matrices
from faceset.models.catalogue import IdentityEntry, verified_model_path
from faceset.models.embeddings import Embeddings, read_embeddings, write_embeddings
from faceset.models.identity import IdentityModel
from faceset.models.inference import Device
from faceset.progress import Progress
from faceset.tables.parquet import iterate_rows, read_table, rows_of_faces


def embed_chips(
    chips: Path, faces: Path, output: Path, model: IdentityEntry, models_folder: Path, device: Device, parts: Parts
) -> str:
    """Write the `embeddings` table of a source's chips. Returns what the model ran on.

    Memory grows by one embedding a face. For a shard, the table is that of its share.
    """
    identity = IdentityModel(model, verified_model_path(model, models_folder), device)
    listed = read_table(chips, CHIPS, ["face_id", "sha256"]).combine_chunks()
    table = read_table(faces, FACES, ["face_id", "position", "landmarks"]).combine_chunks()
    table = rows_of_faces(table, listed["face_id"])

    def embed(part: slice, outputs: Outputs) -> str:
        vectors = [np.empty((0, model.dimensions), np.float32)]
        done = part.start
        for batch in Progress(iterate_rows(chips, CHIPS, rows=part), "batches of faces embedded"):
            names = batch["face_id"].to_pylist()
            rows = table["landmarks"].slice(done, len(names))
            # One source may mix both kinds of landmarks.
            landmarks = np.stack([as_68_points(points.values.to_numpy().reshape(-1, 2)) for points in rows])
            pictures = [_picture(chip.as_py()) for chip in batch["chip"]]
            inputs = identity.inputs_from_chips(pictures, chip_matrices(landmarks), landmarks)
            vectors.append(identity.embed(inputs, names))
            done += len(names)
        ids = listed["face_id"].slice(part.start, part.stop - part.start).to_pylist()
        found = Embeddings(ids, np.concatenate(vectors), model.metric)
        write_embeddings(outputs["embeddings"], found, model.name, model.sha256)
        return identity.provider

    all_parts = parts_of(table["position"].to_numpy())
    if parts.is_whole(all_parts):
        return embed(slice(0, len(listed)), {"embeddings": output})
    found = []
    for part in parts.share(all_parts):
        digest = rows_digest(*(rows.slice(part.start, part.stop - part.start) for rows in (listed, table)))
        made = parts.find(digest) or parts.make(digest, partial(embed, part))
        found.append(read_embeddings(made["embeddings"]))
    ids = [face_id for embeddings in found for face_id in embeddings.face_ids]
    vectors = np.concatenate([np.empty((0, model.dimensions), np.float32), *(one.vectors for one in found)])
    write_embeddings(output, Embeddings(ids, vectors, model.metric), model.name, model.sha256)
    return identity.provider


def _picture(chip: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR), np.uint8)
