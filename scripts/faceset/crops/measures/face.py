"""One face as measures see it: its geometry and its pixels, worked out once for all of them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from faceset.arrays import Float32, Float64, Image
from faceset.crops.measures.part import MEASURED_SIZE_PX, face_part
from faceset.geometry.transforms import (
    PADDING_RATIO,
    Centering,
    Poses,
    base_matrices,
    crop_matrices,
    normalised_landmarks,
    poses,
    warp_face,
)


@dataclass(frozen=True)
class Face:
    """What the measures of one face are taken from.

    base
        (1, 2, 3), from frame pixels to mean-face units.
    normalised
        (1, 68 | 4, 2), its landmarks in mean-face units.
    poses
        How the head is turned; of one face.
    gray
        (256, 256) uint8, the face alone in grey: `face_part`.
    """

    base: Float64
    normalised: Float32
    poses: Poses
    gray: Image

    def crop_matrix(self, centering: Centering, size_px: int) -> Float64:
        """Return (2, 3): the matrix from frame pixels to those of its crop."""
        return _crop_matrix(self.base, self.poses, centering, size_px)


def face_of(picture: Image, landmarks: npt.NDArray[np.float32]) -> Face:
    """Return a face of a frame, (H, W, 3) uint8 BGR, by its `landmarks`, (P, 2) float32 in pixels of the frame.

    Raises ValueError for a face that cannot be aligned.
    """
    base = base_matrices(landmarks[None])
    normalised = normalised_landmarks(landmarks[None], base)
    turned = poses(normalised)
    head = warp_face(picture, _crop_matrix(base, turned, "head", MEASURED_SIZE_PX), MEASURED_SIZE_PX)
    legacy = _crop_matrix(base, turned, "legacy", MEASURED_SIZE_PX)
    part = face_part(head, landmarks, legacy, turned.offsets["head"][0])
    return Face(base, normalised, turned, np.asarray(cv2.cvtColor(part, cv2.COLOR_BGR2GRAY), dtype=np.uint8))


def _crop_matrix(base: Float64, turned: Poses, centering: Centering, size_px: int) -> Float64:
    matrices = crop_matrices(base, turned.offsets[centering], size_px, PADDING_RATIO[centering])
    return np.asarray(matrices[0], dtype=np.float64)
