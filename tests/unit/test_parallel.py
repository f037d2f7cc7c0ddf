"""Promises of working on several cores."""

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from faceset.parallel import in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(threads: int) -> None:
    assert list(in_order((partial(pow, number, 2) for number in range(50)), threads)) == [n**2 for n in range(50)]


def test_as_many_tasks_run_at_once_as_there_are_threads() -> None:
    meeting = threading.Barrier(3, timeout=10)  # broken, were they run one after the other
    assert sorted(in_order([meeting.wait] * 6, 3)) == [0, 0, 1, 1, 2, 2]


def test_few_tasks_are_taken_ahead_of_what_was_yielded() -> None:
    taken = []

    def tasks() -> Iterator[Callable[[], int]]:
        for number in range(1000):
            taken.append(number)
            yield partial(abs, number)

    for result in in_order(tasks(), 2):
        assert len(taken) <= result + 6


def test_what_a_task_raises_is_passed_on_in_its_turn() -> None:
    results = in_order((partial(divmod, 1, number) for number in (1, 2, 0, 4)), 2)
    assert [next(results), next(results)] == [(1, 0), (0, 1)]
    with pytest.raises(ZeroDivisionError):
        next(results)
