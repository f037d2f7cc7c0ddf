"""Cutting a square out of a picture through a similarity, without aliasing where it shrinks."""

import math

import cv2
import numpy as np

from faceset.arrays import Float64, Image


def smooth_warp(image: Image, matrix: Float64, size_px: int) -> Image:
    """The (size_px, size_px, 3) square that `matrix` (2, 3), from image to square, cuts; black beyond the border.

    A shrinking matrix samples the picture at its own resolution or finer, and areas of that are averaged.
    """
    scale = math.sqrt(abs(float(np.linalg.det(matrix[:, :2]))))
    factor = max(1, math.ceil(1 / scale - 1e-6))
    fine = matrix * factor
    fine[:, 2] += (factor - 1) / 2  # a pixel's centre goes to the centre of its factor x factor pixels
    square = cv2.warpAffine(image, fine, (size_px * factor, size_px * factor), flags=cv2.INTER_LINEAR)
    if factor > 1:
        square = cv2.resize(square, (size_px, size_px), interpolation=cv2.INTER_AREA)
    return np.asarray(square, np.uint8)
