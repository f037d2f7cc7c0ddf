"""Progress of anything that takes longer than a few seconds, on the terminal and in the job's log."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Generic, TypeVar

Item = TypeVar("Item")
EVERY_SECONDS = 5.0


class Progress(Generic[Item]):
    """Hand items on, and say every few seconds how many there were: one plain line each, so that logs stay readable."""

    def __init__(self, items: Iterable[Item], what: str, total: int | None = None) -> None:
        self._items = items
        self._what = what
        self._total = total if total is not None else len(items) if isinstance(items, Sized) else None

    def __iter__(self) -> Iterator[Item]:
        begun = said = time.monotonic()
        for count, item in enumerate(self._items, 1):
            yield item
            now = time.monotonic()
            if now - said >= EVERY_SECONDS:
                said = now
                rate = count / (now - begun)
                print(f"  {self._what}: {self._share(count)}, {rate:.0f} a second", file=sys.stderr, flush=True)

    def _share(self, count: int) -> str:
        return f"{count:,} of {self._total:,} ({100 * count // self._total} %)" if self._total else f"{count:,}"
