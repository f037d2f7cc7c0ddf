"""What faceswap's Sort tool would measure on a face that was extracted at 256 px, head-centred.

Its pixel measures are taken on a part of that picture (the face alone, enlarged to 256 px again), so they are here
computed from the same pixels by the same steps, not from the frame: faceswap users then meet the numbers they know.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceset.geometry.mean_faces import FACE_MASK_HULLS
from faceset.geometry.transforms import PADDING_RATIO, Image, apply_affine, padding_px

MEASURED_SIZE_PX: Final = 256

# Half the side of the square of low frequencies that blur-fft leaves out.
_LOW_FREQUENCIES: Final = 75
_GRAY_BGR: Final = np.array([0.0722, 0.7152, 0.2126])
_LUMA_BGR: Final = np.array([0.25, 0.5, 0.25])
_ORANGE_BGR: Final = np.array([-0.5, 0.0, 0.5])
_GREEN_BGR: Final = np.array([-0.25, 0.5, -0.25])


@dataclass(frozen=True)
class Measures:
    """The pixel measures of one face: `blur` and `blur_fft` grow with sharpness; `histogram` is (256,) int64."""

    blur: float
    blur_fft: float
    color_gray: float
    color_luma: float
    color_orange: float
    color_green: float
    color_black_percent: float
    histogram: NDArray[np.int64]


def measure_face(head: Image, landmarks: ArrayLike, legacy_matrix: ArrayLike, head_offset: ArrayLike) -> Measures:
    """Measure one face.

    `head` is its head-centred crop, (256, 256, 3) uint8 BGR; `landmarks` are (P, 2) in frame pixels; `legacy_matrix`
    is (2, 3), its crop matrix at 256 px with legacy centering; `head_offset` is (2,), its head-centering offset. With
    4 landmarks nothing is masked. Raises ValueError for another shape of image or for numbers that are not finite.
    """
    if head.shape != (MEASURED_SIZE_PX, MEASURED_SIZE_PX, 3):
        raise ValueError(f"faces are measured at {MEASURED_SIZE_PX} px in colour, not {head.shape}")
    matrix = np.asarray(legacy_matrix, dtype=np.float64)
    points = np.asarray(landmarks, dtype=np.float32)
    if not (np.isfinite(matrix).all() and np.isfinite(points).all() and np.isfinite(head_offset).all()):
        raise ValueError("a face whose numbers are not finite cannot be measured")
    face = np.minimum(_face_part(head, head_offset), _hull_mask(apply_affine(matrix[None], points)[0])[..., None])
    gray = np.asarray(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), dtype=np.uint8)
    blue_green_red = head.reshape(-1, 3).mean(axis=0)
    return Measures(
        blur=float(cv2.Laplacian(gray, cv2.CV_32F).var() / np.sqrt(gray.size)),
        blur_fft=_log_detail(gray),
        color_gray=float(blue_green_red @ _GRAY_BGR),
        color_luma=float(blue_green_red @ _LUMA_BGR),
        color_orange=float(blue_green_red @ _ORANGE_BGR),
        color_green=float(blue_green_red @ _GREEN_BGR),
        color_black_percent=float((~head.any(axis=2)).mean() * 100),
        histogram=np.bincount(face[..., 0].ravel(), minlength=256),
    )


def _face_part(head: Image, head_offset: ArrayLike) -> Image:
    """Return the part of a head-centred crop that legacy centering shows, at the same size; black beyond the crop."""
    size = MEASURED_SIZE_PX
    unit_px = size - 2 * padding_px(size, PADDING_RATIO["head"])
    inner_px = size - 2 * padding_px(size, PADDING_RATIO["legacy"])
    side = round(size * unit_px / inner_px)
    # The middle of the head crop lies off the mean face's middle by the offset; legacy centering goes back to it.
    middle = np.rint(size / 2 - np.asarray(head_offset, dtype=np.float64) * unit_px)
    # A head turned so far that its part lies beyond the crop altogether gives a black one.
    margin = 2 * size
    left, top = np.clip(middle, -size, 2 * size).astype(int) - side // 2 + margin
    framed = cv2.copyMakeBorder(head, margin, margin, margin, margin, cv2.BORDER_CONSTANT)
    part = framed[top : top + side, left : left + side]
    return np.asarray(cv2.resize(part, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _hull_mask(points: NDArray[np.float64]) -> Image:
    mask = np.zeros((MEASURED_SIZE_PX, MEASURED_SIZE_PX), np.uint8)
    hulls = FACE_MASK_HULLS.get(len(points))
    if hulls is None:
        mask[:] = 255
        return mask
    for ranges in hulls.values():
        part = np.concatenate([points[start:end] for start, end in ranges])
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(part).astype(np.int32)), 255, lineType=cv2.LINE_AA)
    return mask


def _log_detail(gray: Image) -> float:
    """Return the mean logarithm of what is left of a grey image without its low frequencies."""
    frequencies = np.fft.fftshift(np.fft.fft2(gray))
    middle_y, middle_x = (side // 2 for side in gray.shape)
    low = slice(middle_y - _LOW_FREQUENCIES, middle_y + _LOW_FREQUENCIES)
    frequencies[low, middle_x - _LOW_FREQUENCIES : middle_x + _LOW_FREQUENCIES] = 0
    detail = np.abs(np.fft.ifft2(np.fft.ifftshift(frequencies)))
    with np.errstate(divide="ignore"):  # nothing left anywhere: minus infinity, the least sharp of all
        return float(np.log(detail).mean())
