"""The types of arrays, by what one element is. What shape an array has is said where it is used."""

import numpy as np
from numpy.typing import NDArray

Bool = NDArray[np.bool_]
Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Image = NDArray[np.uint8]
"""One picture or several, BGR unless said otherwise."""
