"""Groups of items that join, held in memory that grows with the number of items.

The mean squared distance between all members of two groups follows from three numbers a group keeps (Lance and
Williams 1967): |mean A - mean B|^2 + spread A + spread B, where a spread is the mean squared distance to the mean. So
groups are compared without their members.
"""

from typing import NamedTuple

import numpy as np

from faceset.arrays import Float32, Float64, Int64
from faceset.people.neighbours import squared_distances_between

ROWS_AT_ONCE = 4096
FEW_ITEMS = 4  # no more than these, and a group may be a straggler
NOBODY = -1


class Pairs(NamedTuple):
    """P pairs of groups: the lower leader, and the higher one."""

    low: Int64
    high: Int64


class Splits(NamedTuple):
    """Of G groups, the join that explains most of their scatter.

    `share` (G,) is how much of it, 0 to 1; `first` and `last` (G,) are the items that the joining group began and ended
    with in the order. `loosest` (G,) is the largest mean squared distance at which two parts of more than FEW_ITEMS
    joined, 0 if none did.
    """

    share: Float64
    first: Int64
    last: Int64
    loosest: Float64


class Groups:
    """N items in groups. A group goes by the number of its first item, its leader.

    `means` (N, D), `spreads` (N,) and `sizes` (N,) hold for the leaders. `cannot_link` are the pairs of leaders that
    must not join.
    """

    def __init__(self, vectors: Float32, cannot_link: Int64) -> None:
        """Begin with each of the (N, D) vectors alone. `cannot_link` (P, 2) are items that must not be in one group."""
        count = len(vectors)
        everyone = np.arange(count)
        self.count = count
        self.means = np.array(vectors, np.float32)
        self.spreads = np.zeros(count)
        self.sizes = np.ones(count)
        self.leader = everyone.copy()  # of an item, or an item on the way to the leader
        self.cannot_link = self.pairs(self.keys(cannot_link[:, 0], cannot_link[:, 1]))
        self._first, self._last, self._next = everyone.copy(), everyone.copy(), np.full(count, NOBODY)
        self._split_scatter = np.zeros(count)
        self._split_first, self._split_last = everyone.copy(), everyone.copy()
        self._loosest = np.zeros(count)

    def keys(self, one: Int64, other: Int64) -> Int64:
        """One number for each pair, whichever way round, sorted and without repeats."""
        keys = np.minimum(one, other)
        keys *= self.count
        keys += np.maximum(one, other)
        keys.sort()
        return keys[np.diff(keys, prepend=-1) > 0]

    def pairs(self, keys: Int64) -> Pairs:
        """The pairs that these numbers stand for."""
        return Pairs(keys // self.count, keys % self.count)

    def leaders(self) -> Int64:
        """(G,) the leaders, ascending."""
        return np.flatnonzero(self.leader == np.arange(self.count))

    def labels(self) -> Int64:
        """(N,) the leader of each item's group."""
        while not np.array_equal(self.leader, above := self.leader[self.leader]):
            self.leader = above
        return self.leader.copy()

    def order(self) -> Int64:
        """(N,) the place of each item, such that groups lie together, and in them what joined early."""
        places = np.empty(self.count, np.int64)
        following = self._next.tolist()
        place = 0
        for item in self._first[self.leaders()].tolist():
            while item != NOBODY:
                places[item] = place
                place += 1
                item = following[item]
        return places

    def splits(self, leaders: Int64) -> Splits:
        """The most telling join of each of these groups, and the loosest one."""
        scatter = np.maximum(self.sizes * self.spreads, np.finfo(np.float64).tiny)[leaders]
        share = self._split_scatter[leaders] / scatter
        return Splits(share, self._split_first[leaders], self._split_last[leaders], self._loosest[leaders])

    def squared_distances(self, pairs: Pairs) -> Float64:
        """(P,) mean squared distances between the members of two groups."""
        low, high = pairs
        return self.spreads[low] + self.spreads[high] + squared_distances_between(self.means, low, high)

    def forget_cannot_link(self) -> None:
        """Let anybody join from here on."""
        self.cannot_link = Pairs(self.cannot_link.low[:0], self.cannot_link.high[:0])

    def merge(self, leaders: Int64, followers: Int64) -> None:
        """Let each follower's group join a leader's; nobody stands twice in these lists.

        `cannot_link` is neither looked at nor updated.
        """
        for start in range(0, len(leaders), ROWS_AT_ONCE):
            self._merge(leaders[start : start + ROWS_AT_ONCE], followers[start : start + ROWS_AT_ONCE])

    def update_cannot_link(self) -> None:
        """Let `cannot_link` tell of leaders again, after merges."""
        labels = self.labels()
        self.cannot_link = self.pairs(self.keys(labels[self.cannot_link.low], labels[self.cannot_link.high]))

    def _merge(self, leaders: Int64, followers: Int64) -> None:
        share = self.sizes[followers] / (self.sizes[leaders] + self.sizes[followers])
        apart = self.means[followers].astype(np.float64) - self.means[leaders]
        squares = np.einsum("rd,rd->r", apart, apart)
        between = share * (1 - share) * squares
        self._note_splits(leaders, followers, between * (self.sizes[leaders] + self.sizes[followers]))
        self._note_loosest(leaders, followers, squares + self.spreads[leaders] + self.spreads[followers])
        self.spreads[leaders] = (1 - share) * self.spreads[leaders] + share * self.spreads[followers] + between
        self.means[leaders] += share[:, None] * apart
        self.sizes[leaders] += self.sizes[followers]
        self.leader[followers] = leaders
        self._next[self._last[leaders]] = self._first[followers]
        self._last[leaders] = self._last[followers]

    def _note_splits(self, leaders: Int64, followers: Int64, scatter: Float64) -> None:
        """`scatter` is what these joins add to the sum of squared distances to the mean (Ward 1963)."""
        more = self._split_scatter[followers] > self._split_scatter[leaders]
        taken, by = leaders[more], followers[more]
        self._split_first[taken], self._split_last[taken] = self._split_first[by], self._split_last[by]
        self._split_scatter[taken] = self._split_scatter[by]
        now = scatter > self._split_scatter[leaders]
        taken, by = leaders[now], followers[now]
        self._split_first[taken], self._split_last[taken] = self._first[by], self._last[by]
        self._split_scatter[taken] = scatter[now]

    def _note_loosest(self, leaders: Int64, followers: Int64, squared: Float64) -> None:
        few = np.minimum(self.sizes[leaders], self.sizes[followers]) <= FEW_ITEMS
        before = np.maximum(self._loosest[leaders], self._loosest[followers])
        self._loosest[leaders] = np.where(few, before, np.maximum(before, squared))
