"""Identity embeddings: faces laid out as a model wants them, cut from chips, and put through it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faceset.arrays import Float32, Float64, Image
from faceset.errors import FacesetError
from faceset.geometry.mean_faces import MEAN_FACE_51
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import (
    PADDING_RATIO,
    as_68_points,
    base_matrices,
    compose_affine,
    crop_matrices,
    invert_affine,
    umeyama,
)
from faceset.models.catalogue import IdentityEntry
from faceset.models.embeddings import unusable_rows
from faceset.models.inference import Device, network_input, open_session

# dlib's chip: landmarks 27..54 and 60..64 (nose, eyes, upper lip) onto its mean face, with a quarter of its extent
# around it. Its mean face is the one of the crops but for a shift, since it is not centred on the nose.
DLIB_LANDMARKS = np.r_[27:55, 60:65]
DLIB_MEAN_FACE_SHIFT = (-0.009873, 0.0)
DLIB_PADDING = 0.25

# ArcFace's template for 112 px: eyes, tip of the nose, corners of the mouth (Deng et al., CVPR 2019).
ARCFACE_SIZE_PX = 112
ARCFACE_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


class IdentityModel:
    """An identity model in use. Pictures in and out are BGR, (N, S, S, 3) uint8, S the model's `size_px`."""

    def __init__(self, model: IdentityEntry, path: Path, device: Device = "auto", threads: int = 1) -> None:
        """Open the network; FacesetError where it cannot be."""
        self.model = model
        self._session = open_session(model, path, device, threads)
        self.provider = self._session.provider

    def alignment_matrices(self, landmarks: NDArray[np.floating]) -> Float64:
        """Matrices (N, 2, 3) from the frame to the model's input, of landmarks (N, 68 or 98, 2) in the frame.

        NaN for a face whose landmarks are degenerate.
        """
        points = as_68_points(landmarks)
        size = self.model.size_px
        if self.model.alignment == "dlib":
            return _dlib_matrices(points, size)
        if self.model.alignment == "arcface":
            return umeyama(_five_points(points), ARCFACE_POINTS * size / ARCFACE_SIZE_PX)
        return crop_matrices(base_matrices(points), np.zeros(2), size, PADDING_RATIO["legacy"])

    def inputs_from_chips(
        self, chips: Sequence[Image], chip_matrices: Float64, landmarks: NDArray[np.floating]
    ) -> Image:
        """The model's pictures of N faces, cut from their chips.

        `chips` are BGR, `chip_matrices` (N, 2, 3) lead from frame to chip, `landmarks` (N, 68 or 98, 2) lie in the
        frame. Raises FacesetError for a face that cannot be aligned: leave such faces out.
        """
        matrices = compose_affine(self.alignment_matrices(landmarks), invert_affine(chip_matrices))
        if (bad := ~np.isfinite(matrices).all(axis=(1, 2))).any():
            rows = ", ".join(str(row) for row in np.flatnonzero(bad)[:5])
            raise FacesetError(f"faces {rows} of this batch have degenerate landmarks, so they cannot be aligned.")
        size = self.model.size_px
        images = np.empty((len(chips), size, size, 3), np.uint8)
        for image, chip, matrix in zip(images, chips, matrices, strict=True):
            image[:] = smooth_warp(chip, matrix, size)
        return images

    def embed(self, images: Image, names: Sequence[str] | None = None) -> Float32:
        """Embeddings (N, D) of N > 0 pictures, as the model gives them.

        A face's embedding does not depend on the others of the batch. `names` is what the faces are called in
        messages. Raises FacesetError where the model gives another shape or numbers that cannot be compared.
        """
        values = next(iter(self._session.run_each(network_input(images, self.model)).values()))
        if values.shape != (expected := (len(images), self.model.dimensions)) or values.dtype != np.float32:
            raise FacesetError(
                f"{self.model.file}: gives {values.dtype} of shape {values.shape} for {len(images)} faces, expected "
                f"float32 of shape {expected}. Correct `dimensions` in the model's entry in the catalogue, or "
                "export the model with its embedding as the first output."
            )
        if len(bad := unusable_rows(values, self.model.metric)):
            name = names[bad[0]] if names else f"number {bad[0]}"
            raise FacesetError(
                f"{self.model.file}: the embedding of {len(bad)} of {len(images)} faces is not finite, or all zeros; "
                f"the first is face {name}. Are mean and scale of the model's entry in the catalogue right?"
            )
        return values


def _dlib_matrices(points: NDArray[np.floating], size_px: int) -> Float64:
    mean_face = MEAN_FACE_51[DLIB_LANDMARKS - 17] + DLIB_MEAN_FACE_SHIFT
    # dlib spreads the chip's first and last pixel over the whole rectangle, hence size - 1.
    template = (DLIB_PADDING + mean_face) / (1 + 2 * DLIB_PADDING) * (size_px - 1)
    # dlib fits the template to the face, not the face to the template: least squares differ in scale.
    targets = points[:, DLIB_LANDMARKS]
    return invert_affine(umeyama(np.broadcast_to(template, targets.shape), targets))


def _five_points(points: NDArray[np.floating]) -> NDArray[np.floating]:
    eyes = [points[:, 36:42].mean(axis=1), points[:, 42:48].mean(axis=1)]
    return np.stack([*eyes, points[:, 30], points[:, 48], points[:, 54]], axis=1)
