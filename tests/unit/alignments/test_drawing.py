"""Promises of drawing a face onto a frame."""

import numpy as np
from numpy.typing import NDArray

from faceset.alignments.drawing import AXES, BOX, HEAD, LANDMARKS, draw_on_frame
from factory import face, landmarks, picture
from golden_data import odd_figures

BLACK = np.zeros((900, 1600, 3), np.uint8)


def painted(drawn: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """The pixels of this colour, (N, 2) x and y, also where a line's edge makes it darker."""
    length = np.linalg.norm(drawn.astype(float), axis=2)
    likeness = drawn.astype(float) @ colour / np.linalg.norm(colour) / np.maximum(length, 1)
    return np.argwhere((likeness > 0.997) & (length > 120))[:, ::-1]


def test_a_face_is_drawn_where_it_is() -> None:
    drawn = draw_on_frame(BLACK, [face(600, 300, 200, landmarks_xy=landmarks(620, 320, 160))])
    box = painted(drawn, BOX)
    assert abs(box.max(axis=0) - (800, 500)).max() <= 2
    assert abs(box[:, 0].min() - 600) <= 2
    marks = painted(drawn, LANDMARKS)
    expected = np.array(landmarks(620, 320, 160))
    assert abs(marks.min(axis=0) - expected.min(axis=0)).max() <= 3
    assert abs(marks.max(axis=0) - expected.max(axis=0)).max() <= 3
    assert len(painted(drawn, HEAD)) > 400
    assert not drawn[:200, :300].any()


def test_the_frame_itself_stays_as_it_was() -> None:
    frame = BLACK.copy()
    assert draw_on_frame(frame, [face(600, 300, 200)]).any()
    assert not frame.any()
    np.testing.assert_array_equal(draw_on_frame(picture(1, 1600, 900), []), picture(1, 1600, 900))


def test_small_frames_are_enlarged_and_their_faces_with_them() -> None:
    drawn = draw_on_frame(np.zeros((300, 400, 3), np.uint8), [face(100, 100, 80)])
    assert drawn.shape == (900, 1200, 3)
    marks = painted(drawn, LANDMARKS)
    expected = np.array(landmarks(100, 100, 80)) * 3
    assert abs(marks.min(axis=0) - expected.min(axis=0)).max() <= 4


def turned_faces() -> list[NDArray[np.float64]]:
    """Landmarks, (68, 2), of faces turned clearly to a side."""
    found = [(entry["pitch_yaw_roll_deg"][1], np.array(entry["landmarks_xy"])) for entry in odd_figures()]
    return [points for yaw_deg, points in found if len(points) == 68 and abs(yaw_deg) > 9]


def test_the_axes_show_where_a_head_looks_and_where_its_top_is() -> None:
    sides = set()
    for points in turned_faces():
        shown = (points - points.mean(axis=0)) * (300 / np.ptp(points[17:], axis=0).max()) + (800, 450)
        drawn = draw_on_frame(BLACK, [face(0, 0, 1, landmarks_xy=shown.tolist())])
        right, up, forward = (painted(drawn, colour).mean(axis=0) - shown[30] for colour in AXES)
        across = shown[16] - shown[0]  # from its right to its left
        assert right @ across < 0
        assert up @ (shown[27] - shown[8]) > 0
        # Seen from the middle between the ends of the jaw, the tip of the nose is where the head looks to.
        nose = (shown[30] - (shown[0] + shown[16]) / 2) @ across
        assert np.sign(forward @ across) == np.sign(nose)
        sides.add(np.sign(nose))
    assert sides == {-1.0, 1.0}


def test_no_face_however_odd_stops_the_drawing() -> None:
    odd = [face(landmarks_xy=figures["landmarks_xy"]) for figures in odd_figures()]
    nan, far = float("nan"), 1e30
    odd += [face(landmarks_xy=[[value, value]] * 68) for value in (nan, 0.0, far)]
    odd += [face(landmarks_xy=landmarks(5, 5, 50, 4)), face(landmarks_xy=landmarks(5, 5, 50, 98))]
    odd += [face(x=-(2**53), y=2**53, w=0, h=0), face(-500, -500, 4000)]
    assert draw_on_frame(BLACK, odd).any()
