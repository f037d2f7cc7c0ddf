"""Promises of the signs of `yaw`, `pitch` and `roll`: which way a head is turned that has a positive one."""

import dataclasses

import cv2
import numpy as np
import pytest

from faceset.crops.measures.face import Face
from faceset.crops.measures.pose import pitch, roll, yaw
from faceset.geometry.mean_faces import CAMERA, MEAN_FACE_3D_26, POSE_LANDMARKS
from faceset.geometry.transforms import normalised_landmarks, poses
from golden_data import column
from measured_faces import any_face

NOSE, CORNERS_OF_EYES = 33, (36, 45)
UPRIGHT = cv2.solvePnP(
    MEAN_FACE_3D_26,
    normalised_landmarks(column("landmarks_xy")[:1].astype(np.float32))[0, POSE_LANDMARKS],
    CAMERA,
    np.zeros(4),
)[1:]
"""The rotation and the shift of a head that looks about straight at the camera."""


def head_turned(axis: int, by_rad: float) -> tuple[Face, np.ndarray]:
    """A head turned about an axis of the camera (x to the right, y down, z away), and its 68 points, (68, 2)."""
    turn = np.zeros(3)
    turn[axis] = by_rad
    rotation = cv2.Rodrigues(cv2.Rodrigues(turn)[0] @ cv2.Rodrigues(UPRIGHT[0])[0])[0]
    points = np.zeros((68, 2), np.float32)
    points[POSE_LANDMARKS] = cv2.projectPoints(MEAN_FACE_3D_26, rotation, UPRIGHT[1], CAMERA, None)[0][:, 0]
    return dataclasses.replace(any_face(), poses=poses(points[None])), points


def nose_from_eyes(points: np.ndarray) -> np.ndarray:
    """The tip of the nose (2,) from the middle between the eyes: x to the right, y downwards."""
    return np.asarray(points[NOSE] - points[list(CORNERS_OF_EYES)].mean(axis=0))


def test_a_larger_yaw_is_a_nose_further_to_the_left_of_the_picture() -> None:
    (one, points), (other, turned) = head_turned(1, -0.2), head_turned(1, 0.2)
    assert nose_from_eyes(turned)[0] < nose_from_eyes(points)[0] - 0.1
    assert yaw(other) - yaw(one) == pytest.approx(np.degrees(0.4), abs=1)


def test_a_larger_pitch_is_a_nose_further_down() -> None:
    (one, points), (other, turned) = head_turned(0, -0.2), head_turned(0, 0.2)
    assert nose_from_eyes(turned)[1] > nose_from_eyes(points)[1] + 0.05
    assert pitch(other) - pitch(one) == pytest.approx(np.degrees(0.4), abs=1)


def test_a_larger_roll_is_a_head_tilted_clockwise() -> None:
    (one, points), (other, turned) = head_turned(2, -0.2), head_turned(2, 0.2)
    left, right = CORNERS_OF_EYES
    assert turned[right, 1] - turned[left, 1] > points[right, 1] - points[left, 1] + 0.1
    assert roll(other) - roll(one) == pytest.approx(np.degrees(0.4), abs=1)
