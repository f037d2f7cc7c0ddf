"""The 68 landmarks of detected faces, from MediaPipe's face mesh (Kartynnik et al., 2019)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faceset.arrays import Float32, Float64, Image
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import apply_affine, invert_affine
from faceset.models.catalogue import Model
from faceset.models.detector import Detection, FaceDetector
from faceset.models.inference import Device, network_input, open_session

Points = Float64

MESH_MODEL = "mediapipe_mesh"
VERTICES = 468
RIGHT_EYE_VERTEX, LEFT_EYE_VERTEX = 33, 263  # the eyes' outer corners, named by the head's own sides
CROP_TO_BOX = 1.5
SAME_FACE_DISTANCE = 0.2


@dataclass(frozen=True, eq=False)
class DetectedFace:
    """A detection and its landmarks, (68, 2) float32 in frame pixels."""

    detection: Detection
    landmarks: Float32


class MeshLandmarks:
    """The mesh network. Each face is looked at twice: upright by the detector's eyes, then by the mesh itself."""

    def __init__(self, model: Model, path: Path, device: Device = "auto", threads: int = 1) -> None:
        """Open the network; FacesetError where it cannot be."""
        self._model = model
        self._session = open_session(model, path, device, threads)
        self._weights = _vertex_weights()
        self.provider = self._session.provider

    def landmarks(self, frame_bgr: Image, detections: Sequence[Detection]) -> Float32:
        """Landmarks (N, 68, 2) in frame pixels of N detections in one frame."""
        if not detections:
            return np.empty((0, 68, 2), np.float32)
        eyes = np.stack([face.points[:2] for face in detections])
        corners = np.array([[face.x, face.y, face.x + face.width, face.y + face.height] for face in detections])
        middles, edges = (corners[:, :2] + corners[:, 2:]) / 2, (corners[:, 2:] - corners[:, :2]).max(axis=1)
        mesh = self._mesh(frame_bgr, middles, edges, _angles(eyes[:, 0], eyes[:, 1]))
        angles = _angles(mesh[:, RIGHT_EYE_VERTEX], mesh[:, LEFT_EYE_VERTEX])
        mesh = self._mesh(frame_bgr, *_upright_bounds(mesh, angles), angles)
        return (self._weights @ mesh).astype(np.float32)

    def _mesh(self, frame: Image, middles: Points, edges: Points, angles: Points) -> Points:
        """Vertices (N, 468, 2) in frame pixels, seen in squares about the faces, turned so that the eyes are level."""
        size = self._model.size_px
        matrices = _square_matrices(middles, edges * CROP_TO_BOX, angles, size)
        crops = np.stack([smooth_warp(frame, matrix, size) for matrix in matrices])
        outputs = self._session.run_each(network_input(crops, self._model))
        vertices = next(values for values in outputs.values() if values.shape[1] == VERTICES * 3)
        return apply_affine(invert_affine(matrices), vertices.reshape(-1, VERTICES, 3)[:, :, :2])


def detect_faces(frame_bgr: Image, detector: FaceDetector, mesh: MeshLandmarks) -> list[DetectedFace]:
    """Faces of a frame with landmarks, from left to right; two detections whose landmarks coincide are one face."""
    detections = detector.detect(frame_bgr)
    landmarks = mesh.landmarks(frame_bgr, detections)
    kept = distinct_faces(landmarks, np.array([face.score for face in detections]))
    return [DetectedFace(detections[face], landmarks[face]) for face in kept]


def distinct_faces(landmarks: Float32, scores: Float64) -> list[int]:
    """Indices, ascending, of faces that are not a better scored one again.

    Of (N, 68, 2) landmarks, two sets are one face where they lie apart by less, on average, than a fifth of the larger
    one's extent.
    """
    extents = np.ptp(landmarks, axis=1).max(axis=1)
    kept: list[int] = []
    for face in np.argsort(-scores, kind="stable"):
        apart = np.linalg.norm(landmarks[kept] - landmarks[face], axis=2).mean(axis=1)
        if (apart >= SAME_FACE_DISTANCE * np.maximum(extents[kept], extents[face])).all():
            kept.append(int(face))
    return sorted(kept)


def _vertex_weights() -> Points:
    """The (68, 468) matrix that makes landmarks of vertices."""
    table = json.loads((Path(__file__).parent / "landmarks.json").read_text(encoding="utf-8"))
    weights = np.zeros((68, VERTICES))
    for landmark, vertices in enumerate(table["landmarks"]):
        for vertex, weight in vertices.items():
            weights[landmark, int(vertex)] = weight
    return weights


def _angles(left: Points, right: Points) -> Points:
    """Angles (N,) in radians by which the lines from `left` to `right`, each (N, 2), slope downwards."""
    across = right - left
    return np.asarray(np.arctan2(across[:, 1], across[:, 0]), np.float64)


def _square_matrices(middles: Points, edges: Points, angles: Points, size_px: int) -> Points:
    """Matrices (N, 2, 3) from the frame to squares of `size_px`, turned back by `angles` about the middles."""
    cosines, sines = size_px / edges * np.array([np.cos(angles), np.sin(angles)])
    turns = np.stack([np.stack([cosines, sines], axis=1), np.stack([-sines, cosines], axis=1)], axis=1)
    shifts = size_px / 2 - (turns @ middles[:, :, None])
    return np.concatenate([turns, shifts], axis=2)


def _upright_bounds(points: Points, angles: Points) -> tuple[Points, Points]:
    """Middles (N, 2) and longer edges (N,) of the boxes about `points`, (N, K, 2), turned by `angles`."""
    origin = np.zeros((len(points), 2))
    turns = _square_matrices(origin, np.ones(len(points)), angles, 1)
    turned = apply_affine(turns, points)
    low, high = turned.min(axis=1), turned.max(axis=1)
    middles = apply_affine(invert_affine(turns), (low + high)[:, None] / 2)[:, 0]
    return middles, (high - low).max(axis=1)
