"""The files that faceswap made (see tests/data/golden/README.md), figures read from them, and how near to them we come.

What a CPU has decides how some libraries compute. The bounds of tests against these files are the largest differences
from faceswap's figures that were seen, rounded up, with features switched off as test_cpu_features.py does, and on
CPUs that say they have no AVX-512, nor AVX2 and FMA, nor AVX. Then and there,

- decoding, warps by the same matrix, digests, regions of interest and Ward give the same bytes, which tests demand;
- matrices from landmarks alone differ by rounding of float64;
- `cv2.solvePnP` differs without AVX2: poses by 1e-4 degrees, and all that is cut or measured by them;
- `cv2.resize` differs without AVX-512, and more without IPP: by one level in up to 2.8 % of a face's enlarged pixels.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from faceset.geometry import transforms as geometry
from faceset.training.pixels import pixel_digest

# pytest's `record_property`: test_cpu_features.py shows what it was given.
Record = Callable[[str, object], None]

# Both measured without IPP, where resizing moves up to 2.8 % of the pixels by a level: 8.81e-4 and 3.81e-3.
BLUR_MOVES = 9e-4
BLUR_FFT_MOVES = 3.9e-3
# Measured without AVX2, where a head's matrix at 256 px moves by 9.4e-5 px: of these pictures of noise and edges,
# 721 of 6,291,456 values by up to 5 levels.
CUT_MOVES_LEVELS = 5
CUT_MOVES_SHARE = 1.2e-4
# A matrix this near to faceswap's is the same but for rounding: it cuts the very same pixels.
SAME_MATRIX_PX = 1e-9

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
PHOTOS = GOLDEN / "photos" / "src"


@functools.cache
def photo_figures() -> dict[str, dict[str, Any]]:
    """Figures of the 32 faces of the photos, by picture name."""
    figures: dict[str, dict[str, Any]] = json.loads((GOLDEN / "figures.json").read_text())["faces"]
    return figures


@functools.cache
def odd_figures() -> list[dict[str, Any]]:
    """Figures of turned, tiny and huge faces with 68, 98 and 4 landmarks."""
    figures: list[dict[str, Any]] = json.loads((GOLDEN / "figures_odd.json").read_text())
    return figures


@functools.cache
def photo_pictures() -> dict[str, dict[str, str]]:
    """Digests of pixels and header of the pictures extracted from the photos at 256 px."""
    pictures: dict[str, dict[str, str]] = json.loads((GOLDEN / "photos" / "faces_256.json").read_text())
    return pictures


@functools.cache
def sorted_photo_pictures(by: str) -> list[str]:
    """The names of those pictures in the order of faceswap's Sort tool, sorted by `yaw`, `blur-fft` …"""
    orders = json.loads((GOLDEN / "orders.json").read_text())["by_default_threshold_or_5_bins"]
    order: list[str] = orders[f"sort:{by}"]["order"]
    return order


@functools.cache
def photo_frame(picture: str) -> NDArray[np.uint8]:
    """The photo, BGR, that a picture `frame_000001_0.png` was extracted from."""
    frame = cv2.imread(str(PHOTOS / "frames" / f"{picture.rsplit('_', 1)[0]}.jpg"))
    return np.asarray(frame, np.uint8)


@functools.cache
def photo_pixels() -> NDArray[np.uint8]:
    """The pixels of all those pictures, (32, 256, 256, 3): cut by faceswap's own matrices, of faceswap's digests."""
    matrices = column("crop_matrix", "head_256")
    pixels = [
        geometry.warp_face(photo_frame(name), matrix, 256)
        for name, matrix in zip(photo_figures(), matrices, strict=True)
    ]
    digests = {name: pixel_digest(picture) for name, picture in zip(photo_figures(), pixels, strict=True)}
    assert digests == {name: picture["pixels"] for name, picture in photo_pictures().items()}
    return np.stack(pixels)


def column(*keys: str) -> np.ndarray:
    """One figure of all photo faces, as an array with faces first."""
    return np.array([functools.reduce(lambda value, key: value[key], keys, face) for face in photo_figures().values()])


def value_digest(value: Any) -> str:
    """SHA-256 of a value made of plain containers, whatever the order of its keys."""
    return hashlib.sha256(repr(_sorted(value)).encode()).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def assert_near(found: ArrayLike, expected: ArrayLike, most: float, what: str, record: Record) -> None:
    """Assert that two arrays differ by `most` at most, NaN being where NaN is, and record by how much they do."""
    np.testing.assert_allclose(found, expected, atol=most, rtol=0)
    apart = np.abs(np.asarray(found, np.float64) - np.asarray(expected, np.float64))
    record(what, float(np.nanmax(apart)))


def assert_cut_as_faceswap(pictures: Sequence[NDArray[np.uint8]], record: Record) -> None:
    """Assert that `pictures`, of all photo faces, are faceswap's: to the byte where our matrix is.

    Elsewhere as near as the matrix that the CPU computes allows.
    """
    landmarks = column("landmarks_xy").astype(np.float32)
    base = geometry.base_matrices(landmarks)
    offsets = geometry.poses(geometry.normalised_landmarks(landmarks, base)).offsets["head"]
    apart = np.abs(geometry.crop_matrices(base, offsets, 256, 0.625) - column("crop_matrix", "head_256"))
    same = apart.max(axis=(1, 2)) < SAME_MATRIX_PX
    levels = np.abs(np.stack(pictures).astype(np.int16) - photo_pixels())
    record("levels of a cut", int(levels.max()))
    assert not levels[same].any()
    assert levels.max() <= CUT_MOVES_LEVELS
    assert np.count_nonzero(levels) <= CUT_MOVES_SHARE * levels.size
