"""Work on several cores at once, its results in the order of its beginning."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")


def in_order(tasks: Iterable[Callable[[], Result]], threads: int) -> Iterator[Result]:
    """Yield what each task returns, in the order of `tasks`, working on as many at once as there are `threads`.

    Tasks are taken one by one by the caller's thread, and only a few ahead of what was yielded, so memory does not grow
    with their number. What one raises is passed on in its turn. Of use where tasks spend their time outside of Python.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for task in tasks:
            waiting.append(pool.submit(task))
            if len(waiting) > 2 * threads:  # so that none is idle while the caller is at something else
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
