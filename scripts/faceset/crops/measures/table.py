"""All measures: what each column of the `measures` table is measured by.

Their columns stand in `faceset.crops.tables`, which planning reads without the libraries that measuring needs.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from faceset.arrays import Image
from faceset.crops.measures.blur import blur
from faceset.crops.measures.blur_fft import blur_fft
from faceset.crops.measures.distance import distance
from faceset.crops.measures.face import Face, face_of
from faceset.crops.measures.pose import head_x, head_y, pitch, roll, yaw
from faceset.crops.measures.size import size

_MEASURES: Final[Mapping[str, Callable[[Face], float]]] = {
    "size": size,
    "distance": distance,
    "yaw": yaw,
    "pitch": pitch,
    "roll": roll,
    "head_x": head_x,
    "head_y": head_y,
    "blur": blur,
    "blur_fft": blur_fft,
}


def measure_face(picture: Image, landmarks: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return all measures, by column, of a face of a frame, (H, W, 3) uint8 BGR.

    `landmarks` are (P, 2) float32 in pixels of the frame. Raises ValueError for a face that cannot be aligned.
    """
    face = face_of(picture, landmarks)
    return {name: measure(face) for name, measure in _MEASURES.items()}
