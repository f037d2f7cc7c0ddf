"""Promises of grouping tracks into people."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceset.models.embeddings import distances
from faceset.people.grouping import group_tracks, simultaneous_tracks
from faceset.people.linkage import join_near
from faceset.people.partition import Groups

THRESHOLD = 0.6
NOTHING = np.empty((0, 2), np.int64)


def partition(labels: NDArray[np.int64]) -> set[frozenset[int]]:
    """Which items are together, whatever the labels are called."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def by_the_book(apart: NDArray[np.float64], cannot_link: set[tuple[int, int]]) -> set[frozenset[int]]:
    """Average linkage of squares as defined: join the two nearest groups until none are near enough."""
    groups = [frozenset({item}) for item in range(len(apart))]
    while True:
        joins = [
            (float(np.mean([apart[one, two] ** 2 for one in a for two in b])), a, b)
            for place, a in enumerate(groups)
            for b in groups[:place]
            if not any((min(one, two), max(one, two)) in cannot_link for one in a for two in b)
        ]
        near = [join for join in joins if join[0] <= THRESHOLD**2]
        if not near:
            return set(groups)
        _, a, b = min(near, key=lambda join: join[0])
        groups = [group for group in groups if group not in (a, b)] + [a | b]


def cloud(seed: int, count: int) -> NDArray[np.float64]:
    """Vectors of a few people, near enough to each other that some pairs are in doubt."""
    random = np.random.default_rng(seed)
    people = random.normal(0, 0.4, (3, 4))
    return np.asarray(people[random.integers(0, 3, count)] + random.normal(0, 0.2, (count, 4)))


some_pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1]))


@settings(deadline=None)
@given(st.integers(0, 10**6), some_pairs)
def test_linkage_of_a_few_is_average_linkage_by_the_book(seed: int, pairs: list[tuple[int, int]]) -> None:
    vectors = cloud(seed, 12)
    cannot = np.array(sorted(set(pairs)), np.int64).reshape(-1, 2)
    groups = Groups(vectors.astype(np.float32), cannot)
    join_near(groups, THRESHOLD**2)
    assert partition(groups.labels()) == by_the_book(distances(vectors, vectors, "euclidean"), set(pairs))


@settings(deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 60), st.integers(0, 200))
def test_two_tracks_that_cannot_link_never_do(seed: int, count: int, pairs: int) -> None:
    random = np.random.default_rng(seed)
    cannot = random.integers(0, count, (pairs, 2))
    cannot = cannot[cannot[:, 0] != cannot[:, 1]]
    labels = group_tracks(cloud(seed, count), cannot, "euclidean", THRESHOLD).labels
    assert not (labels[cannot[:, 0]] == labels[cannot[:, 1]]).any()


@settings(deadline=None)
@given(st.integers(0, 10**6), some_pairs, st.permutations(range(12)))
def test_the_order_of_tracks_does_not_change_groups(seed: int, pairs: list[tuple[int, int]], order: list[int]) -> None:
    vectors = cloud(seed, 12)
    place = np.argsort(order)
    cannot = np.array(pairs, np.int64).reshape(-1, 2)
    plain = group_tracks(vectors, cannot, "euclidean", THRESHOLD).labels
    shuffled = group_tracks(vectors[order], place[cannot].reshape(-1, 2), "euclidean", THRESHOLD).labels
    assert partition(plain) == partition(shuffled[place])


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_the_order_keeps_every_group_together(seed: int) -> None:
    found = group_tracks(cloud(seed, 12), NOTHING, "euclidean", THRESHOLD)
    assert sorted(found.order) == list(range(12))
    changes = np.count_nonzero(np.diff(found.labels[np.argsort(found.order)]))
    assert changes == len(np.unique(found.labels)) - 1


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_are_grouped_too(count: int) -> None:
    found = group_tracks(np.zeros((count, 4)), NOTHING, "cosine", THRESHOLD)
    assert len(found.labels) == len(found.order) == count


def test_all_faces_of_a_crowd_in_one_frame_stay_apart() -> None:
    cannot = simultaneous_tracks(pd.Series(["a"] * 6), np.arange(6))
    assert len(cannot) == 15
    assert len(partition(group_tracks(np.zeros((6, 4)), cannot, "euclidean", THRESHOLD).labels)) == 6


def test_tracks_of_one_frame_are_simultaneous_and_each_pair_is_told_once() -> None:
    frames = pd.Series(["a", "a", "b", "b", "c", "d", "d", "d"])
    tracks = np.array([3, 1, 1, 3, 0, 2, 0, 1])
    assert sorted(simultaneous_tracks(frames, tracks).tolist()) == [[0, 1], [0, 2], [1, 2], [1, 3]]


def strangers(count: int) -> NDArray[np.float64]:
    """Vectors one threshold and a half from each other."""
    return np.asarray(np.eye(8)[:count] * 1.5 * THRESHOLD / np.sqrt(2))


def off(share: float) -> NDArray[np.float64]:
    """A vector this share of the threshold away from all strangers."""
    return np.asarray(np.eye(8)[7] * share * THRESHOLD)


def test_a_poor_face_joins_the_one_person_that_stands_out() -> None:
    person = strangers(5)
    vectors = np.concatenate([np.repeat(person, 6, axis=0), person[:1] + off(0.95)])
    labels = group_tracks(vectors, NOTHING, "euclidean", THRESHOLD).labels
    assert labels[-1] == labels[0]
    assert len(set(labels)) == 5


def test_a_face_like_several_people_joins_nobody() -> None:
    person = strangers(5)
    between = person[:3].mean(axis=0) + off(0.5)
    labels = group_tracks(np.concatenate([np.repeat(person, 6, axis=0), [between]]), NOTHING, "euclidean", THRESHOLD)
    assert np.count_nonzero(labels.labels == labels.labels[-1]) == 1


def test_a_face_well_beyond_the_threshold_joins_nobody() -> None:
    person = strangers(5) * 3
    far = person[:1] + off(1.2)
    labels = group_tracks(np.concatenate([np.repeat(person, 6, axis=0), far]), NOTHING, "euclidean", THRESHOLD).labels
    assert np.count_nonzero(labels == labels[-1]) == 1


def test_two_poor_faces_of_one_frame_do_not_join_one_person() -> None:
    person = strangers(5)
    poor = person[[0, 0]] + [off(0.95), off(-0.95)]
    vectors = np.concatenate([np.repeat(person, 6, axis=0), poor])
    labels = group_tracks(vectors, np.array([[30, 31]]), "euclidean", THRESHOLD).labels
    assert sorted([labels[30] == labels[0], labels[31] == labels[0]]) == [False, True]


def test_the_best_parting_of_two_people_taken_for_one_tells_them_apart() -> None:
    random = np.random.default_rng(0)
    people = np.repeat([[0.0] * 8, [0.8 * THRESHOLD, *[0.0] * 7]], 10, axis=0)
    found = group_tracks(people + random.normal(0, 0.01, people.shape), NOTHING, "euclidean", THRESHOLD)
    assert len(set(found.labels)) == 1
    assert found.split_share[0] > 0.95
    assert len(set(found.in_part[:10])) == len(set(found.in_part[10:])) == 1
    assert found.in_part[0] != found.in_part[10]
