"""Embed: what the identity model sees in each chip."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from faceset.embeddings import Embeddings, write_embeddings
from faceset.geometry import Image, chip_matrices
from faceset.geometry_constants import LANDMARKS_98_TO_68
from faceset.identity import IdentityModel
from faceset.inference import Device
from faceset.models import IdentityEntry, verified_model_path
from faceset.progress import Progress
from faceset.schemas import CHIPS, FACES
from faceset.tables import iterate_rows, read_table


def embed_chips(
    chips: Path, faces: Path, output: Path, model: IdentityEntry, models_folder: Path, device: Device
) -> str:
    """Write the `embeddings` table of a source's chips. Returns what the model ran on.

    Memory grows by one embedding a face.
    """
    identity = IdentityModel(model, verified_model_path(model, models_folder), device)
    table = read_table(faces, FACES, ["face_id", "landmarks"])
    landmarks_of = dict(zip(table["face_id"].to_pylist(), table["landmarks"], strict=True))
    batches = iterate_rows(chips, CHIPS)
    ids: list[str] = []
    vectors: list[npt.NDArray[np.float32]] = []
    for batch in Progress(batches, "batches of faces embedded"):
        names = batch["face_id"].to_pylist()
        landmarks = np.stack([_as_68_points(landmarks_of[name].values.to_numpy()) for name in names])
        pictures = [_picture(chip.as_py()) for chip in batch["chip"]]
        vectors.append(identity.embed(identity.inputs_from_chips(pictures, chip_matrices(landmarks), landmarks), names))
        ids += names
    found = np.concatenate(vectors) if vectors else np.empty((0, identity.dimensions), np.float32)
    write_embeddings(output, Embeddings(ids, found, model.metric), model.name, model.sha256)
    return identity.provider


def _as_68_points(coordinates: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    # One source may mix both kinds of landmarks.
    points = coordinates.reshape(-1, 2)
    return points[LANDMARKS_98_TO_68] if len(points) == 98 else points


def _picture(chip: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR), np.uint8)
