import numpy as np
import pytest

from faceset.crops.measures import measure_face
from golden_data import (
    BLUR_FFT_MOVES,
    BLUR_MOVES,
    Record,
    assert_near,
    column,
    photo_figures,
    photo_pixels,
    sorted_photo_pictures,
)

FLOAT32 = 1.2e-5  # how exactly faceswap sums; seen: 1.1e-5, on every CPU


@pytest.fixture(scope="module")
def measured():
    """The measures of every photo face, from faceswap's own pixels, matrices and offsets."""
    landmarks = column("landmarks_xy").astype(np.float32)
    matrices, offsets = column("crop_matrix", "legacy_256"), column("offset", "head")
    return [measure_face(*each) for each in zip(photo_pixels(), landmarks, matrices, offsets, strict=True)]


@pytest.mark.pixels
@pytest.mark.parametrize(
    ("measure", "most"),
    [
        ("blur", BLUR_MOVES),
        ("blur_fft", BLUR_FFT_MOVES),
        ("color_gray", FLOAT32),
        ("color_luma", FLOAT32),
        ("color_orange", FLOAT32),
        ("color_green", FLOAT32),
        ("color_black_percent", FLOAT32),
    ],
)
def test_measures_are_faceswaps(measured, measure: str, most: float, record_property: Record) -> None:
    found = [getattr(face, measure) for face in measured]
    assert_near(found, column(measure), most, measure.partition("_percent")[0], record_property)


@pytest.mark.pixels
def test_histograms_are_faceswaps_but_for_levels_that_resizing_moves(measured) -> None:
    """Without IPP, 364 of a face's 65,536 pixels count one level higher or lower, once evened out."""
    apart = np.array([face.histogram for face in measured]) - column("hist")
    assert np.abs(np.cumsum(apart, axis=1)).sum(axis=1).max() <= 364


@pytest.mark.pixels
@pytest.mark.parametrize(
    ("by", "measure", "sign"),
    [
        ("color-gray", "color_gray", -1),
        ("color-luma", "color_luma", -1),
        ("color-orange", "color_orange", -1),
        ("color-green", "color_green", -1),
        ("color-black", "color_black_percent", 1),  # the least first; all others begin with the largest
    ],
)
def test_sorting_by_a_colour_gives_faceswaps_order(measured, by, measure, sign):
    order = np.argsort([sign * getattr(face, measure) for face in measured], kind="stable")
    assert np.array(list(photo_figures()))[order].tolist() == sorted_photo_pictures(by)


def face_inputs(points=68):
    figures = next(iter(photo_figures().values()))
    matrix = np.array(figures["crop_matrix"]["legacy_256"])
    return np.array(figures["landmarks_xy"])[:points], matrix, np.zeros(2)


def test_with_four_landmarks_the_whole_picture_counts():
    head = np.full((256, 256, 3), 90, np.uint8)
    assert measure_face(head, *face_inputs(4)).histogram[90] == 256 * 256
    assert measure_face(head, *face_inputs(68)).histogram[0] > 0


def test_a_black_picture_is_the_least_sharp_of_all():
    measures = measure_face(np.zeros((256, 256, 3), np.uint8), *face_inputs())
    assert measures.blur == 0
    assert measures.blur_fft == -np.inf
    assert measures.color_black_percent == 100


def test_a_face_that_lies_beyond_the_head_crop_is_measured_as_black():
    landmarks, matrix, _ = face_inputs()
    head = np.full((256, 256, 3), 90, np.uint8)
    assert measure_face(head, landmarks, matrix, [1e9, -1e9]).histogram[0] == 256 * 256


def test_pictures_of_another_size_and_broken_numbers_are_refused():
    landmarks, matrix, offset = face_inputs()
    with pytest.raises(ValueError, match="256 px"):
        measure_face(np.zeros((128, 128, 3), np.uint8), landmarks, matrix, offset)
    with pytest.raises(ValueError, match="not finite"):
        measure_face(np.zeros((256, 256, 3), np.uint8), landmarks * np.nan, matrix, offset)
