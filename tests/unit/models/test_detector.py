import cv2
import numpy as np
import pytest

from faceset.errors import FacesetError
from faceset.models.detector import FaceDetector
from faceset.models.landmarks import MeshLandmarks, detect_faces, distinct_faces
from real_models import CATALOGUE, MODELS_DIR, detector, mesh, only_face, photo

PHOTOS = ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg", "obama_partial_face2.jpg")


def shrunk(name: str, height: int) -> np.ndarray:
    image = photo(name)
    return cv2.resize(image, (image.shape[1] * height // image.shape[0], height), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("name", PHOTOS)
def test_the_one_face_of_a_photo_is_found_and_both_networks_agree_on_it(name: str) -> None:
    face = only_face(name)
    eyes = [face.landmarks[36:42].mean(axis=0), face.landmarks[42:48].mean(axis=0)]
    five = np.array([*eyes, face.landmarks[30], face.landmarks[48], face.landmarks[54]])
    apart = np.linalg.norm(five - face.detection.points, axis=1)
    assert apart.max() < 0.15 * face.detection.width
    assert apart.mean() < 0.06 * face.detection.width


def test_faces_come_from_left_to_right() -> None:
    parts = [shrunk(name, 300) for name in ("obama2.jpg", "biden.jpg", "obama.jpg")]
    faces = detect_faces(np.hstack(parts), detector(), mesh())
    edges = np.cumsum([part.shape[1] for part in parts])
    middles = [face.detection.x + face.detection.width / 2 for face in faces]
    assert np.searchsorted(edges, middles).tolist() == [0, 1, 2]


def test_landmarks_of_faces_in_one_frame_are_those_of_each_alone() -> None:
    frame = np.hstack([shrunk("biden.jpg", 300), shrunk("obama.jpg", 300)])
    detections = detector().detect(frame)
    together = mesh().landmarks(frame, detections)
    alone = np.concatenate([mesh().landmarks(frame, [detection]) for detection in detections])
    assert together.tobytes() == alone.tobytes()


def test_landmarks_turn_with_the_picture() -> None:
    image = shrunk("obama.jpg", 500)
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1)
    (upright,) = detect_faces(image, detector(), mesh())
    (turned,) = detect_faces(cv2.warpAffine(image, turn, (width, height)), detector(), mesh())
    expected = upright.landmarks @ turn[:, :2].T + turn[:, 2]
    assert np.linalg.norm(turned.landmarks - expected, axis=1).mean() < 0.03 * upright.detection.width


def test_faces_much_smaller_than_the_minimum_are_left_out() -> None:
    frame = shrunk("obama.jpg", 300)
    (face,) = detector().detect(frame)
    size = int(max(face.width, face.height) * 3)
    assert FaceDetector(CATALOGUE, MODELS_DIR, min_face_px=size, device="cpu").detect(frame) == []


def test_the_same_frame_gives_the_same_bytes() -> None:
    frame = shrunk("obama3.jpg", 400)
    first, second = (detect_faces(frame, detector(), mesh()) for _ in range(2))
    assert first[0].landmarks.tobytes() == second[0].landmarks.tobytes()
    assert first[0].detection.score == second[0].detection.score


@pytest.mark.pixels
def test_threads_do_not_change_detections_or_landmarks() -> None:
    frame = shrunk("obama3.jpg", 400)
    threaded = FaceDetector(CATALOGUE, MODELS_DIR, min_face_px=40, device="cpu", threads=2)
    model = CATALOGUE["mediapipe_mesh"]
    threaded_mesh = MeshLandmarks(model, MODELS_DIR / model.file, device="cpu", threads=2)
    (one,), (two,) = detect_faces(frame, detector(), mesh()), detect_faces(frame, threaded, threaded_mesh)
    assert one.landmarks.tobytes() == two.landmarks.tobytes()
    assert one.detection.points.tobytes() == two.detection.points.tobytes()
    assert one.detection.score == two.detection.score


@pytest.mark.parametrize("shape", [(360, 640, 3), (8, 8, 3), (1, 500, 3)])
def test_a_frame_without_faces_has_none(shape: tuple[int, int, int]) -> None:
    assert detect_faces(np.zeros(shape, np.uint8), detector(), mesh()) == []


def test_two_detections_of_one_face_leave_the_better() -> None:
    shape = np.random.default_rng(0).uniform(0, 100, (68, 2)).astype(np.float32)
    landmarks = np.stack([shape, shape + 5, shape + 90])
    assert distinct_faces(landmarks, np.array([0.91, 0.99, 0.95])) == [1, 2]
    assert distinct_faces(landmarks[:0], np.empty(0)) == []


def test_a_manifest_without_a_network_is_refused() -> None:
    models = {name: model for name, model in CATALOGUE.items() if name != "mtcnn_rnet"}
    with pytest.raises(FacesetError, match="mtcnn_rnet"):
        FaceDetector(models, MODELS_DIR, min_face_px=40, device="cpu")
