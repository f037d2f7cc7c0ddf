from itertools import combinations
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceset.errors import FacesetError
from faceset.geometry.mean_faces import LANDMARKS_98_TO_68, MEAN_FACE_51
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import apply_affine, chip_matrices, warp_face
from faceset.models.identity import ARCFACE_POINTS, IdentityModel
from faceset.setup.converters.graph import GraphBuilder
from real_models import MODELS_DIR, identity_model, only_face, photo

SAME_PERSON = ("obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg", "obama_partial_face2.jpg")
OTHER_PERSON = "biden.jpg"


def chip_inputs(name: str) -> np.ndarray:
    """The identity model's picture of a photo's face, cut from its chip as the chips' JPEG gives it back."""
    landmarks = only_face(name).landmarks[None]
    matrices = chip_matrices(landmarks)
    chip = warp_face(photo(name), matrices[0], 384)
    jpeg = cv2.imencode(".jpg", chip, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    return identity_model().inputs_from_chips([cv2.imdecode(jpeg, cv2.IMREAD_COLOR)], matrices, landmarks)


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    return np.concatenate([chip_inputs(name) for name in (*SAME_PERSON, OTHER_PERSON)])


def mean_faces() -> np.ndarray:
    """Two faces shaped like the mean face, one of them turned, somewhere in a frame; (2, 68, 2)."""
    face = np.concatenate([np.zeros((17, 2)), MEAN_FACE_51]) * 200
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    return np.stack([face, face @ turn.T + 500]).astype(np.float32)


def model_of(tmp_path: Path, graph: GraphBuilder, **changes: Any) -> IdentityModel:
    path = tmp_path / "model.onnx"
    path.write_bytes(graph.model_bytes("made_up", "image", ["N", 3, "S", "S"]))
    changes = {"dimensions": 3, **changes}
    return IdentityModel(identity_model().model.model_copy(update=changes), path, "cpu")


def averaging() -> GraphBuilder:
    graph = GraphBuilder()
    graph.output(graph.node("ReduceMean", "image", axes=[2, 3], keepdims=0), "colour", ["N", 3])
    return graph


def test_one_person_is_near_and_another_far(inputs: np.ndarray) -> None:
    vectors = identity_model().embed(inputs)
    same, other = vectors[:-1], vectors[-1]
    assert max(np.linalg.norm(first - second) for first, second in combinations(same, 2)) < 0.6
    assert np.linalg.norm(same - other, axis=1).min() > 0.6


def test_a_face_gets_the_same_bytes_in_any_company(inputs: np.ndarray) -> None:
    model = identity_model()
    together = model.embed(inputs)
    assert together.tobytes() == b"".join(model.embed(picture[None]).tobytes() for picture in inputs)
    assert together[2:].tobytes() == model.embed(inputs[2:]).tobytes()


@pytest.mark.parametrize("name", [*SAME_PERSON, OTHER_PERSON])
def test_the_way_over_the_chip_hardly_moves_an_embedding(name: str) -> None:
    model = identity_model()
    (matrix,) = model.alignment_matrices(only_face(name).landmarks[None])
    direct = model.embed(smooth_warp(photo(name), matrix, 150)[None])
    assert np.linalg.norm(direct - model.embed(chip_inputs(name))) < 0.06


def test_dlibs_template_spreads_the_mean_face_and_a_quarter_around_it() -> None:
    landmarks = mean_faces()
    found = apply_affine(identity_model().alignment_matrices(landmarks), landmarks)
    # dlib's own mean face has the tip of the nose, landmark 33, at (0.490127, 0.628106).
    tip = (0.25 + np.array([0.490127, 0.628106])) / 1.5 * 149
    np.testing.assert_allclose(found[:, 33], [tip, tip], atol=1e-2)
    outer_eyes = found[:, 45] - found[:, 36]
    np.testing.assert_allclose(outer_eyes, [[0.736773 / 1.5 * 149, 0]] * 2, atol=1e-2)


def test_arcface_lays_the_five_points_on_its_template(tmp_path: Path) -> None:
    landmarks = np.zeros((1, 68, 2))
    for numbers, place in zip((range(36, 42), range(42, 48), [30], [48], [54]), ARCFACE_POINTS, strict=True):
        landmarks[0, list(numbers)] = place * 3 + 40
    for size in (112, 224):
        model = model_of(tmp_path, averaging(), alignment="arcface", size_px=size)
        np.testing.assert_allclose(model.alignment_matrices(landmarks)[0] @ [40, 40, 1], [0, 0], atol=1e-9)
        assert model.alignment_matrices(landmarks)[0, 0, 0] == pytest.approx(size / 112 / 3)


def test_legacy_pads_the_mean_face_by_three_eighths(tmp_path: Path) -> None:
    model = model_of(tmp_path, averaging(), alignment="legacy", size_px=224)
    landmarks = mean_faces()
    found = apply_affine(model.alignment_matrices(landmarks), landmarks)
    np.testing.assert_allclose(found[:, 17:], np.broadcast_to(MEAN_FACE_51 * 140 + 42, (2, 51, 2)), atol=1e-2)


def test_98_points_are_aligned_as_their_68() -> None:
    points = np.random.default_rng(0).uniform(0, 300, (3, 98, 2)).astype(np.float32)
    model = identity_model()
    expected = model.alignment_matrices(points[:, LANDMARKS_98_TO_68])
    assert np.array_equal(model.alignment_matrices(points), expected)


def test_degenerate_landmarks_are_refused_by_row() -> None:
    landmarks = mean_faces()
    landmarks[1] = np.nan
    chips = [np.zeros((384, 384, 3), np.uint8)] * 2
    with pytest.raises(FacesetError, match="faces 1 of this batch have degenerate landmarks"):
        identity_model().inputs_from_chips(chips, chip_matrices(landmarks), landmarks)


def test_an_embedding_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    graph = GraphBuilder()
    mean = graph.node("ReduceMean", "image", axes=[2, 3], keepdims=0)
    graph.output(graph.node("Log", mean), "logarithm", ["N", 3])
    images = np.full((3, 8, 8, 3), 9, np.uint8)
    images[2] = 0
    model = model_of(tmp_path, graph, file="model.onnx")
    with pytest.raises(FacesetError, match=r"model\.onnx: the embedding of 1 of 3 faces is not finite.*face number 2"):
        model.embed(images)
    with pytest.raises(FacesetError, match="the first is face film/000003_0"):
        model.embed(images, ["film/000001_0", "film/000002_0", "film/000003_0"])


def test_an_embedding_without_direction_has_no_cosine(tmp_path: Path) -> None:
    black = np.zeros((1, 8, 8, 3), np.uint8)
    assert not model_of(tmp_path, averaging(), metric="euclidean").embed(black).any()
    with pytest.raises(FacesetError, match="not finite, or all zeros"):
        model_of(tmp_path, averaging(), metric="cosine").embed(black)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_channels_mean_scale_and_layout_of_the_entry_reach_the_model(tmp_path: Path, layout: str) -> None:
    graph = GraphBuilder()
    axes = [2, 3] if layout == "nchw" else [1, 2]
    graph.output(graph.node("ReduceMean", "data", axes=axes, keepdims=0), "colour", ["N", 3])
    path = tmp_path / "mine.onnx"
    path.write_bytes(graph.model_bytes("mine", "data", [1, 3, 4, 4] if layout == "nchw" else [1, 4, 4, 3]))
    changes = {"dimensions": 3, "input": "data", "size_px": 4, "layout": layout, "mean": (1.0, 2.0, 3.0), "scale": 0.5}
    picture = np.tile(np.array([10, 20, 30], np.uint8), (2, 4, 4, 1))
    for channels, expected in (("rgb", [14.5, 9.0, 3.5]), ("bgr", [4.5, 9.0, 13.5])):
        entry = identity_model().model.model_copy(update={**changes, "channels": channels})
        assert IdentityModel(entry, path, "cpu").embed(picture).tolist() == [expected] * 2


def test_a_model_that_gives_no_vector_for_each_face_is_refused(tmp_path: Path) -> None:
    graph = GraphBuilder()
    graph.output(graph.node("Relu", "image"), "picture", ["N", 3, "S", "S"])
    with pytest.raises(FacesetError, match=r"gives float32 of shape \(2, 3, 8, 8\) for 2 faces, expected"):
        model_of(tmp_path, graph).embed(np.zeros((2, 8, 8, 3), np.uint8))


def test_a_vector_of_another_length_than_the_entry_says_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"shape \(2, 3\) for 2 faces, expected float32 of shape \(2, 512\)"):
        model_of(tmp_path, averaging(), dimensions=512).embed(np.ones((2, 8, 8, 3), np.uint8))


@pytest.mark.pixels
def test_threads_do_not_change_an_embedding(inputs: np.ndarray) -> None:
    entry = identity_model().model
    threaded = IdentityModel(entry, MODELS_DIR / entry.file, "cpu", threads=2)
    assert threaded.embed(inputs).tobytes() == identity_model().embed(inputs).tobytes()
