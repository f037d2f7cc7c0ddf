import numpy as np
import pytest

from faceset.geometry import transforms as geometry
from faceset.geometry.transforms import PADDING_RATIO, Centering
from golden_data import (
    Record,
    assert_cut_as_faceswap,
    assert_near,
    column,
    odd_figures,
    photo_figures,
    photo_frame,
    photo_pixels,
)

ROUNDING = 2e-12  # of float64, in pixels of a crop; seen: up to 6.8e-13
# Without AVX2 the pose differs, and with it where crops lie that depend on it: by 9.5e-6, 9.4e-5 and 1.89e-4 px.
CROPS = [("legacy", 256, ROUNDING), ("face", 64, 1e-5), ("head", 256, 1e-4), ("head", 512, 2e-4)]


@pytest.fixture(scope="module")
def landmarks():
    return column("landmarks_xy").astype(np.float32)


@pytest.fixture(scope="module")
def base(landmarks):
    return geometry.base_matrices(landmarks)


@pytest.fixture(scope="module")
def normalised(landmarks, base):
    return geometry.normalised_landmarks(landmarks, base)


@pytest.fixture(scope="module")
def poses(normalised):
    return geometry.poses(normalised)


def angles(poses):
    return np.stack([poses.pitch_deg, poses.yaw_deg, poses.roll_deg], axis=1)


def crops(base, poses, centering, size_px):
    return geometry.crop_matrices(base, poses.offsets[centering], size_px, PADDING_RATIO[centering])


@pytest.mark.pixels
def test_base_matrices_are_faceswaps(base: np.ndarray, record_property: Record) -> None:
    assert_near(base, column("matrix_legacy"), ROUNDING, "base matrix", record_property)


@pytest.mark.pixels
def test_pose_and_centering_offsets_are_faceswaps(poses: geometry.Poses, record_property: Record) -> None:
    # Without AVX2: 1.1e-4 degrees, 9.8e-7 face units.
    assert_near(angles(poses), column("pitch_yaw_roll_deg"), 1.2e-4, "degrees", record_property)
    for centering in PADDING_RATIO:
        assert poses.offsets[centering].dtype == np.float32
        assert_near(poses.offsets[centering], column("offset", centering), 1e-6, "offset", record_property)


@pytest.mark.pixels
@pytest.mark.parametrize(("centering", "size_px", "most"), CROPS)
def test_crops_and_regions_are_faceswaps(
    base: np.ndarray, poses: geometry.Poses, centering: Centering, size_px: int, most: float, record_property: Record
) -> None:
    name = f"{centering}_{size_px}"
    matrices = crops(base, poses, centering, size_px)
    assert_near(matrices, column("crop_matrix", name), most, "px of a crop", record_property)
    np.testing.assert_array_equal(geometry.regions_of_interest(matrices, size_px), column("roi", name))
    assert {geometry.padding_px(size_px, PADDING_RATIO[centering])} == set(column("padding_px", name))


@pytest.mark.pixels
def test_landmarks_in_a_crop_are_faceswaps(
    base: np.ndarray, poses: geometry.Poses, landmarks: np.ndarray, record_property: Record
) -> None:
    moved = geometry.apply_affine(crops(base, poses, "face", 64), landmarks)
    # faceswap's are float32: 4.4e-5 px on every CPU, of which the pose is a fifth.
    assert_near(moved, column("landmarks_face_64"), 5e-5, "px of a landmark", record_property)


@pytest.mark.pixels
def test_size_and_distance_are_faceswaps(
    base: np.ndarray, poses: geometry.Poses, normalised: np.ndarray, record_property: Record
) -> None:
    np.testing.assert_array_equal(geometry.face_sizes(crops(base, poses, "face", 64), 64), column("size_px"))
    # Without AVX2: 4.2e-8.
    assert_near(geometry.landmark_distances(normalised), column("distance"), 5e-8, "distance", record_property)


@pytest.mark.pixels
@pytest.mark.parametrize(
    ("points", "degrees", "crop_px", "distance"),
    # Without AVX2: 4.02e-4 degrees, 7.8e-4 px, 3e-7. Four points have no pose.
    [(68, 4.1e-4, 7.9e-4, 3.1e-7), (98, 4.1e-4, 7.9e-4, 3.1e-7), (4, 0, ROUNDING, 0)],
)
def test_odd_faces_are_faceswaps(
    points: int, degrees: float, crop_px: float, distance: float, record_property: Record
) -> None:
    figures = [face for face in odd_figures() if len(face["landmarks_xy"]) == points]
    landmarks = np.array([face["landmarks_xy"] for face in figures])
    base = geometry.base_matrices(landmarks)
    normalised = geometry.normalised_landmarks(landmarks, base)
    poses = geometry.poses(normalised)
    matrices = crops(base, poses, "head", 512)
    theirs = {key: np.array([face[key] for face in figures]) for key in figures[0] if key != "landmarks_xy"}
    assert_near(base, theirs["matrix_legacy"], ROUNDING, "base matrix", record_property)
    assert_near(angles(poses), theirs["pitch_yaw_roll_deg"], degrees, "degrees", record_property)
    assert_near(matrices, theirs["crop_matrix_head_512"], crop_px, "px of a crop", record_property)
    np.testing.assert_array_equal(geometry.regions_of_interest(matrices, 512), theirs["roi_head_512"])
    assert_near(geometry.landmark_distances(normalised), theirs["distance"], distance, "distance", record_property)


@pytest.mark.pixels
def test_faces_cut_from_photos_by_faceswaps_matrices_have_its_very_pixels() -> None:
    assert photo_pixels().shape == (32, 256, 256, 3)  # having checked their digests


@pytest.mark.pixels
def test_faces_cut_from_photos_by_our_matrices_are_faceswaps(
    base: np.ndarray, poses: geometry.Poses, record_property: Record
) -> None:
    matrices = crops(base, poses, "head", 256)
    faces = [geometry.warp_face(photo_frame(name), matrices[face], 256) for face, name in enumerate(photo_figures())]
    assert_cut_as_faceswap(faces, record_property)


def test_a_face_does_not_depend_on_the_others_it_is_computed_with(landmarks, base, poses):
    alone = geometry.base_matrices(landmarks[7:8])
    np.testing.assert_array_equal(alone[0], base[7])
    np.testing.assert_array_equal(
        angles(geometry.poses(geometry.normalised_landmarks(landmarks[7:8])))[0], angles(poses)[7]
    )


def test_faces_that_cannot_be_aligned_are_nan_and_leave_the_others_alone(landmarks, base):
    broken = np.repeat(landmarks[:1].astype(np.float64), 6, axis=0)
    broken[0] = np.nan
    broken[1] = 500.123
    broken[2, 30] = np.inf
    broken[3] = 1e300
    broken[4] = 0.0
    matrices = geometry.base_matrices(broken)
    assert np.isnan(matrices[:5]).all()
    np.testing.assert_array_equal(matrices[5], base[0])
    normalised = geometry.normalised_landmarks(broken, matrices)
    poses = geometry.poses(normalised)
    assert np.isnan(angles(poses)[:5]).all()
    assert np.isfinite(angles(poses)[5]).all()
    assert all(np.isnan(offset[:5]).all() and np.isfinite(offset[5]).all() for offset in poses.offsets.values())
    crop = crops(matrices, poses, "head", 512)
    assert np.isnan(geometry.face_sizes(crop, 512)[:5]).all()
    assert not geometry.regions_of_interest(crop, 512)[:5].any()
    assert np.isnan(geometry.landmark_distances(normalised)[:5]).all()
    with pytest.raises(ValueError, match="not finite"):
        geometry.warp_face(np.zeros((8, 8, 3), np.uint8), crop[0], 16)


def test_landmarks_on_one_line_give_a_matrix_or_nan_but_no_error():
    line = np.zeros((1, 68, 2))
    line[0, :, 0] = np.arange(68)
    base = geometry.base_matrices(line)
    assert np.isfinite(base).all()
    geometry.poses(geometry.normalised_landmarks(line, base))


@pytest.mark.parametrize("points", [4, 68, 98])
def test_no_faces_give_no_rows(points):
    none = np.zeros((0, points, 2), np.float32)
    base = geometry.base_matrices(none)
    normalised = geometry.normalised_landmarks(none, base)
    poses = geometry.poses(normalised)
    assert base.shape == (0, 2, 3)
    assert angles(poses).shape == (0, 3)
    assert geometry.face_sizes(crops(base, poses, "head", 512), 512).shape == (0,)
    assert geometry.landmark_distances(normalised).shape == (0,)


def test_landmarks_of_another_count_are_a_programming_error():
    with pytest.raises(ValueError, match=r"4 \| 68 \| 98"):
        geometry.base_matrices(np.zeros((2, 5, 2)))


def test_umeyama_finds_the_similarity_that_moved_the_points():
    random = np.random.default_rng(1)
    source = random.normal(size=(50, 5, 2)) * 30 + 200
    angle, scale = random.uniform(-np.pi, np.pi, 50), random.uniform(0.01, 100, 50)
    truth = np.empty((50, 2, 3))
    truth[:, 0, 0] = truth[:, 1, 1] = np.cos(angle) * scale
    truth[:, 1, 0] = np.sin(angle) * scale
    truth[:, 0, 1] = -truth[:, 1, 0]
    truth[:, :, 2] = random.normal(size=(50, 2)) * 100
    np.testing.assert_allclose(
        geometry.umeyama(source, geometry.apply_affine(truth, source)), truth, rtol=1e-9, atol=1e-7
    )


def test_umeyama_never_mirrors():
    source = np.random.default_rng(2).normal(size=(1, 9, 2))
    matrix = geometry.umeyama(source, source[0] * [-1, 1])[0]
    assert np.linalg.det(matrix[:, :2]) > 0


def test_inverse_and_composition_undo_each_other(base):
    identity = geometry.compose_affine(geometry.invert_affine(base), base)
    np.testing.assert_allclose(identity, np.broadcast_to(np.eye(2, 3), identity.shape), atol=1e-9)
    points = np.array([[3.0, 4.0], [50.0, -7.0]])
    twice = geometry.apply_affine(base[1:2], geometry.apply_affine(base[:1], points))
    np.testing.assert_allclose(
        geometry.apply_affine(geometry.compose_affine(base[1:2], base[:1]), points), twice, rtol=1e-12
    )
    assert np.isnan(geometry.invert_affine(np.zeros((1, 2, 3)))).all()


def test_a_chip_shows_the_mean_face_at_144_px_a_unit_around_its_middle(landmarks):
    chips = geometry.chip_matrices(landmarks)
    units = geometry.apply_affine(geometry.base_matrices(landmarks), landmarks)
    np.testing.assert_allclose(geometry.apply_affine(chips, landmarks), units * 144 + 120, atol=1e-3)


@pytest.mark.parametrize(
    ("size", "percent", "least"), [(512, 0, 0), (512, 50, 256), (512, 100, 512), (256, 1, 4), (250, 33, 82)]
)
def test_minimum_size_is_faceswaps_percentage(size, percent, least):
    assert geometry.minimum_size_px(size, percent) == least


def test_faces_are_enlarged_with_cubic_and_shrunk_with_linear_interpolation():
    frame = np.zeros((20, 20, 3), np.uint8)
    frame[10:] = 200
    enlarged = geometry.warp_face(frame, [[2, 0, 0], [0, 2, 0]], 40)
    assert enlarged.max() > 200  # cubic interpolation overshoots at an edge
    shrunk = geometry.warp_face(frame, [[0.9, 0, 0], [0, 0.9, 0]], 18)
    assert shrunk.max() == 200


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_98_landmarks_become_68_whether_they_are_of_one_face_or_of_many(dtype):
    faces = np.random.default_rng(1).random((2, 3, 98, 2)).astype(dtype)
    found = geometry.as_68_points(faces)
    assert (found.shape, found.dtype) == ((2, 3, 68, 2), dtype)
    assert np.array_equal(found[1, 2], geometry.as_68_points(faces[1, 2]))
    # The middle of the chin, the tip of the nose and the corners of the mouth, as WFLW and iBUG number them.
    assert np.array_equal(found[..., [8, 30, 48, 54], :], faces[..., [16, 54, 76, 82], :])
    for count in (4, 68):
        assert np.array_equal(geometry.as_68_points(faces[..., :count, :]), faces[..., :count, :])
