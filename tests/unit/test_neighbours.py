"""Promises of the search for neighbours."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from faceset import neighbours
from faceset.neighbours import nearest


def people(count: int) -> np.ndarray:
    """Vectors of a hundred people."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(100, 16))
    return np.asarray(centres[random.integers(0, 100, count)] + random.normal(0, 0.2, (count, 16)), np.float32)


def test_the_nearest_are_found_nearest_first() -> None:
    vectors = people(500)
    expected = np.argsort(cdist(vectors[:40], vectors), axis=1)[:, :5]
    np.testing.assert_array_equal(nearest(vectors[:40], vectors, 5)[0], expected)


def test_cells_miss_few_and_find_the_same_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = people(6000)
    exact, _ = nearest(vectors, vectors, 8)
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    found, _ = nearest(vectors, vectors, 8)
    hits = [len(set(a) & set(b)) for a, b in zip(exact.tolist(), found.tolist(), strict=True)]
    assert np.mean(hits) / 8 > 0.98
    np.testing.assert_array_equal(nearest(vectors, vectors, 8)[0], found)
