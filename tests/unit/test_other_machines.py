"""How far landmarks and embeddings may be from those that another machine makes of the same photos.

The bounds are the largest differences seen, rounded up, with features switched off as test_cpu_features.py does, and on
CPUs that say they have no AVX-512, nor AVX2 and FMA, nor AVX. Only the CPU's own answer makes a difference here: ONNX
Runtime then sums in another order. Given the same landmarks and pixels, embeddings move by 8.2e-7, of 38 faces. But
landmarks are looked for again where they were found first, at 1/32 px, so that the last digit may decide which pixels
are seen: they move by up to 0.052 px, and their embeddings by 0.0126; of 54 faces of the demo, by 0.024 px and 0.0122.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from faceset.crops.chips import CHIP_JPEG
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import CHIP_SIZE_PX, chip_matrices
from golden_data import Record
from real_models import identity_model, only_face, photo

FIRST = Path(__file__).parents[1] / "data" / "first_machine" / "photos.npz"
NAMES = ("biden.jpg", "obama.jpg", "obama2.jpg", "obama3.jpg", "obama_partial_face.jpg", "obama_partial_face2.jpg")

Floats = NDArray[np.float32]


def detected() -> Floats:
    """The landmarks, (6, 68, 2), of the photos' faces."""
    return np.stack([only_face(name).landmarks for name in NAMES])


def embedded(landmarks: Floats) -> Floats:
    """The embeddings, (6, 128), of the photos' faces by way of their chips."""
    matrices = chip_matrices(landmarks)
    chips = []
    for name, matrix in zip(NAMES, matrices, strict=True):
        jpeg = cv2.imencode(".jpg", smooth_warp(photo(name), matrix, CHIP_SIZE_PX), CHIP_JPEG)[1]
        chips.append(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8))
    return identity_model().embed(identity_model().inputs_from_chips(chips, matrices, landmarks))


@pytest.fixture(scope="module")
def first() -> dict[str, Floats]:
    with np.load(FIRST) as arrays:
        return dict(arrays)


def furthest(found: Floats, expected: Floats) -> float:
    """The largest distance between vectors."""
    return float(np.linalg.norm(found - expected, axis=1).max())


@pytest.mark.pixels
def test_the_same_landmarks_give_the_same_embedding_but_for_rounding(
    first: dict[str, Floats], record_property: Record
) -> None:
    apart = furthest(embedded(first["landmarks"]), first["embeddings"])
    record_property("embedding of the same landmarks", apart)
    assert apart <= 9e-7


@pytest.mark.pixels
def test_detected_landmarks_and_their_embeddings_are_near(first: dict[str, Floats], record_property: Record) -> None:
    landmarks = detected()
    moved_px = float(np.abs(landmarks - first["landmarks"]).max())
    apart = furthest(embedded(landmarks), first["embeddings"])
    record_property("px of a detected landmark", moved_px)
    record_property("embedding of a detected face", apart)
    assert moved_px <= 0.052
    assert apart <= 0.013


if __name__ == "__main__":
    np.savez(FIRST, landmarks=detected(), embeddings=embedded(detected()))
