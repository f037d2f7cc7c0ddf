"""Long work in parts of so many frames, each remembered by itself: a crash or an edit costs a part.

Jobs of their own, the shards, may make shares of the parts beforehand. They change no result's bytes.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FRAMES_A_PART: Final = 10_000

Outputs = Mapping[str, Path]


Part = TypeVar("Part")


@dataclass(frozen=True)
class Shard:
    """A share of a step's parts, `number` of `count`, from 1; or all of them."""

    number: int
    count: int

    @classmethod
    def named(cls, name: str) -> "Shard":
        """The shard of a name as `str` gives it, like 2-of-7."""
        number, _, count = name.partition("-of-")
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}-of-{self.count}"

    def undivided(self, parts: Sequence[Part]) -> bool:
        """Whether to work as if there were no parts: the job that wants the whole does, where there is a single one."""
        return self.count == 1 and len(parts) < 2

    def of(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Its share. Work of a single part is left to the job that wants the whole."""
        if self.count > 1 and len(parts) < 2:
            return []
        return parts[(self.number - 1) * len(parts) // self.count : self.number * len(parts) // self.count]


WHOLE: Final = Shard(1, 1)


class Parts(Protocol):
    """What was made of parts of a step's work, of which `shard` are to be made."""

    shard: Shard

    def find(self, digest: str) -> Outputs | None:
        """The outputs of the part that `digest` tells from all others of this step, if it was made before."""

    def make(self, digest: str, work: Callable[[Outputs], str]) -> Outputs:
        """Have `work` write the outputs of a part, and remember them. It returns what models ran on."""


def parts_of(positions: NDArray[np.int32]) -> list[slice]:
    """Where each part begins and ends among rows whose frames' positions, (N,), ascend; the same whoever asks."""
    starts = np.flatnonzero(np.diff(positions // FRAMES_A_PART, prepend=-1)).tolist()
    return [slice(*ends) for ends in pairwise([*starts, len(positions)])]


def rows_digest(*tables: pa.Table) -> str:
    """SHA-256 over the values of some tables."""
    digest = hashlib.sha256()
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as stream:
            # Taken, not sliced: what is left out of a slice would be in its bytes.
            stream.write_table(table.take(np.arange(len(table))).combine_chunks())
        digest.update(sink.getvalue())
    return digest.hexdigest()
