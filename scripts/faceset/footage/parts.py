"""Long work in parts of so many frames, each remembered by itself: a crash or an edit costs a part."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

FRAMES_A_PART: Final = 10_000

Outputs = Mapping[str, Path]


Part = TypeVar("Part")


class Parts(Protocol):
    """What was made of parts of some work, and who is to make which of them."""

    def is_whole(self, parts: Sequence[Part]) -> bool:
        """Whether to work as if there were no parts."""

    def share(self, parts: Sequence[Part]) -> Sequence[Part]:
        """Those of the parts that are wanted."""

    def find(self, digest: str) -> Outputs | None:
        """The outputs of the part that `digest` tells from all others of this work, if it was made before."""

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
