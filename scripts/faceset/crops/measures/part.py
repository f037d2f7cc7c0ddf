"""The part of a face's picture that faceswap's Sort tool takes its pixel measures on.

The tool measures a face that was extracted at 256 px, head-centred: of that picture it takes the face alone, enlarged
to 256 px again. So do we, by the same steps from the same pixels, not from the frame: faceswap users then meet the
numbers they know.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceset.arrays import Image
from faceset.geometry.mean_faces import FACE_MASK_HULLS
from faceset.geometry.transforms import PADDING_RATIO, apply_affine, padding_px

MEASURED_SIZE_PX: Final = 256


def face_part(head: Image, landmarks: ArrayLike, legacy_matrix: ArrayLike, head_offset: ArrayLike) -> Image:
    """Return the face alone, (256, 256, 3) uint8 BGR: what legacy centering shows of it, black outside its hull.

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
    mask = _hull_mask(apply_affine(matrix[None], points)[0])
    return np.minimum(_legacy_centred(head, head_offset), mask[..., None])


def _legacy_centred(head: Image, head_offset: ArrayLike) -> Image:
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
    """Return the (256, 256) uint8 mask of a face by its landmarks in the crop: 255 inside, 0 outside."""
    mask = np.zeros((MEASURED_SIZE_PX, MEASURED_SIZE_PX), np.uint8)
    hulls = FACE_MASK_HULLS.get(len(points))
    if hulls is None:
        mask[:] = 255
        return mask
    for ranges in hulls.values():
        part = np.concatenate([points[start:end] for start, end in ranges])
        cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(part).astype(np.int32)), 255, lineType=cv2.LINE_AA)
    return mask
