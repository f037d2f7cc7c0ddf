"""Promises of average linkage."""

from collections.abc import Iterator

import numpy as np
import pytest
from benchmarks.bcubed import bcubed
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

from faceset.people import linkage
from faceset.people.linkage import NEIGHBOURS, join_near
from faceset.people.partition import Groups

LIMIT = 0.36


@pytest.fixture(autouse=True, scope="module", params=[10, linkage.PAIRS_A_LEVEL], ids=["many levels", "one level"])
def pairs_a_level(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linkage, "PAIRS_A_LEVEL", request.param)
        yield


def faces(count: int, people: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Vectors of people some of whom are alike, and pairs that share a frame."""
    random = np.random.default_rng(seed)
    person = (people * random.random(count) ** 2).astype(int)
    vectors = random.normal(0, 0.2, (people, 12))[person] + random.normal(0, 0.09, (count, 12))
    return vectors.astype(np.float32), random.permutation(count)[: count // 2 * 2].reshape(-1, 2)


def joined(vectors: NDArray[np.float32], cannot_link: NDArray[np.int64]) -> Groups:
    """All joins up to the limit."""
    groups = Groups(vectors, cannot_link)
    join_near(groups, LIMIT)
    return groups


def by_scipy(vectors: NDArray[np.float32], cannot_link: NDArray[np.int64]) -> NDArray[np.int64]:
    """Average linkage over all pairs, those that cannot link too far apart to count."""
    count = len(vectors)
    apart = pdist(vectors.astype(float), "sqeuclidean")
    one, other = cannot_link.min(axis=1), cannot_link.max(axis=1)
    apart[count * one - one * (one + 1) // 2 + other - one - 1] = 1e9
    return np.asarray(hierarchy.fcluster(hierarchy.linkage(apart, "average"), LIMIT, "distance"))


@pytest.mark.parametrize(("count", "people"), [(300, 5), (1500, 40), (1500, 500)])
def test_it_is_nearly_average_linkage_of_all_pairs(count: int, people: int) -> None:
    vectors, cannot_link = faces(count, people)
    assert bcubed(joined(vectors, cannot_link).labels(), by_scipy(vectors, cannot_link)).f > 0.97


@given(st.integers(0, 10**6), st.integers(0, 200))
@settings(max_examples=30, deadline=None)
def test_no_two_that_cannot_link_are_ever_together(seed: int, pairs: int) -> None:
    random = np.random.default_rng(seed)
    vectors = random.normal(0, 0.1, (120, 6)).astype(np.float32).round(1)
    cannot = random.integers(0, 120, (pairs, 2))
    cannot = cannot[cannot[:, 0] != cannot[:, 1]]
    labels = joined(vectors, cannot).labels()
    assert not (labels[cannot[:, 0]] == labels[cannot[:, 1]]).any()


def test_the_order_of_items_does_not_change_groups() -> None:
    vectors, cannot_link = faces(2000, 100)
    order = np.random.default_rng(1).permutation(2000)
    place = np.argsort(order)
    shuffled = joined(vectors[order], place[cannot_link]).labels()[place]
    assert bcubed(shuffled, joined(vectors, cannot_link).labels()).f == 1


def test_more_twins_than_a_list_holds_are_one_group() -> None:
    count = 20 * NEIGHBOURS
    nothing = np.empty((0, 2), np.int64)
    assert len(set(joined(np.zeros((count, 4), np.float32), nothing).labels())) == 1


def test_all_equally_far_are_one_group_if_that_is_the_limit() -> None:
    groups = Groups(np.eye(16, dtype=np.float32) / 2, np.empty((0, 2), np.int64))
    join_near(groups, 0.5)
    assert len(set(groups.labels())) == 1


def test_more_neighbours_that_cannot_link_than_a_list_holds_do_not_hide_the_right_one() -> None:
    crowd = 3 * NEIGHBOURS
    vectors = np.zeros((crowd + 1, 4), np.float32)
    vectors[-1, 0] = 0.5
    vectors[:crowd, 1] = np.linspace(0, 0.01, crowd)
    everybody = np.array([(a, b) for b in range(crowd) for a in range(b)])
    labels = joined(vectors, everybody).labels()
    assert len(set(labels)) == crowd
    assert np.count_nonzero(labels == labels[-1]) == 2


def test_the_order_keeps_groups_together_and_likes_side_by_side() -> None:
    vectors, cannot_link = faces(1000, 30)
    groups = joined(vectors, cannot_link)
    labels = groups.labels()
    groups.forget_cannot_link()
    join_near(groups, np.inf)
    order = groups.order()
    assert sorted(order) == list(range(1000))
    shown = np.argsort(order)
    assert np.count_nonzero(np.diff(labels[shown])) == len(set(labels)) - 1
    between = np.linalg.norm(np.diff(vectors[shown], axis=0), axis=1).mean()
    assert between < 0.6 * np.linalg.norm(np.diff(vectors, axis=0), axis=1).mean()
