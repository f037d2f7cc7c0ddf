"""Stragglers: groups of a few items that average linkage leaves alone, and where they belong.

A poor face lies further from its person than others do, but also further from everybody else. So what counts is not
how near it is but whether the nearest group stands out from the next ones, as in matching by the ratio of distances
(Lowe 2004) and in the normalising of scores by a cohort (Auckenthaler 2000).
"""

import numpy as np

from faceset.arrays import Int64
from faceset.people.neighbours import nearest
from faceset.people.partition import FEW_ITEMS, Groups

# The nearest mean is to be within this share of the squared distance to the third nearest: the second may be another
# part of the same person. Measured by `benchmarks.calibration`.
STANDING_OUT = 0.7
COHORT = 3
ROUNDS = 3


def join_stragglers(groups: Groups, limit: float) -> None:
    """Join groups of at most FEW_ITEMS to the nearest if it stands out, their means at most `limit` apart, squared."""
    for _ in range(ROUNDS):
        rows, targets, ratios = _standing_out(groups, limit)
        target_of = _settled(groups, rows, targets, ratios)
        followers = np.flatnonzero(target_of != np.arange(groups.count))
        if not len(followers):
            return
        while len(followers):  # a group takes one at a time
            leaders, first = np.unique(target_of[followers], return_index=True)
            groups.merge(leaders, followers[first])
            followers = np.delete(followers, first)
        groups.update_cannot_link()


def _standing_out(groups: Groups, limit: float) -> tuple[Int64, Int64, np.ndarray]:
    """Of the stragglers that a group stands out for: their leaders, those groups, and the ratios."""
    leaders = groups.leaders()
    rows = leaders[groups.sizes[leaders] <= FEW_ITEMS]
    if not len(rows) or len(leaders) <= COHORT:
        return rows[:0], rows[:0], np.empty(0)
    places, squared = nearest(groups.means[rows], groups.means[leaders], COHORT + 1)
    near = leaders[places]
    # Everybody finds himself too, mostly first: he goes last.
    others = np.argsort(near == rows[:, None], axis=1, kind="stable")[:, :COHORT]
    targets, squared = np.take_along_axis(near, others, 1)[:, 0], np.take_along_axis(squared, others, 1)
    numbers = np.finfo(np.float32)  # NOBODY is infinitely far
    ratios = squared[:, 0] / np.clip(squared[:, -1], numbers.tiny, numbers.max)
    keys = np.minimum(rows, targets) * groups.count + np.maximum(rows, targets)
    may_link = ~np.isin(keys, groups.cannot_link.low * groups.count + groups.cannot_link.high)
    chosen = (ratios <= STANDING_OUT) & (squared[:, 0] <= limit) & may_link
    return rows[chosen], targets[chosen], ratios[chosen]


def _settled(groups: Groups, rows: Int64, targets: Int64, ratios: np.ndarray) -> Int64:
    """(N,) whom each group joins, or itself. Nobody joins one that moves, and no two that cannot link meet at one."""
    target_of, ratio_of = np.arange(groups.count), np.zeros(groups.count)
    target_of[rows], ratio_of[rows] = targets, ratios
    mutual = target_of[targets] == rows
    moves = np.where(mutual, rows > targets, target_of[targets] == targets)
    target_of[rows[~moves]] = rows[~moves]
    low, high = groups.cannot_link
    while (meet := target_of[low] == target_of[high]).any():
        one, other = low[meet], high[meet]
        worse = np.where(ratio_of[one] > ratio_of[other], one, other)
        stays = target_of[worse] == worse
        worse = np.where(stays, one + other - worse, worse)
        target_of[worse] = worse
    return target_of
