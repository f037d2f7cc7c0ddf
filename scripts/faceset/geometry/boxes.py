"""Boxes around faces: left, top, width and height, in pixels of the frame."""

import numpy as np
import numpy.typing as npt

Box = tuple[int, int, int, int]
"""Left, top, width and height of a face, in pixels of its frame."""


def overlaps(a: npt.ArrayLike, b: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the (A, B) intersection over union of boxes (A, 4) and (B, 4); 1 for equal ones, also without area."""
    first = np.asarray(a, np.float64).reshape(-1, 1, 4)
    second = np.asarray(b, np.float64).reshape(1, -1, 4)
    top_left = np.maximum(first[..., :2], second[..., :2])
    bottom_right = np.minimum(first[..., :2] + first[..., 2:], second[..., :2] + second[..., 2:])
    intersection = np.prod(np.maximum(bottom_right - top_left, 0), axis=-1)
    union = np.prod(first[..., 2:], axis=-1) + np.prod(second[..., 2:], axis=-1) - intersection
    equal = (first == second).all(axis=-1)
    return np.where(equal, 1.0, intersection / np.maximum(union, np.finfo(np.float64).tiny))
