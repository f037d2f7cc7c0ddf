"""Reference: what the identity model sees in a few photos of the wanted person."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceset.arrays import Float32, Image
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.footage.decoding import read_picture
from faceset.models.catalogue import IdentityEntry, Model, verified_model_path
from faceset.models.detector import FaceDetector
from faceset.models.identity import IdentityModel
from faceset.models.inference import Device
from faceset.models.landmarks import MESH_MODEL, DetectedFace, MeshLandmarks, detect_faces
from faceset.models.tables import REFERENCE
from faceset.progress import Progress
from faceset.tables.parquet import write_table

AS_IT_IS = np.eye(2, 3)[None]
"""The matrices (1, 2, 3) of a photo that stands in the place of a chip."""


@dataclass(frozen=True)
class _Seen:
    """A photo's largest face, and how many faces the photo has."""

    vector: Float32
    faces: int


def embed_reference(
    photos: Mapping[str, Path],
    output: Path,
    models: Mapping[str, Model],
    models_folder: Path,
    device: Device,
    min_face_px: int,
) -> str:
    """Write the `reference` table of photos, of each its largest face. Returns what the models ran on.

    Parameters
    ----------
    photos
        Picture files by name.
    models
        Those of detection, and the one identity model.
    min_face_px
        Edge of the smallest face looked for, in pixels of the photo.

    Raises FacesetError if a model cannot be used, or a photo cannot be read or has no face; all such are named.
    """
    detector = FaceDetector(models, models_folder, min_face_px, device=device)
    mesh = MeshLandmarks(models[MESH_MODEL], verified_model_path(models[MESH_MODEL], models_folder), device)
    (entry,) = (model for model in models.values() if isinstance(model, IdentityEntry))
    identity = IdentityModel(entry, verified_model_path(entry, models_folder), device)
    seen: dict[str, _Seen] = {}
    empty: list[Path] = []
    for name, path in Progress(photos.items(), "reference photos", len(photos)):
        photo = read_picture(path)
        if faces := detect_faces(photo, detector, mesh):
            seen[name] = _Seen(_embed_largest(photo, faces, identity, name), len(faces))
        else:
            empty.append(path)
    if empty:
        raise FacesetError(
            f"no face of {min_face_px} px or more is found in {len(empty)} of {len(photos)} reference photos: "
            f"{', '.join(map(str, empty))}. Take them out of the folder, or put better ones in their place."
        )
    write_table(
        output,
        REFERENCE.of(entry.dimensions),
        {
            "photo": list(seen),
            "sha256": [file_digest(photos[name]) for name in seen],
            "faces": [photo.faces for photo in seen.values()],
            "embedding": [photo.vector for photo in seen.values()],
        },
        {"model": entry.name, "model_sha256": entry.sha256, "metric": entry.metric},
    )
    return detector.provider


def _embed_largest(photo: Image, faces: list[DetectedFace], identity: IdentityModel, name: str) -> Float32:
    largest = max(faces, key=lambda face: face.detection.width * face.detection.height)
    pictures = identity.inputs_from_chips([photo], AS_IT_IS, largest.landmarks[None])
    (vector,) = identity.embed(pictures, [name])
    return np.asarray(vector)
