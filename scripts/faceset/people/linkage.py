"""Average linkage on a graph of neighbours.

Average linkage is reducible: a join brings nobody nearer to the joined than they were to the nearer of the two. So
groups that are each other's nearest may join in any order and many at once, and a pair that is too far apart stays so.

Only neighbours are compared: each group's nearest are looked up, the graph of them is joined until nobody in it is near
enough; then those that grew look around again, until nothing joins.
"""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from faceset.arrays import Bool, Float32, Float64, Int64
from faceset.people.neighbours import NOBODY, nearest
from faceset.people.partition import Groups, Pairs

NEIGHBOURS = 16
LEVELS = 32  # with 8, joining takes half as long again for a million faces
PAIRS_A_LEVEL = 10_000  # fewer are not worth one


def join_near(groups: Groups, limit: float, neighbours: int = NEIGHBOURS) -> None:
    """Join groups while the mean squared distance between the members of two is at most `limit`.

    `neighbours` are looked up at a time.
    """
    grown = groups.leaders()
    while len(grown):
        before = groups.sizes.copy()
        _contract(groups, _near_pairs(groups, grown, limit, neighbours), limit)
        leaders = groups.leaders()
        grown = leaders[groups.sizes[leaders] > before[leaders]]


def _near_pairs(groups: Groups, rows: Int64, limit: float, neighbours: int) -> Pairs:
    """Pairs of these groups and their nearest, of those within the limit that may join."""
    leaders = groups.leaders()
    vectors = groups.means if len(leaders) == groups.count else _with_spreads(groups, leaders)
    cannot_link_keys = groups.keys(*groups.cannot_link)
    found = np.empty(0, np.int64)
    width = neighbours + 1  # everybody finds himself too
    while len(rows):
        width = min(width, len(leaders))
        queries = vectors if len(rows) == len(vectors) == groups.count else _queries(groups, rows, vectors.shape[1])
        places, squared = nearest(queries, vectors, width)
        near = (places != NOBODY) & (squared + groups.spreads[rows, None] <= limit)
        one, other = np.repeat(rows, near.sum(axis=1)), leaders[places[near]]
        keys = _without(groups.keys(one[one != other], other[one != other]), cannot_link_keys)
        found = np.union1d(found, keys) if len(found) else keys
        # Those that can link to none of their near ones look further.
        free = np.zeros(groups.count, np.bool_)
        low, high = groups.pairs(keys)
        free[low] = free[high] = True
        rows = rows[near.all(axis=1) & ~free[rows]] if width < len(leaders) else rows[:0]
        width *= 4
    return groups.pairs(found)


def _with_spreads(groups: Groups, leaders: Int64) -> Float32:
    """Means with a further coordinate for the spread, so that squared distances lack only the query's own spread."""
    return np.column_stack([groups.means[leaders], np.sqrt(groups.spreads[leaders]).astype(np.float32)])


def _queries(groups: Groups, rows: Int64, width: int) -> Float32:
    """Means, as wide as the vectors that are searched."""
    return np.pad(groups.means[rows], ((0, 0), (0, width - groups.means.shape[1])))


def _contract(groups: Groups, pairs: Pairs, limit: float) -> None:
    """Join the nearest of these pairs, and of those that pairs become as their groups join, up to the limit.

    Level by level, the nearer pairs first. A pair waits for the level of its distance and is looked at again only then:
    by that time most lie in one group, and of the others many are the same.
    """
    squared = groups.squared_distances(pairs)
    levels = _levels(squared[squared <= limit], limit)
    waiting: list[list[Pairs]] = [[] for _ in levels]
    _wait(waiting, levels, pairs, squared)
    for number, level in enumerate(levels):
        cannot_link_keys = groups.keys(*groups.cannot_link)
        pairs = groups.pairs(_without(_renamed(groups, _together(*waiting[number]), groups.labels()), cannot_link_keys))
        squared = groups.squared_distances(pairs)
        near = squared <= level
        _wait(waiting, levels, _chosen(pairs, ~near), squared[~near])
        waiting[number].clear()
        _wait(waiting, levels, *_contract_level(groups, _chosen(pairs, near), squared[near], level))
        groups.update_cannot_link()


def _levels(squared: Float64, limit: float) -> Float64:
    """Ascending squared distances up to the limit that as many of these lie between."""
    count = min(LEVELS, len(squared) // PAIRS_A_LEVEL + 1)
    return np.unique([*(np.quantile(squared, np.arange(1, count) / count) if count > 1 else ()), limit])


def _wait(waiting: list[list[Pairs]], levels: Float64, pairs: Pairs, squared: Float64) -> None:
    """Let pairs wait, each for the first level its squared distance is within; those beyond the last are forgotten."""
    level = np.searchsorted(levels, squared).astype(np.int16)
    by_level = np.argsort(level, kind="stable")
    ends = np.searchsorted(level[by_level], np.arange(len(levels)), "right")
    low, high = (np.split(one[by_level], ends) for one in pairs)
    for number in range(len(levels)):
        waiting[number].append(Pairs(low[number], high[number]))


def _contract_level(groups: Groups, pairs: Pairs, squared: Float64, level: float) -> tuple[Pairs, Float64]:
    """Join these pairs as `_contract` does; returns pairs that came to be further apart, and how far, squared."""
    passed, passed_squared = [], []
    cannot_link = _between_linked(groups, pairs)
    changed = np.zeros(groups.count, np.bool_)
    best, rank = np.empty(groups.count), np.empty(groups.count, np.int64)
    while len(squared):
        joined = _mutual(pairs, squared, best, rank)
        groups.merge(*joined)
        changed[joined.low] = changed[joined.high] = True
        pairs, squared, moved = _set_apart(pairs, changed, squared)
        cannot_link, _, moved_cannot_link = _set_apart(cannot_link, changed, np.empty(len(cannot_link.low)))
        changed[joined.low] = changed[joined.high] = False
        cannot_link_keys = _renamed(groups, moved_cannot_link, groups.leader)
        free = groups.pairs(_without(_renamed(groups, moved, groups.leader), cannot_link_keys))
        free_squared = groups.squared_distances(free)
        fresh = free_squared <= level
        passed.append(_chosen(free, ~fresh))
        passed_squared.append(free_squared[~fresh])
        pairs, squared = _together(pairs, _chosen(free, fresh)), np.concatenate([squared, free_squared[fresh]])
        cannot_link = _together(cannot_link, groups.pairs(cannot_link_keys))
    return (_together(*passed), np.concatenate(passed_squared)) if passed else (pairs, squared)


def _between_linked(groups: Groups, pairs: Pairs) -> Pairs:
    """The pairs that cannot link and whose groups these pairs connect, if by way of others; only they matter here."""
    shape = (groups.count, groups.count)
    linked = coo_array((np.ones(len(pairs.low), np.bool_), (pairs.low, pairs.high)), shape=shape)
    _, part = connected_components(linked, directed=False)
    return _chosen(groups.cannot_link, part[groups.cannot_link.low] == part[groups.cannot_link.high])


def _mutual(pairs: Pairs, squared: Float64, best: Float64, rank: Int64) -> Pairs:
    """The pairs of groups that are each other's nearest; equally near ones pair off by their numbers.

    `best` and `rank` (N,) are room to work in.
    """
    best[pairs.low] = best[pairs.high] = np.inf
    np.minimum.at(best, pairs.low, squared)
    np.minimum.at(best, pairs.high, squared)
    low, high = _chosen(pairs, (squared == best[pairs.low]) & (squared == best[pairs.high]))
    ties = low ^ high  # pairs off many twins at once, and no two pairs of a group have the same
    rank[low] = rank[high] = np.iinfo(np.int64).max
    np.minimum.at(rank, low, ties)
    np.minimum.at(rank, high, ties)
    return _chosen(Pairs(low, high), (ties == rank[low]) & (ties == rank[high]))


def _set_apart(pairs: Pairs, changed: Bool, squared: Float64) -> tuple[Pairs, Float64, Pairs]:
    """The pairs of groups that did not change, their squared distances, and the others."""
    touched = changed[pairs.low] | changed[pairs.high]
    return _chosen(pairs, ~touched), squared[~touched], _chosen(pairs, touched)


def _renamed(groups: Groups, pairs: Pairs, leader: Int64) -> Int64:
    """The keys of these pairs by the leaders of their groups, but for those within one group."""
    low, high = leader[pairs.low], leader[pairs.high]
    return groups.keys(low[low != high], high[low != high])


def _without(keys: Int64, others: Int64) -> Int64:
    """The keys that are not among the others; both are sorted and without repeats."""
    if not len(keys):
        return keys
    places = np.minimum(np.searchsorted(keys, others), len(keys) - 1)
    kept = np.ones(len(keys), np.bool_)
    kept[places[keys[places] == others]] = False
    return keys[kept]


def _chosen(pairs: Pairs, which: Bool) -> Pairs:
    return Pairs(pairs.low[which], pairs.high[which])


def _together(*parts: Pairs) -> Pairs:
    return Pairs(np.concatenate([part.low for part in parts]), np.concatenate([part.high for part in parts]))
