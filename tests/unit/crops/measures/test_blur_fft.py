"""Promises of the measure `blur_fft`."""

import numpy as np
import pytest

from faceset.crops.measures.blur_fft import blur_fft
from golden_data import BLUR_FFT_MOVES, Record, assert_near, column
from measured_faces import face_that_shows, photo_parts


@pytest.mark.pixels
def test_blur_fft_is_faceswaps(record_property: Record) -> None:
    found = [blur_fft(face_that_shows(part)) for part in photo_parts()]
    assert_near(found, column("blur_fft"), BLUR_FFT_MOVES, "blur_fft", record_property)


def test_a_black_picture_is_the_least_sharp_of_all() -> None:
    assert blur_fft(face_that_shows(np.zeros((256, 256, 3), np.uint8))) == -np.inf
