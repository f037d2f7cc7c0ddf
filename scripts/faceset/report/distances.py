"""How near faces are to their own person and to the next one, and what another `cluster.strictness` would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc

from faceset.arrays import Int64
from faceset.people.tables import CLUSTERS, STRICTNESS_CHANGES
from faceset.tables.parquet import read_table

BINS_TO_THE_LIMIT = 20
MOST_BINS = 3 * BINS_TO_THE_LIMIT
HEIGHT = 120
BIN_WIDTH = 14
STRICTNESS_STEP = 0.1
CHANGES_NAMED = 8


@dataclass(frozen=True)
class Histogram:
    """The distances of all faces as SVG paths, one for those to their own person and one for those to the next.

    `width` and `limit_x` are in units of the picture, HEIGHT high; `end` is the distance at its right edge. The other
    numbers are counts of faces, `beyond` the limit from their own person and `within` it of the next.
    """

    own: str
    next: str
    width: int
    limit_x: int
    end: float
    faces: int
    beyond: int
    within: int


@dataclass(frozen=True)
class StrictnessChange:
    """What the next setting of `strictness` would probably change.

    `changes` are the first of the `count` people concerned: by rank, the one that another would join and that other,
    or one that would come apart and None.
    """

    kind: str
    strictness: float
    count: int
    changes: tuple[tuple[int, int | None], ...]


def histogram(clusters: Path, limit: float) -> Histogram | None:
    """The distances in a `clusters` table, in bins of a twentieth of `limit`; None if there are no faces."""
    table = read_table(clusters, CLUSTERS, ["distance", "next_distance"])
    own, following = (table[name].drop_null().to_numpy() for name in ("distance", "next_distance"))
    if not len(own):
        return None
    largest = max(column.max() for column in (own, following) if len(column))
    bins = int(np.clip(np.ceil(largest / limit * BINS_TO_THE_LIMIT), BINS_TO_THE_LIMIT + 2, MOST_BINS))
    end = limit * bins / BINS_TO_THE_LIMIT
    counts = [np.histogram(np.minimum(column, end), bins, (0, end))[0] for column in (own, following)]
    tallest = max(int(count.max()) for count in counts)
    limit_float32 = np.float32(limit)  # the column `outlier` was compared in this too
    return Histogram(
        _bars(counts[0], tallest),
        _outline(counts[1], tallest),
        bins * BIN_WIDTH,
        BINS_TO_THE_LIMIT * BIN_WIDTH,
        end,
        len(own),
        int(np.count_nonzero(own > limit_float32)),
        int(np.count_nonzero(following <= limit_float32)),
    )


def strictness_changes(changes: Path, strictness: float, ranks: Mapping[str, int]) -> list[StrictnessChange]:
    """What the next looser and the next stricter setting would change, as far as there are such settings."""
    table = read_table(changes, STRICTNESS_CHANGES)
    found = []
    for kind, setting in (("looser", strictness - STRICTNESS_STEP), ("stricter", strictness + STRICTNESS_STEP)):
        if 0 <= (setting := round(setting, 6)) <= 1:
            rows = table.filter(pc.equal(table["direction"], kind))
            named = rows.slice(0, CHANGES_NAMED).to_pylist()
            people = tuple((ranks[row["cluster"]], ranks[row["other"]] if row["other"] else None) for row in named)
            found.append(StrictnessChange(kind, setting, rows.num_rows, people))
    return found


def _heights(counts: Int64, tallest: int) -> list[int]:
    return [-(-count * HEIGHT // tallest) for count in counts.tolist()]  # a single face shows


def _bars(counts: Int64, tallest: int) -> str:
    return "".join(
        f"M{BIN_WIDTH * place} {HEIGHT}v-{height}h{BIN_WIDTH - 1}v{height}z"
        for place, height in enumerate(_heights(counts, tallest))
        if height
    )


def _outline(counts: Int64, tallest: int) -> str:
    outline = "".join(f"V{HEIGHT - height}h{BIN_WIDTH}" for height in _heights(counts, tallest))
    return f"M0 {HEIGHT}{outline}V{HEIGHT}"
