"""The measure `blur`, as faceswap calls it: sharpness by the Laplacian."""

import cv2
import numpy as np

from faceset.crops.measures.face import Face


def blur(face: Face) -> float:
    """Return the variance of the Laplacian per edge length, higher is sharper; 0 for a picture of one colour."""
    return float(cv2.Laplacian(face.gray, cv2.CV_32F).var() / np.sqrt(face.gray.size))
