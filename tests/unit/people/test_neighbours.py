"""Promises of the search for neighbours."""

import faiss
import numpy as np
import pytest
from scipy.spatial.distance import cdist

from faceset.people import neighbours
from faceset.people.neighbours import nearest, squared_distances_between


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


@pytest.mark.parametrize(("width", "exact_pairs"), [(64, 0), (256, 0), (256, neighbours.EXACT_PAIRS), (64, 10**9)])
def test_distances_are_exact_and_ascend_however_candidates_are_found(
    monkeypatch: pytest.MonkeyPatch, width: int, exact_pairs: int
) -> None:
    vectors = np.random.default_rng(0).normal(0, 1000, (neighbours.SAMPLES + 1, width)).astype(np.float32)
    queries = vectors * 2  # whose largest number is beyond that of the vectors
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", exact_pairs)
    places, squared = nearest(queries, vectors, 20)
    exact = np.array([np.square(queries[row].astype(float) - vectors[places[row]]).sum(axis=1) for row in range(500)])
    np.testing.assert_allclose(squared[:500], exact, rtol=1e-6)
    assert (np.diff(squared, axis=1) >= 0).all()


@pytest.mark.parametrize("exact_pairs", [0, neighbours.EXACT_PAIRS])
def test_of_equally_near_ones_the_first_comes_first(monkeypatch: pytest.MonkeyPatch, exact_pairs: int) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", exact_pairs)
    vectors = np.tile(people(400), (3, 1))  # everybody has two twins
    places, squared = nearest(vectors, vectors, 3)
    np.testing.assert_array_equal(places, np.arange(1200)[:, None] % 400 + [0, 400, 800])
    assert not squared.any()


def test_where_cells_hold_fewer_than_asked_for_nobody_is_infinitely_far(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = people(6000)
    for name in ("EXACT_PAIRS", "VECTORS_PROBED", "VECTORS_PROBED_A_CANDIDATE"):
        monkeypatch.setattr(neighbours, name, 0)
    places, squared = nearest(vectors, vectors, 100)
    missing = places == neighbours.NOBODY
    assert missing.any()
    np.testing.assert_array_equal(np.isinf(squared), missing)
    np.testing.assert_array_equal(np.sort(missing, axis=1), missing)
    assert (places[:, 0] == np.arange(6000)).all()


def test_cells_bear_vectors_of_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    places, squared = nearest(*[np.zeros((100, 8), np.float32)] * 2, 3)
    assert (places != neighbours.NOBODY).all()
    assert not squared.any()


def test_cells_find_the_same_with_one_thread_and_with_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    vectors, threads = people(6000), faiss.omp_get_max_threads()
    try:
        faiss.omp_set_num_threads(1)
        one_places, one_squared = nearest(vectors, vectors, 8)
        faiss.omp_set_num_threads(2)
        two_places, two_squared = nearest(vectors, vectors, 8)
    finally:
        faiss.omp_set_num_threads(threads)
    np.testing.assert_array_equal(one_places, two_places)
    np.testing.assert_array_equal(one_squared, two_squared)


def test_queries_other_than_the_vectors_are_looked_up_in_cells_too(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = people(6000)
    exact, _ = nearest(vectors[:300], vectors, 1)
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 0)
    found, _ = nearest(vectors[:300], vectors, 1)
    assert np.mean(found == exact) > 0.99


@pytest.mark.parametrize("count", [0, 5, neighbours.PAIRS_WORTH_THREADS + 1])
def test_squared_distances_between_named_vectors_are_those_of_their_differences(count: int) -> None:
    vectors = people(200)
    one, other = np.random.default_rng(1).integers(0, 200, (2, count))
    expected = np.square(vectors[one] - vectors[other]).sum(axis=1)
    np.testing.assert_allclose(squared_distances_between(vectors, one, other), expected, rtol=1e-5)
