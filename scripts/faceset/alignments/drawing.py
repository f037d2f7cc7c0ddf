"""Drawing what alignments say onto a frame: boxes, landmarks, the outline of the head crop, and how heads turn."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from faceset.alignments.entries import Face
from faceset.alignments.files import face_landmarks
from faceset.arrays import Float64, Image
from faceset.geometry.transforms import (
    PADDING_RATIO,
    apply_affine,
    as_68_points,
    base_matrices,
    crop_matrices,
    invert_affine,
    normalised_landmarks,
    poses,
)

Colour = tuple[int, int, int]

# Blue, green, red; told apart by the colour-blind too (M. Okabe and K. Ito's palette).
LANDMARKS: Final[Colour] = (233, 180, 86)
BOX: Final[Colour] = (66, 228, 240)
HEAD: Final[Colour] = (0, 159, 230)
AXES: Final[tuple[Colour, ...]] = ((178, 114, 0), (115, 158, 0), (0, 94, 213))  # to its right, up, and forward
SHADE: Final[Colour] = (0, 0, 0)

_NOSE_TIP: Final = 30
_AXIS_LENGTH: Final = 0.4  # in mean-face units
_LEAST_EDGE: Final = 1200  # of a drawing, in pixels: on less, thin lines would hide a small face
# Where the strokes of 68 landmarks begin and end, and whether they close: jaw, brows, nose, eyes, lips.
_STROKES: Final = (
    (0, 17, False), (17, 22, False), (22, 27, False), (27, 31, False), (31, 36, False),
    (36, 42, True), (42, 48, True), (48, 60, True), (60, 68, True),
)  # fmt: skip
_SHIFT: Final = 4  # binary digits of a pixel's fraction that OpenCV is given
_FURTHEST: Final = 2**26  # pixels; what lies beyond can be no part of a picture


def draw_on_frame(picture: Image, faces: Sequence[Face]) -> Image:
    """Return a frame, (H, W, 3) uint8 BGR, with canonical faces drawn on it; small frames enlarged 2, 3 … times.

    Of each: its box with its index and pose in degrees, its landmarks, the outline of the head crop with the top edge
    thicker, and, from the nose on, where its right, up and forward are. What cannot be computed is left out.
    """
    times = -(-_LEAST_EDGE // max(picture.shape[:2]))
    drawn = np.asarray(cv2.resize(picture, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR), np.uint8)
    for index, face in enumerate(faces):
        box = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * (face["w"], face["h"]) + (face["x"], face["y"])
        # A pixel's middle stays in the middle of what it becomes.
        points = (face_landmarks(face).astype(np.float64) + 0.5) * times - 0.5
        label = str(index)
        if np.isfinite(points).all():
            label += _draw_face(drawn, points)
        _stroke(drawn, box * times, BOX, closed=True)
        _write(drawn, label, box[0] * times)
    return drawn


def _draw_face(drawn: Image, points: Float64) -> str:
    """Draw what landmarks, (P, 2), tell; returns the pose in words."""
    base = base_matrices(points[None])
    pose = poses(normalised_landmarks(points[None], base))
    angles = np.array([pose.pitch_deg[0], pose.yaw_deg[0], pose.roll_deg[0]])
    to_frame = invert_affine(base)[0]
    if not (np.isfinite(angles).all() and np.isfinite(to_frame).all()):
        return ""
    _draw_head(drawn, crop_matrices(base, pose.offsets["head"], 512, PADDING_RATIO["head"]))
    if len(points) == 4:
        _stroke(drawn, points, LANDMARKS, closed=True)
        _draw_dots(drawn, points)
        return ""
    parts = as_68_points(points)
    for start, end, closed in _STROKES:
        _stroke(drawn, parts[start:end], LANDMARKS, closed)
    _draw_dots(drawn, points)
    _draw_axes(drawn, parts[_NOSE_TIP], angles, to_frame)
    return "  pitch {}  yaw {}  roll {}".format(*map(round, angles.tolist()))


def _draw_head(drawn: Image, matrices: Float64) -> None:
    corners = apply_affine(invert_affine(matrices), [[0, 0], [511, 0], [511, 511], [0, 511]])[0]
    _stroke(drawn, corners, HEAD, closed=True)
    _stroke(drawn, corners[:2], HEAD, closed=False, extra=2)


def _draw_dots(drawn: Image, points: Float64) -> None:
    radius = round(1.5 * _width(drawn) * 2**_SHIFT)
    for point in _fixed(points):
        cv2.circle(drawn, point.tolist(), radius, LANDMARKS, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _draw_axes(drawn: Image, nose: Float64, angles_deg: Float64, to_frame: Float64) -> None:
    """Draw unit vectors of the head from the nose on, seen from far away.

    The head's coordinates have x to its right, y up and z forward; the camera that its pose refers to looks from
    behind the picture, so what it sees is turned by half a turn in the plane.
    """
    (pitch, yaw, roll) = (cv2.Rodrigues(turn)[0] for turn in np.diag(np.radians(angles_deg)))
    ends = -(roll @ yaw @ pitch)[:2].T * _AXIS_LENGTH
    for end, colour in zip(ends, AXES, strict=True):
        _stroke(drawn, np.stack([nose, nose + to_frame[:, :2] @ end]), colour, closed=False, extra=1)


def _width(drawn: Image) -> int:
    """How many pixels wide a thin line is that can be seen when the whole frame is."""
    return int(max(1, round(max(drawn.shape[:2]) / 1600)))


def _stroke(drawn: Image, points: Float64, colour: Colour, closed: bool, extra: int = 0) -> None:
    """Draw a line through points, (P, 2) frame pixels, on a darker one, so that it shows on any ground."""
    width = _width(drawn) + extra
    for paint, wide in ((SHADE, width + 2), (colour, width)):
        cv2.polylines(drawn, [_fixed(points)], closed, paint, wide, cv2.LINE_AA, _SHIFT)


def _fixed(points: Float64) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Points as OpenCV takes them, (P, 2) int32 in fractions of a pixel."""
    return np.rint(np.clip(points, -_FURTHEST, _FURTHEST) * 2**_SHIFT).astype(np.int32)


def _write(drawn: Image, text: str, corner: Float64) -> None:
    """Write a line of text above a corner, or where it can be read if that is beyond the picture."""
    scale = 0.45 * _width(drawn)
    width, height = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0]
    left = int(np.clip(corner[0], 2, max(2, drawn.shape[1] - width - 2)))
    base = int(np.clip(corner[1] - 5, height + 2, drawn.shape[0] - 4))
    for paint, wide in ((SHADE, _width(drawn) + 2), (BOX, _width(drawn))):
        cv2.putText(drawn, text, (left, base), cv2.FONT_HERSHEY_SIMPLEX, scale, paint, wide, cv2.LINE_AA)
