import numpy as np
import pytest

from faceset.geometry import transforms as geometry
from faceset.geometry.transforms import PADDING_RATIO
from faceset.training.pixels import pixel_digest
from golden_data import column, odd_figures, photo_figures, photo_frame, photo_pictures

CROPS = [("legacy", 256), ("face", 64), ("head", 256), ("head", 512)]


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


def test_base_matrices_are_faceswaps(base):
    np.testing.assert_allclose(base, column("matrix_legacy"), atol=1e-9, rtol=0)


def test_pose_and_centering_offsets_are_faceswaps(poses):
    np.testing.assert_allclose(angles(poses), column("pitch_yaw_roll_deg"), atol=1e-4, rtol=0)
    for centering in PADDING_RATIO:
        assert poses.offsets[centering].dtype == np.float32
        np.testing.assert_allclose(poses.offsets[centering], column("offset", centering), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("centering", "size_px"), CROPS)
def test_crops_and_regions_are_faceswaps(base, poses, centering, size_px):
    name = f"{centering}_{size_px}"
    matrices = crops(base, poses, centering, size_px)
    np.testing.assert_allclose(matrices, column("crop_matrix", name), atol=1e-4, rtol=0)
    np.testing.assert_array_equal(geometry.regions_of_interest(matrices, size_px), column("roi", name))
    assert {geometry.padding_px(size_px, PADDING_RATIO[centering])} == set(column("padding_px", name))


def test_landmarks_in_a_crop_are_faceswaps(base, poses, landmarks):
    moved = geometry.apply_affine(crops(base, poses, "face", 64), landmarks)
    np.testing.assert_allclose(moved, column("landmarks_face_64"), atol=1e-4, rtol=0)


def test_size_and_distance_are_faceswaps(base, poses, normalised):
    np.testing.assert_allclose(geometry.face_sizes(crops(base, poses, "face", 64), 64), column("size_px"), atol=1e-9)
    np.testing.assert_allclose(geometry.landmark_distances(normalised), column("distance"), atol=1e-6)


@pytest.mark.parametrize("points", [68, 98, 4])
def test_odd_faces_are_faceswaps(points):
    figures = [face for face in odd_figures() if len(face["landmarks_xy"]) == points]
    landmarks = np.array([face["landmarks_xy"] for face in figures])
    base = geometry.base_matrices(landmarks)
    normalised = geometry.normalised_landmarks(landmarks, base)
    poses = geometry.poses(normalised)
    matrices = crops(base, poses, "head", 512)
    np.testing.assert_allclose(base, [face["matrix_legacy"] for face in figures], atol=1e-4, rtol=0)
    np.testing.assert_allclose(angles(poses), [face["pitch_yaw_roll_deg"] for face in figures], atol=1e-4, rtol=0)
    np.testing.assert_allclose(matrices, [face["crop_matrix_head_512"] for face in figures], atol=1e-4, rtol=0)
    regions = geometry.regions_of_interest(matrices, 512)
    np.testing.assert_array_equal(regions, [face["roi_head_512"] for face in figures])
    np.testing.assert_allclose(
        geometry.landmark_distances(normalised), [face["distance"] for face in figures], atol=1e-6
    )


def test_faces_cut_from_photos_have_faceswaps_very_pixels(base, poses):
    matrices = crops(base, poses, "head", 256)
    names = list(photo_figures())
    faces = {name: geometry.warp_face(photo_frame(name), matrices[face], 256) for face, name in enumerate(names)}
    assert {name: pixel_digest(face) for name, face in faces.items()} == {
        name: picture["pixels"] for name, picture in photo_pictures().items()
    }


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
