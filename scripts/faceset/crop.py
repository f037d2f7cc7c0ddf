"""Crop: one pass over the footage that cuts each face's chip and takes faceswap's measures."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from faceset.footage import Picture, read_frames
from faceset.geometry import (
    CHIP_SIZE_PX,
    PADDING_RATIO,
    Centering,
    base_matrices,
    chip_matrices,
    crop_matrices,
    face_sizes,
    landmark_distances,
    normalised_landmarks,
    poses,
    warp_face,
)
from faceset.measures import MEASURED_SIZE_PX, measure_face
from faceset.progress import Progress
from faceset.schemas import CHIPS, FACES, MEASURES
from faceset.smooth_warp import smooth_warp
from faceset.tables import PICTURE_GROUP_ROWS, TableWriter, read_table

# The size that faceswap sorts by is that of its face-centred crop at this edge.
SIZE_MEASURE_PX = 64
CHIP_JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
]


def crop_faces(footage: Path, frames: Path, faces: Path, chips_output: Path, measures_output: Path) -> None:
    """Write the `chips` and `measures` tables of a source: all faces without a problem, in the order of frames.

    Raises FacesetError if the footage no longer agrees with its `frames` table.
    """
    table = read_table(faces, FACES, ["face_id", "position", "landmarks", "problem"])
    table = table.filter(pc.is_null(table["problem"])).combine_chunks()
    table = table.take(np.argsort(table["position"].to_numpy(), kind="stable"))
    positions, starts = np.unique(table["position"].to_numpy(), return_index=True)
    faces_of = pairwise([*starts.tolist(), len(table)])
    with (
        TableWriter(chips_output, CHIPS, group_rows=PICTURE_GROUP_ROWS) as chips,
        TableWriter(measures_output, MEASURES) as measures,
    ):
        pictures = Progress(read_frames(footage, frames, positions.tolist()), "frames cropped", len(positions))
        for (_, picture), (start, end) in zip(pictures, faces_of, strict=True):
            for row in range(start, end):
                face_id = table["face_id"][row].as_py()
                points = table["landmarks"][row].values.to_numpy().reshape(-1, 2)
                chips.add(face_id=[face_id], chip=[_chip(picture, points)])
                measures.add(face_id=[face_id], **{name: [value] for name, value in _measures(picture, points).items()})


def _chip(picture: Picture, points: npt.NDArray[np.float32]) -> bytes:
    chip = smooth_warp(picture, chip_matrices(points[None])[0], CHIP_SIZE_PX)
    return cv2.imencode(".jpg", chip, CHIP_JPEG)[1].tobytes()


def _measures(picture: Picture, points: npt.NDArray[np.float32]) -> dict[str, float]:
    base = base_matrices(points[None])
    normalised = normalised_landmarks(points[None], base)
    pose = poses(normalised)

    def matrices(centering: Centering, size_px: int) -> npt.NDArray[np.float64]:
        return crop_matrices(base, pose.offsets[centering], size_px, PADDING_RATIO[centering])

    head, legacy = matrices("head", MEASURED_SIZE_PX)[0], matrices("legacy", MEASURED_SIZE_PX)[0]
    pixels = measure_face(warp_face(picture, head, MEASURED_SIZE_PX), points, legacy, pose.offsets["head"][0])
    return {
        "size": float(face_sizes(matrices("face", SIZE_MEASURE_PX), SIZE_MEASURE_PX)[0]),
        "distance": float(landmark_distances(normalised)[0]),
        "yaw": float(pose.yaw_deg[0]),
        "pitch": float(pose.pitch_deg[0]),
        "roll": float(pose.roll_deg[0]),
        "head_x": float(pose.offsets["head"][0, 0]),
        "head_y": float(pose.offsets["head"][0, 1]),
        "blur": pixels.blur,
        "blur_fft": pixels.blur_fft,
    }
