"""Where faces are: similarity transforms, pose and crops, as faceswap defines them, over many faces at once.

Every affine matrix here is 2 x 3 and takes points (x, y) of the frame, in pixels, to another plane. A face that cannot
be aligned (landmarks that are NaN or all in one place) gets rows of NaN, never an error: callers mark it.

Landmarks are used as float32, because faceswap holds them so: its matrices are then met to the last bits, and pixels of
a crop exactly.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceset.arrays import Bool, Float32, Float64, Image, Int64
from faceset.geometry.mean_faces import (
    CAMERA,
    LANDMARK_COUNTS,
    LANDMARKS_98_TO_68,
    MEAN_FACE_3D_26,
    MEAN_FACE_51,
    POSE_LANDMARKS,
    UNIT_SQUARE_4,
)

_Number = TypeVar("_Number", bound=np.floating)
Centering = Literal["legacy", "face", "head"]

PADDING_RATIO: Final[dict[Centering, float]] = {"legacy": 0.375, "face": 0.5, "head": 0.625}
CHIP_SIZE_PX: Final = 384
CHIP_PADDING_RATIO: Final = 0.625

# The point in front of or behind the mean head that each centering puts in the middle of the crop.
_CENTRE_3D: Final[dict[Centering, Float32]] = {
    "face": np.array([[0.0, -1.5, 4.2]], np.float32),
    "head": np.array([[0.0, 0.0, -2.3]], np.float32),
}


@dataclass(frozen=True)
class Poses:
    """How N heads are turned.

    `pitch_deg`, `yaw_deg`, `roll_deg` are (N,) float64 Euler angles of the head; `offsets` holds, for each centering,
    the (N, 2) float32 shift of the crop's middle, in mean-face units.
    """

    pitch_deg: Float64
    yaw_deg: Float64
    roll_deg: Float64
    offsets: dict[Centering, Float32]


def umeyama(source: ArrayLike, target: ArrayLike) -> Float64:
    """Return the (N, 2, 3) similarities that take N point sets to their targets with least squared error.

    `source` is (N, K, 2), `target` (K, 2) or (N, K, 2). Rotation, uniform scale and shift, no reflection (S. Umeyama,
    IEEE PAMI 13(4), 1991); in the plane the optimum has a closed form, so no decomposition is needed. A float32
    source is centred in float32. Rows are NaN where the source has no extent or is not finite.
    """
    points = np.asarray(source)
    if not np.issubdtype(points.dtype, np.floating):
        points = points.astype(np.float64)
    goal = np.asarray(target, dtype=np.float64)
    with np.errstate(all="ignore"):
        middle = points.mean(axis=-2)
        centred = points - middle[..., None, :]
        variance = centred.var(axis=-2).sum(axis=-1)
        goal_middle = goal.mean(axis=-2)
        goal_centred = goal - goal_middle[..., None, :]

        x, y = centred[..., 0], centred[..., 1]
        goal_x, goal_y = goal_centred[..., 0], goal_centred[..., 1]
        inverse_variance = np.ones((), points.dtype) / variance
        cosine = (x * goal_x + y * goal_y).mean(axis=-1) * inverse_variance
        sine = (x * goal_y - y * goal_x).mean(axis=-1) * inverse_variance

        matrices = np.empty((len(points), 2, 3))
        matrices[:, 0, 0] = matrices[:, 1, 1] = cosine
        matrices[:, 0, 1], matrices[:, 1, 0] = -sine, sine
        matrices[:, :, 2] = goal_middle - (matrices[:, :, :2] @ middle[..., None])[..., 0]

        # Points that are all one and the same still have a rounding error for an extent.
        rounding = 8 * np.finfo(points.dtype).eps * np.abs(middle).max(axis=-1)
        usable = _all_finite(matrices) & (variance > rounding**2) & (np.hypot(cosine, sine) > 0)
    matrices[~usable] = np.nan
    return matrices


def apply_affine(matrices: ArrayLike, points: ArrayLike) -> Float64:
    """Return (N, K, 2): `points`, (N, K, 2) or (K, 2), moved by each of `matrices`, (N, 2, 3)."""
    moves = np.asarray(matrices, dtype=np.float64)
    places = np.asarray(points, dtype=np.float64)
    return places @ moves[:, :, :2].transpose(0, 2, 1) + moves[:, None, :, 2]


def compose_affine(outer: ArrayLike, inner: ArrayLike) -> Float64:
    """Return (N, 2, 3): the matrices that do what `inner` does, and then what `outer` does."""
    last, first = np.asarray(outer, dtype=np.float64), np.asarray(inner, dtype=np.float64)
    composed: Float64 = last[..., :2] @ first
    composed[..., 2] += last[..., 2]
    return composed


def invert_affine(matrices: ArrayLike) -> Float64:
    """Return (N, 2, 3): the inverse of each matrix; NaN where there is none."""
    forward = np.asarray(matrices, dtype=np.float64)
    a, b, c, d = forward[:, 0, 0], forward[:, 0, 1], forward[:, 1, 0], forward[:, 1, 1]
    inverse = np.empty_like(forward)
    with np.errstate(all="ignore"):
        scale = 1.0 / (a * d - b * c)
        inverse[:, 0, 0], inverse[:, 0, 1] = d * scale, -b * scale
        inverse[:, 1, 0], inverse[:, 1, 1] = -c * scale, a * scale
        inverse[:, :, 2] = -(inverse[:, :, :2] @ forward[:, :, 2:])[..., 0]
    inverse[~_all_finite(inverse)] = np.nan
    return inverse


def _all_finite(rows: Float32 | Float64) -> Bool:
    """Return (N,): whether all numbers of each of N two-dimensional entries are finite."""
    return np.asarray(np.isfinite(rows).all(axis=(1, 2)), dtype=np.bool_)


def as_68_points(points: NDArray[_Number]) -> NDArray[_Number]:
    """Return (..., 68, 2): landmarks (..., 98, 2) by those of the 68 that they stand for; others as they are."""
    return points[..., LANDMARKS_98_TO_68, :] if points.shape[-2] == 98 else points


def _as_landmarks(landmarks: ArrayLike) -> Float32:
    with np.errstate(over="ignore"):
        points = np.asarray(landmarks, dtype=np.float32)
    if points.ndim != 3 or points.shape[1] not in LANDMARK_COUNTS or points.shape[2] != 2:
        raise ValueError(f"landmarks must have the shape (N, 4 | 68 | 98, 2), not {points.shape}")
    return as_68_points(points)


def base_matrices(landmarks: ArrayLike) -> Float64:
    """Return (N, 2, 3): the matrix of each face from frame pixels to mean-face units.

    `landmarks` is (N, P, 2), P = 68, 98 (mapped to 68) or 4. Raises ValueError for another shape.
    """
    points = _as_landmarks(landmarks)
    return umeyama(points, UNIT_SQUARE_4) if points.shape[1] == 4 else umeyama(points[:, 17:], MEAN_FACE_51)


def normalised_landmarks(landmarks: ArrayLike, base: ArrayLike | None = None) -> Float32:
    """Return (N, 68 | 4, 2) float32: the landmarks in mean-face units.

    `base` saves computing `base_matrices(landmarks)` again.
    """
    points = _as_landmarks(landmarks)
    matrices = np.asarray(base_matrices(points) if base is None else base, dtype=np.float64)
    # OpenCV's own float32 rounding: the pose found by iteration, and with it the crop, is then faceswap's to the bit.
    moved = [cv2.transform(face[None], matrix)[0] for face, matrix in zip(points, matrices, strict=True)]
    return np.array(moved, dtype=np.float32).reshape(points.shape)


def poses(normalised: ArrayLike) -> Poses:
    """Return how heads are turned, from `normalised_landmarks`, (N, 68 | 4, 2).

    A perspective-n-point solution against the mean head. Four points say nothing about the pose: it is zero, as are
    the offsets. A face without a solution has NaN angles and offsets.
    """
    points = np.asarray(normalised, dtype=np.float32)
    count = len(points)
    angles = np.full((count, 3), np.nan)
    offsets = {centering: np.full((count, 2), np.nan, np.float32) for centering in _CENTRE_3D}
    finite = _all_finite(points)
    if points.shape[1] == 4:
        angles[finite] = 0.0
        for offset in offsets.values():
            offset[finite] = 0.0
    else:
        for face in np.flatnonzero(finite):
            solution = _solve_pose(points[face, POSE_LANDMARKS])
            if solution is not None:
                angles[face] = _euler_angles_deg(solution[0])
                for centering, centre in _CENTRE_3D.items():
                    offsets[centering][face] = cv2.projectPoints(centre, *solution, CAMERA, None)[0][0, 0] - 0.5
    legacy = np.where(finite[:, None], np.float32(0.0), np.float32(np.nan)).repeat(2, axis=1)
    return Poses(angles[:, 0], angles[:, 1], angles[:, 2], {"legacy": legacy, **offsets})


def _solve_pose(points: Float32) -> tuple[Float64, Float64] | None:
    try:
        solved, rotation, shift = cv2.solvePnP(
            MEAN_FACE_3D_26, points, CAMERA, np.zeros(4), flags=cv2.SOLVEPNP_ITERATIVE
        )
    except cv2.error:  # what OpenCV makes of points on one line depends on its build
        return None
    if not (solved and np.isfinite(rotation).all() and np.isfinite(shift).all()):
        return None
    return rotation.astype(np.float64), shift.astype(np.float64)


def _euler_angles_deg(rotation: Float64) -> Float64:
    turn = cv2.Rodrigues(rotation)[0]
    cosine = np.hypot(turn[2, 1], turn[2, 2])
    pitch, yaw, roll = (
        np.arctan2(turn[2, 1], turn[2, 2]),
        np.arctan2(-turn[2, 0], cosine),
        np.arctan2(turn[1, 0], turn[0, 0]),
    )
    return np.degrees(np.array([pitch, yaw, roll], dtype=np.float64))


def padding_px(size_px: int, padding_ratio: float) -> int:
    """Return how many pixels lie between the mean face's unit square and each edge of a crop of `size_px`."""
    return round(size_px * padding_ratio / 2)


def crop_matrices(base: ArrayLike, offsets: ArrayLike, size_px: int, padding_ratio: float) -> Float64:
    """Return (N, 2, 3): the matrices from frame pixels to the pixels of crops of `size_px` x `size_px`.

    `base` is (N, 2, 3), `offsets` (N, 2) or one (2,) in mean-face units.
    """
    padding = padding_px(size_px, padding_ratio)
    matrices = np.array(base, dtype=np.float64)
    matrices[:, :, 2] -= np.asarray(offsets)
    matrices *= size_px - 2 * padding
    matrices[:, :, 2] += padding
    return matrices


def chip_matrices(landmarks: ArrayLike) -> Float64:
    """Return (N, 2, 3): the matrices from frame pixels to chip pixels, from landmarks (N, P, 2)."""
    return crop_matrices(base_matrices(landmarks), np.zeros(2), CHIP_SIZE_PX, CHIP_PADDING_RATIO)


def warp_face(frame: Image, matrix: ArrayLike, size_px: int) -> Image:
    """Return the `size_px` x `size_px` crop that one (2, 3) matrix cuts from a frame; black beyond its border.

    Cubic where the face is enlarged, linear where it is shrunk. Raises ValueError for a matrix that is not finite.
    """
    crop = np.asarray(matrix, dtype=np.float64)
    if not np.isfinite(crop).all():
        raise ValueError("a face whose matrix is not finite cannot be cut out")
    enlarged = np.hypot(crop[0, 0], crop[1, 0]) + np.hypot(crop[0, 1], crop[1, 1]) >= 2.0
    # OpenCV would take INTER_AREA for linear here; linear says what is done.
    interpolation = cv2.INTER_CUBIC if enlarged else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(frame, crop, (size_px, size_px), flags=interpolation), dtype=np.uint8)


def regions_of_interest(matrices: ArrayLike, size_px: int) -> Int64:
    """Return (N, 4, 2): frame pixels of each crop's corners, from the top left one anticlockwise.

    Zeros where the matrix has no inverse.
    """
    last = size_px - 1
    corners = apply_affine(invert_affine(matrices), [[0, 0], [0, last], [last, last], [last, 0]])
    # A tiny matrix may put a corner beyond what an integer holds.
    bounded: Float64 = np.clip(np.nan_to_num(np.rint(corners), nan=0.0), -(2**53), 2**53)
    return bounded.astype(np.int64)


def face_sizes(matrices: ArrayLike, size_px: int) -> Float64:
    """Return (N,): the length in frame pixels of each crop's left edge, between its rounded corners; NaN if unknown."""
    crops = np.asarray(matrices, dtype=np.float64)
    corners = regions_of_interest(crops, size_px)
    sizes = np.hypot(*(corners[:, 0] - corners[:, 1]).astype(np.float64).T)
    return np.where(_all_finite(invert_affine(crops)), sizes, np.nan)


def minimum_size_px(size_px: int, percent: float) -> int:
    """Return the least `face_sizes` that extraction at `size_px` keeps, given faceswap's minimum size in percent."""
    return max(4, int(size_px * percent / 100)) if percent > 0 else 0


def landmark_distances(normalised: ArrayLike) -> Float64:
    """Return (N,): how far each face's landmarks are from the mean face's, in mean-face units; 0 for four points.

    The mean absolute difference over landmarks 17..67 of `normalised_landmarks`.
    """
    points = np.asarray(normalised, dtype=np.float64)
    if points.shape[1] == 4:
        return np.where(_all_finite(points), 0.0, np.nan)
    return np.asarray(np.abs(points[:, 17:] - MEAN_FACE_51).mean(axis=(1, 2)), dtype=np.float64)
