"""Detected alignments: those of a source that has none, from the faces found in each of its frames."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from faceset.alignments.files import VERSION, msgpack_bytes, read_msgpack
from faceset.footage.files import frame_name
from faceset.footage.frames import read_frames
from faceset.footage.parts import Outputs, Parts, parts_of, rows_digest
from faceset.footage.tables import FRAMES
from faceset.models.catalogue import Model, verified_model_path
from faceset.models.detector import FaceDetector
from faceset.models.inference import Device
from faceset.models.landmarks import MESH_MODEL, DetectedFace, MeshLandmarks, detect_faces
from faceset.progress import Progress
from faceset.tables.parquet import read_table


@dataclass(frozen=True)
class DetectInputs:
    """What faces are found in, and by what.

    footage, frames
        The video or folder, and its `frames` table.
    models, models_folder
        The catalogue's entries by name, and the folder of their files.
    """

    footage: Path
    frames: Path
    models: Mapping[str, Model]
    models_folder: Path


@dataclass(frozen=True)
class DetectSettings:
    """How faces are found: the edge of the smallest, in pixels of the frame."""

    min_face_px: int


def detect_footage(inputs: DetectInputs, settings: DetectSettings, output: Path, device: Device, parts: Parts) -> str:
    """Write the alignments (our msgpack) of every frame, faces from left to right. Returns what the models ran on.

    For a shard, the alignments are those of its share.

    Raises FacesetError if a model cannot be used, or the footage no longer agrees with its `frames` table.
    """
    detector = FaceDetector(inputs.models, inputs.models_folder, settings.min_face_px, device=device)
    mesh_model = inputs.models[MESH_MODEL]
    mesh = MeshLandmarks(mesh_model, verified_model_path(mesh_model, inputs.models_folder), device)
    listed = read_table(inputs.frames, FRAMES, ["position", "frame", "name", "digest", "pts", "keyframe", "rotation"])
    all_parts = parts_of(listed["position"].to_numpy())
    undivided = parts.is_whole(all_parts)
    work = [listed.slice(part.start, part.stop - part.start) for part in parts.share(all_parts)]
    digests = [rows_digest(rows) for rows in work]
    made = [None if undivided else parts.find(digest) for digest in digests]
    missing = [rows["position"].to_pylist() for rows, found in zip(work, made, strict=True) if not found]
    # All in one go: some footage can only be read from its beginning.
    wanted = list(itertools.chain.from_iterable(missing))
    pictures = iter(Progress(read_frames(inputs.footage, inputs.frames, wanted), "frames looked at", len(wanted)))

    def detect(rows: pa.Table, outputs: Outputs) -> str:
        found: dict[str, Any] = {}
        for row, (_, picture) in zip(rows.to_pylist(), itertools.islice(pictures, len(rows)), strict=True):
            meta = {} if row["pts"] is None else {"pts_time": row["pts"], "keyframe": row["keyframe"]}
            faces = [_entry(face) for face in detect_faces(picture, detector, mesh)]
            found[row["name"] or frame_name("video", row["frame"])] = {"faces": faces, "video_meta": meta}
        outputs["detected"].write_bytes(msgpack_bytes({"__meta__": {"version": VERSION}, "__data__": found}))
        return detector.provider

    if undivided:
        return detect(listed, {"detected": output})
    frames_found: dict[str, Any] = {}
    for rows, digest, found in zip(work, digests, made, strict=True):
        part = found or parts.make(digest, partial(detect, rows))
        frames_found |= read_msgpack(part["detected"]).frames
    output.write_bytes(msgpack_bytes({"__meta__": {"version": VERSION}, "__data__": frames_found}))
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
