"""Promises of boxes."""

import numpy as np
import pytest

from faceset.geometry.boxes import overlaps


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((0, 0, 10, 10), 1.0),
        ((5, 0, 10, 10), 50 / 150),
        ((10, 0, 10, 10), 0.0),
        ((50, 50, 10, 10), 0.0),
        ((2, 2, 5, 5), 0.25),
        ((3, 3, 0, 0), 0.0),
    ],
)
def test_overlap_is_intersection_over_union(box: tuple[int, int, int, int], share: float) -> None:
    np.testing.assert_allclose(overlaps([(0, 0, 10, 10), (900, 900, 1, 1)], [box]), [[share], [0]])


def test_equal_boxes_overlap_wholly_also_where_they_have_no_area() -> None:
    empty, other = (3, 3, 0, 0), (3, 4, 0, 0)
    assert overlaps([empty, other], [empty, other]).tolist() == [[1, 0], [0, 1]]


def test_no_boxes_overlap_nothing() -> None:
    assert overlaps([], [(0, 0, 1, 1)]).shape == (0, 1)
    assert overlaps([(0, 0, 1, 1)], []).shape == (1, 0)
