"""Promises of BCubed."""

import pytest
from benchmarks.bcubed import bcubed


def test_the_figures_are_those_counted_by_hand() -> None:
    found = bcubed(["a", "a", "a", "b", "b"], [1, 1, 2, 2, 2])
    assert found.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.recall == pytest.approx((1 + 1 + 1 / 3 + 2 / 3 + 2 / 3) / 5)
    assert found.f == pytest.approx(2 * found.precision * found.recall / (found.precision + found.recall))


def test_names_of_groups_do_not_matter() -> None:
    assert bcubed([7, 7, 3], ["x", "x", "y"]) == (1, 1, 1)
