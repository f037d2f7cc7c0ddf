"""Promises of the measure `blur`."""

import numpy as np
import pytest

from faceset.crops.measures.blur import blur
from golden_data import BLUR_MOVES, Record, assert_near, column
from measured_faces import face_that_shows, photo_parts


@pytest.mark.pixels
def test_blur_is_faceswaps(record_property: Record) -> None:
    found = [blur(face_that_shows(part)) for part in photo_parts()]
    assert_near(found, column("blur"), BLUR_MOVES, "blur", record_property)


def test_a_black_picture_is_the_least_sharp_of_all() -> None:
    assert blur(face_that_shows(np.zeros((256, 256, 3), np.uint8))) == 0
