"""The measure `blur_fft`, as faceswap calls it: sharpness by the high frequencies."""

from typing import Final

import numpy as np

from faceset.crops.measures.face import Face

# Half the side of the square of low frequencies that is left out.
_LOW_FREQUENCIES: Final = 75


def blur_fft(face: Face) -> float:
    """Return the mean logarithm of what is left without the low frequencies, higher is sharper.

    Minus infinity, the least sharp of all, where nothing is left anywhere.
    """
    frequencies = np.fft.fftshift(np.fft.fft2(face.gray))
    middle_y, middle_x = (side // 2 for side in face.gray.shape)
    low = slice(middle_y - _LOW_FREQUENCIES, middle_y + _LOW_FREQUENCIES)
    frequencies[low, middle_x - _LOW_FREQUENCIES : middle_x + _LOW_FREQUENCIES] = 0
    detail = np.abs(np.fft.ifft2(np.fft.ifftshift(frequencies)))
    with np.errstate(divide="ignore"):
        return float(np.log(detail).mean())
