"""Embed: one vector a face, what the identity model sees in its chip or what the alignments brought with it."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import cv2
import msgpack
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from faceset.errors import FacesetError
from faceset.face_ids import split_face_id
from faceset.footage.parts import Outputs, Parts, parts_of, rows_digest
from faceset.geometry.mean_faces import LANDMARKS_98_TO_68
from faceset.geometry.transforms import Image, chip_matrices
from faceset.models.catalogue import IdentityEntry, verified_model_path
from faceset.models.embeddings import Embeddings, Metric, read_embeddings, unusable_rows, write_embeddings
from faceset.models.identity import IdentityModel
from faceset.models.inference import Device
from faceset.progress import Progress
from faceset.tables.parquet import iterate_rows, read_table
from faceset.alignments.tables import FACES
from faceset.crops.tables import CHIPS


def embed_chips(
    chips: Path, faces: Path, output: Path, model: IdentityEntry, models_folder: Path, device: Device, parts: Parts
) -> str:
    """Write the `embeddings` table of a source's chips. Returns what the model ran on.

    Memory grows by one embedding a face. For a shard, the table is that of its share.
    """
    identity = IdentityModel(model, verified_model_path(model, models_folder), device)
    listed = read_table(chips, CHIPS, ["face_id", "sha256"]).combine_chunks()
    table = read_table(faces, FACES, ["face_id", "position", "landmarks"]).combine_chunks()
    table = table.take(pc.index_in(listed["face_id"], table["face_id"]))

    def embed(part: slice, outputs: Outputs) -> str:
        vectors = [np.empty((0, model.dimensions), np.float32)]
        done = part.start
        for batch in Progress(iterate_rows(chips, CHIPS, rows=part), "batches of faces embedded"):
            names = batch["face_id"].to_pylist()
            rows = table["landmarks"].slice(done, len(names))
            landmarks = np.stack([_as_68_points(points.values.to_numpy()) for points in rows])
            pictures = [_picture(chip.as_py()) for chip in batch["chip"]]
            inputs = identity.inputs_from_chips(pictures, chip_matrices(landmarks), landmarks)
            vectors.append(identity.embed(inputs, names))
            done += len(names)
        ids = listed["face_id"].slice(part.start, part.stop - part.start).to_pylist()
        found = Embeddings(ids, np.concatenate(vectors), model.metric)
        write_embeddings(outputs["embeddings"], found, model.name, model.sha256)
        return identity.provider

    all_parts = parts_of(table["position"].to_numpy())
    if parts.shard.undivided(all_parts):
        return embed(slice(0, len(listed)), {"embeddings": output})
    found = []
    for part in parts.shard.of(all_parts):
        digest = rows_digest(*(rows.slice(part.start, part.stop - part.start) for rows in (listed, table)))
        made = parts.find(digest) or parts.make(digest, partial(embed, part))
        found.append(read_embeddings(made["embeddings"]))
    ids = [face_id for embeddings in found for face_id in embeddings.face_ids]
    vectors = np.concatenate([np.empty((0, model.dimensions), np.float32), *(one.vectors for one in found)])
    write_embeddings(output, Embeddings(ids, vectors, model.metric), model.name, model.sha256)
    return identity.provider


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

    Raises FacesetError if a usable face has no such identity, or one that can not be compared.
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


def _as_68_points(coordinates: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # One source may mix both kinds of landmarks.
    points = coordinates.reshape(-1, 2)
    return points[LANDMARKS_98_TO_68] if len(points) == 98 else points


def _picture(chip: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR), np.uint8)
