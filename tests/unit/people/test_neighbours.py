"""Promises of the search for neighbours."""

import faiss
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from faceset.people import neighbours
from faceset.people.neighbours import gaps_between, nearest


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
    assert np.mean(hits) / 8 > 0.93
    np.testing.assert_array_equal(nearest(vectors, vectors, 8)[0], found)


def test_cells_round_distances_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = np.random.default_rng(0).normal(0, 1000, (6000, 64)).astype(np.float32)
    queries = vectors[:500] * 2  # whose largest number is beyond that of the vectors
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    places, gaps = nearest(queries, vectors, 20)
    exact = np.square(queries[:, None] - vectors[places]).sum(axis=2)
    wrong = np.abs(gaps / exact - 1)
    assert np.median(wrong) < 0.01
    assert np.quantile(wrong, 0.99) < neighbours.ROUNDING - 1


def test_cells_bear_vectors_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    places, gaps = nearest(*[np.zeros((100, 8), np.float32)] * 2, 3)
    assert (places != neighbours.NOBODY).all()
    assert not gaps.any()


def test_cells_find_the_same_with_one_thread_and_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    vectors, threads = people(6000), faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(1)
        one_places, one_gaps = nearest(vectors, vectors, 8)
        faiss.omp_set_num_threads(2)
        two_places, two_gaps = nearest(vectors, vectors, 8)
    finally:
        faiss.omp_set_num_threads(threads)
    np.testing.assert_array_equal(one_places, two_places)
    np.testing.assert_array_equal(one_gaps, two_gaps)


def test_queries_other_than_the_vectors_are_looked_up_in_cells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = people(6000)
    exact, _ = nearest(vectors[:300], vectors, 1)
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    found, _ = nearest(vectors[:300], vectors, 1)
    assert np.mean(found == exact) > 0.99


@pytest.mark.parametrize("count", [0, 5, neighbours.PAIRS_WORTH_THREADS + 1])
def test_gaps_between_named_vectors_are_squared_distances(count: int) -> None:
    vectors = people(200)
    one, other = np.random.default_rng(1).integers(0, 200, (2, count))
    expected = np.square(vectors[one] - vectors[other]).sum(axis=1)
    np.testing.assert_allclose(gaps_between(vectors, one, other), expected, rtol=1e-5)
