import numpy as np
import pytest

from faceset.crops.measures import measure_face
from faceset.geometry import transforms as geometry
from golden_data import column, photo_figures, photo_frame, sorted_photo_pictures


@pytest.fixture(scope="module")
def measured():
    """The measures of every photo face, from its frame."""
    figures = photo_figures()
    landmarks = column("landmarks_xy").astype(np.float32)
    base = geometry.base_matrices(landmarks)
    offsets = geometry.poses(geometry.normalised_landmarks(landmarks, base)).offsets
    heads = geometry.crop_matrices(base, offsets["head"], 256, 0.625)
    legacy = geometry.crop_matrices(base, offsets["legacy"], 256, 0.375)
    return [
        measure_face(
            geometry.warp_face(photo_frame(name), heads[face], 256),
            landmarks[face],
            legacy[face],
            offsets["head"][face],
        )
        for face, name in enumerate(figures)
    ]


@pytest.mark.parametrize(
    "measure", ["blur", "blur_fft", "color_gray", "color_luma", "color_orange", "color_green", "color_black_percent"]
)
def test_measures_are_faceswaps(measured, measure):
    np.testing.assert_allclose([getattr(face, measure) for face in measured], column(measure), atol=1e-4, rtol=0)


def test_histograms_are_faceswaps(measured):
    np.testing.assert_array_equal([face.histogram for face in measured], column("hist"))


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
