"""Promises of the lists of doubtful clusters."""

import numpy as np
import pytest
from numpy.typing import NDArray

from faceset.people.candidates import LEAST_FACES_OF_A_PART, merge_candidates, split_candidates


def at(*values: float) -> NDArray[np.float64]:
    return np.array([*values, 0, 0, 0, 0][:4], np.float64)


def test_clusters_that_may_be_one_person_are_paired_nearest_first() -> None:
    centres = np.array([at(0), at(0.7), at(5), at(5.4), at(9)])
    sizes = np.array([2, 9, 4, 4, 1])
    none = np.empty((0, 2), np.int64)
    found = merge_candidates(centres, none, sizes, "euclidean", 0.75)
    assert [(pair.larger, pair.smaller) for pair in found] == [(2, 3), (1, 0)]
    assert [pair.distance for pair in found] == pytest.approx([0.4, 0.7])


def test_clusters_seen_in_one_frame_are_never_paired() -> None:
    centres = np.array([at(0), at(0.1)])
    apart = np.array([[0, 1]])
    assert merge_candidates(centres, apart, np.array([1, 1]), "euclidean", 0.75) == []


def test_the_likeliest_to_be_two_people_come_first_and_small_parts_do_not_count() -> None:
    least = LEAST_FACES_OF_A_PART
    groups = np.repeat([0, 1, 2, 3], 3 * least)
    in_part = np.tile(np.arange(3 * least) < least, 4)
    in_part[groups == 2] = np.arange(3 * least) < least - 1
    shares = np.array([0.5, 0.8, 0.9, 0.1])
    vectors = np.where(in_part[:, None], at(1), at(0))
    found = split_candidates(vectors, groups, in_part, shares, "euclidean", threshold=0.6)
    assert [(split.group, split.faces) for split in found] == [(1, least), (0, least)]
    assert all(in_part[split.row] for split in found)
    assert [split.distance for split in found] == pytest.approx([1, 1])


def test_a_person_who_looks_a_little_different_in_two_films_is_no_doubt() -> None:
    groups, in_part = np.zeros(20, np.int64), np.arange(20) < 10
    vectors = np.where(in_part[:, None], at(0.2), at(0))
    assert split_candidates(vectors, groups, in_part, np.array([0.9]), "euclidean", threshold=0.6) == []
