"""What is doubtful about clusters: two that may be one person, and one that may be two."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from faceset.arrays import Bool, Float64, Int64
from faceset.models.embeddings import Metric, comparable_vectors, distances, distances_between, squared_limit
from faceset.people.neighbours import NOBODY, nearest

NEAREST_LOOKED_AT = 8
MERGE_CANDIDATES_LISTED = 100
SPLIT_CANDIDATES_LISTED = 100
# A part of fewer faces says little: two of three faces always lie closer together than the third.
LEAST_FACES_OF_A_PART = 5
# One person's faces, parted in two as well as can be, leave most of their scatter unexplained; or the parts are two
# films, each alike in itself, and near each other.
LEAST_SHARE = 0.35
LEAST_DISTANCE = 0.5  # of the threshold


class MergeCandidate(NamedTuple):
    """Two groups, by number, and how far apart their means are."""

    distance: float
    larger: int
    smaller: int


def merge_candidates(
    centres: npt.NDArray[np.floating],
    cannot_link: Int64,
    sizes: Int64,
    metric: Metric,
    limit: float,
) -> list[MergeCandidate]:
    """The pairs of G groups that may be one person, nearest first, a hundred at most.

    Parameters
    ----------
    centres, sizes
        (G, D) mean embeddings and (G,) numbers of faces.
    cannot_link
        (P, 2) pairs of groups that are surely two people.
    metric, limit
        Of the identity model, and the largest distance between means that is still worth a look.
    """
    count = len(centres)
    comparable = comparable_vectors(centres, metric)
    near, squared = nearest(comparable, comparable, min(NEAREST_LOOKED_AT, count))
    within = (near != NOBODY) & (squared <= squared_limit(metric, limit))
    one, other = np.nonzero(within)[0], near[within]
    keys = np.unique((np.minimum(one, other) * count + np.maximum(one, other))[one != other])
    keys = keys[~np.isin(keys, cannot_link[:, 0] * count + cannot_link[:, 1])]
    pairs = np.column_stack([keys // count, keys % count])
    apart = distances_between(centres[pairs[:, 0]], centres, pairs[:, 1], metric)
    found = []
    for place in np.lexsort((pairs[:, 1], pairs[:, 0], apart))[:MERGE_CANDIDATES_LISTED].tolist():
        if apart[place] <= limit:
            group, second = pairs[place].tolist()
            larger, smaller = (group, second) if sizes[group] >= sizes[second] else (second, group)
            found.append(MergeCandidate(float(apart[place]), larger, smaller))
    return found


class SplitCandidate(NamedTuple):
    """A group, by number, that may be two people.

    `share` of its scatter is explained by the two parts, whose means are `distance` apart. The smaller part has `faces`
    faces, and the one of this row is the nearest to its mean.
    """

    share: float
    group: int
    row: int
    faces: int
    distance: float


def split_candidates(
    vectors: npt.NDArray[np.floating],
    groups: Int64,
    in_part: Bool,
    shares: Float64,
    metric: Metric,
    threshold: float,
) -> list[SplitCandidate]:
    """The groups that may be two people, the likeliest first, a hundred at most.

    Parameters
    ----------
    vectors, groups
        (N, D) embeddings of faces, and (N,) the number of the group of each.
    in_part
        (N,) which faces are in the one part of their group, were it two.
    shares
        (G,) of each group, the share of its scatter that its two parts explain.
    metric, threshold
        Of the identity model.
    """
    parts = np.bincount(groups[in_part], minlength=len(shares))
    smaller = np.minimum(parts, np.bincount(groups, minlength=len(shares)) - parts)
    doubtful = np.flatnonzero((smaller >= LEAST_FACES_OF_A_PART) & (shares >= LEAST_SHARE))
    rows_by_group = np.argsort(groups, kind="stable")
    ends = np.cumsum(np.bincount(groups, minlength=len(shares)))
    found: list[SplitCandidate] = []
    for group in doubtful[np.argsort(-shares[doubtful], kind="stable")].tolist():
        rows = rows_by_group[ends[group - 1] if group else 0 : ends[group]]
        sides = sorted((rows[in_part[rows]], rows[~in_part[rows]]), key=len)
        means = [vectors[side].mean(axis=0, keepdims=True, dtype=np.float64) for side in sides]
        medoid = sides[0][distances(vectors[sides[0]], means[0], metric)[:, 0].argmin()]
        apart = distances(means[0], means[1], metric)[0, 0]
        if apart >= LEAST_DISTANCE * threshold:
            found.append(SplitCandidate(float(shares[group]), group, int(medoid), len(sides[0]), float(apart)))
        if len(found) == SPLIT_CANDIDATES_LISTED:
            break
    return found
