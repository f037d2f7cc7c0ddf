"""Groups as faceswap's sort by face makes them: for comparison, and for those who want the same order."""

import numpy as np
import numpy.typing as npt
from scipy.cluster.hierarchy import leaves_list, linkage

from faceset.arrays import Float64, Int64
from faceset.errors import FacesetError

MOST_FACES = 20_000
CUT = 0.25  # of the largest height of the linkage: faceswap's default


def ward_groups(vectors: npt.NDArray[np.floating], cut: float = CUT) -> tuple[Int64, Int64]:
    """Order N faces by Ward linkage of their embeddings (N, D), and group them as faceswap does.

    In the order of the dendrogram's leaves, a new group begins with each right branch whose height is at least `cut`
    of the largest. So two branches below the cut that meet above it can be one group, where a plain cut gives two.

    Returns
    -------
    labels, order
        (N,) the group of each face, numbered along the order, and its place in that order.

    Raises FacesetError for more than MOST_FACES, since Ward linkage needs the distances of all to all.
    """
    count = len(vectors)
    if count > MOST_FACES:
        raise FacesetError(
            f"cluster.method is ward, which cannot be used on more than {MOST_FACES:,} faces; here are {count:,}. "
            "Remove the line to use the default method."
        )
    if count < 2:
        return np.zeros(count, np.int64), np.arange(count)
    tree = linkage(np.asarray(vectors, np.float64), "ward")
    order = np.empty(count, np.int64)
    order[leaves_list(tree)] = np.arange(count)
    return _groups(tree, cut * tree[-1, 2]), order


def _groups(tree: Float64, height: float) -> Int64:
    count = len(tree) + 1
    labels = np.empty(count, np.int64)
    branches = tree[:, :2].astype(int).tolist()
    high = (tree[:, 2] >= height).tolist()
    group = 0
    waiting = [(2 * count - 2, False)]
    while waiting:
        node, is_right = waiting.pop()
        if node < count:
            labels[node] = group
            continue
        group += is_right and high[node - count]
        left, right = branches[node - count]
        waiting += [(right, True), (left, False)]
    return labels
