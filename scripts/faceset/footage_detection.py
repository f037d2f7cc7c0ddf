"""Detect: alignments for a source that has none, from the faces found in each of its frames."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from faceset.alignments import VERSION, msgpack_bytes
from faceset.detection import FaceDetector
from faceset.footage import read_frames
from faceset.footage_files import frame_name
from faceset.inference import Device
from faceset.mesh_landmarks import MESH_MODEL, DetectedFace, MeshLandmarks, detect_faces
from faceset.models import Model, verified_model_path
from faceset.progress import Progress
from faceset.schemas import FRAMES
from faceset.tables import read_table


def detect_footage(
    footage: Path,
    frames: Path,
    output: Path,
    models: Mapping[str, Model],
    models_folder: Path,
    device: Device,
    min_face_px: int,
) -> str:
    """Write the alignments (our msgpack) of every frame, faces from left to right. Returns what the models ran on.

    Raises FacesetError if a model can not be used, or the footage no longer agrees with its `frames` table.
    """
    detector = FaceDetector(models, models_folder, min_face_px, device=device)
    mesh_model = models[MESH_MODEL]
    mesh = MeshLandmarks(mesh_model, verified_model_path(mesh_model, models_folder), device)
    rows = read_table(frames, FRAMES, ["frame", "name", "pts", "keyframe"]).to_pylist()
    found: dict[str, Any] = {}
    pictures = read_frames(footage, frames, range(len(rows)))
    for position, picture in Progress(pictures, "frames looked at", len(rows)):
        row = rows[position]
        meta = {} if row["pts"] is None else {"pts_time": row["pts"], "keyframe": row["keyframe"]}
        faces = [_entry(face) for face in detect_faces(picture, detector, mesh)]
        found[row["name"] or frame_name("video", row["frame"])] = {"faces": faces, "video_meta": meta}
    output.write_bytes(msgpack_bytes({"__meta__": {"version": VERSION}, "__data__": found}))
    return detector.provider


def _entry(face: DetectedFace) -> dict[str, Any]:
    box = face.detection
    return {
        "x": round(box.x),
        "y": round(box.y),
        "w": round(box.width),
        "h": round(box.height),
        "landmarks_xy": face.landmarks.astype(np.float64).tolist(),
        "mask": {},
        "identity": {},
        "thumb": None,
    }
