import numpy as np
import pytest

from faceset.geometry.smooth_warp import smooth_warp


def scaling(factor: float) -> np.ndarray:
    """Shrinks so that the picture's edges stay at the square's edges, in pixels counted by their centres."""
    return np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2]])


def test_the_identity_changes_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    assert np.array_equal(smooth_warp(image, np.eye(2, 3), 20), image)


@pytest.mark.parametrize("factor", [1 / 2, 1 / 3, 0.7])
def test_stripes_too_fine_for_the_result_become_greyish(factor: float) -> None:
    image = np.zeros((120, 120, 3), np.uint8)
    image[:, ::2] = 200
    inner = smooth_warp(image, scaling(factor), int(120 * factor))[10:-10, 10:-10].astype(float)
    assert inner.mean() == pytest.approx(100, abs=3)
    assert inner.std() < 40  # taking every other or third pixel as it is would make it 100


def test_shrinking_moves_nothing() -> None:
    ramp = np.repeat(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], 120, axis=0).repeat(3, axis=2)
    found = smooth_warp(ramp, scaling(1 / 4), 30)[15, 3:-3, 0].astype(float)
    expected = ramp[0, :, 0].reshape(30, 4).mean(axis=1)[3:-3]
    assert np.abs(found - expected).max() <= 1


def test_beyond_the_border_is_black() -> None:
    image = np.full((10, 10, 3), 255, np.uint8)
    square = smooth_warp(image, np.array([[1.0, 0, 20], [0, 1, 20]]), 32)
    assert square[:18].max() == 0
    assert square[25, 25].min() == 255
