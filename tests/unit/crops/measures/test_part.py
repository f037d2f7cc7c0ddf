"""Promises of the part of a face that pixel measures are taken on."""

import numpy as np
import pytest

from faceset.crops.measures.part import face_part
from golden_data import column, photo_figures
from measured_faces import photo_parts

GREY = np.full((256, 256, 3), 90, np.uint8)


def face_inputs(points: int = 68) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    figures = next(iter(photo_figures().values()))
    matrix = np.array(figures["crop_matrix"]["legacy_256"])
    return np.array(figures["landmarks_xy"])[:points], matrix, np.zeros(2)


@pytest.mark.pixels
def test_levels_are_those_that_faceswap_counts_but_for_what_resizing_moves() -> None:
    """Without IPP, 364 of a face's 65,536 pixels count one level higher or lower, once evened out."""
    histograms = [np.bincount(part[..., 0].ravel(), minlength=256) for part in photo_parts()]
    apart = np.array(histograms) - column("hist")
    assert np.abs(np.cumsum(apart, axis=1)).sum(axis=1).max() <= 364


def test_with_four_landmarks_the_whole_picture_counts() -> None:
    assert (face_part(GREY, *face_inputs(4)) == 90).all()
    assert (face_part(GREY, *face_inputs(68)) == 0).any()


def test_a_face_that_lies_beyond_the_head_crop_is_black() -> None:
    landmarks, matrix, _ = face_inputs()
    assert not face_part(GREY, landmarks, matrix, [1e9, -1e9]).any()


def test_pictures_of_another_size_and_broken_numbers_are_refused() -> None:
    landmarks, matrix, offset = face_inputs()
    with pytest.raises(ValueError, match="256 px"):
        face_part(np.zeros((128, 128, 3), np.uint8), landmarks, matrix, offset)
    with pytest.raises(ValueError, match="not finite"):
        face_part(GREY, landmarks * np.nan, matrix, offset)
