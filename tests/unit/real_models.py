"""What `make setup` has put in place, for tests that run the real models on real photos."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from faceset.demo.footage import PHOTOS
from faceset.models.catalogue import identity_entry, load_catalogue, verified_model_path
from faceset.models.detector import FaceDetector
from faceset.models.identity import IdentityModel
from faceset.models.landmarks import DetectedFace, MeshLandmarks, detect_faces
from faceset.setup.fetch import fetch_package, read_member

REPOSITORY = Path(__file__).parents[2]
MODELS_DIR = REPOSITORY / "models"
CATALOGUE = load_catalogue(REPOSITORY / "config/models.yaml")


@cache
def photo(name: str) -> NDArray[np.uint8]:
    """A photo of the demo's package, as `obama.jpg`, BGR."""
    archive = fetch_package(PHOTOS, REPOSITORY / ".cache/packages")
    data = read_member(archive, f"face_recognition-1.3.0/tests/test_images/{name}")
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


@cache
def detector() -> FaceDetector:
    return FaceDetector(CATALOGUE, MODELS_DIR, min_face_px=40, device="cpu")


@cache
def mesh() -> MeshLandmarks:
    model = CATALOGUE["mediapipe_mesh"]
    return MeshLandmarks(model, verified_model_path(model, MODELS_DIR), device="cpu")


@cache
def identity_model() -> IdentityModel:
    model = identity_entry(CATALOGUE, "dlib_resnet_v1")
    return IdentityModel(model, verified_model_path(model, MODELS_DIR), device="cpu")


@cache
def only_face(name: str) -> DetectedFace:
    """The one face of a photo."""
    (face,) = detect_faces(photo(name), detector(), mesh())
    return face
