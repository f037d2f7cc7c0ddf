"""Other ways to cluster, each tried over a grid of its settings on one graph of neighbours.

Not a benchmark of its own: `clustering` reports it. Needs igraph and scikit-learn, which the project itself does not.
"""

import random
from collections.abc import Callable, Iterator

import igraph
import numpy as np
from scipy.sparse import coo_array, csr_array
from sklearn.cluster import DBSCAN, HDBSCAN

from benchmarks.faces_like import Faces
from faceset.people.neighbours import nearest

NEIGHBOURS = 48
LIMITS = (0.44, 0.46, 0.48, 0.50, 0.52, 0.54, 0.56)
Found = tuple[str, np.ndarray]


def candidates() -> dict[str, Callable[[Faces, csr_array], Iterator[Found]]]:
    """By name, what yields a setting and its labels, for each setting of its grid."""
    return {"Chinese Whispers": chinese_whispers, "Leiden": leiden, "DBSCAN": dbscan, "HDBSCAN": hdbscan}


def neighbour_graph(faces: Faces) -> csr_array:
    """The symmetric graph of everybody's neighbours and their distances, without those who share a frame."""
    count = len(faces.vectors)
    near, _ = nearest(faces.vectors, faces.vectors, NEIGHBOURS + 1)
    rows, columns = np.repeat(np.arange(count), near.shape[1]), near.ravel()
    low, high = np.minimum(rows, columns), np.maximum(rows, columns)
    keys = np.unique((low * count + high)[(low >= 0) & (low != high)])
    keys = np.setdiff1d(keys, faces.cannot_link[:, 0] * count + faces.cannot_link[:, 1])
    low, high = keys // count, keys % count
    apart = np.concatenate(
        [
            np.linalg.norm(faces.vectors[low[part]] - faces.vectors[high[part]], axis=1)
            for part in np.array_split(np.arange(len(low)), len(low) // 65536 + 1)
        ]
    )
    both = np.concatenate([low, high]), np.concatenate([high, low])
    return coo_array((np.tile(np.maximum(apart, 1e-6), 2), both), shape=(count, count)).tocsr()


def _up_to(graph: csr_array, limit: float) -> csr_array:
    cut = graph.copy()
    cut.data[cut.data > limit] = 0
    cut.eliminate_zeros()
    return cut


def chinese_whispers(faces: Faces, graph: csr_array) -> Iterator[Found]:
    """Biemann 2006: in random order each takes the label of most weight around; 20 rounds at most as in dlib."""
    for limit in LIMITS:
        cut = _up_to(graph, limit)
        labels = list(range(len(faces.vectors)))
        spread = np.split(cut.indices, cut.indptr[1:-1])
        neighbours = [part.tolist() for part in spread]
        shuffled = np.random.default_rng(0)
        for _ in range(20):
            before = labels.copy()
            for face in shuffled.permutation(len(labels)).tolist():
                votes: dict[int, int] = {}
                for other in neighbours[face]:
                    votes[labels[other]] = votes.get(labels[other], 0) + 1
                if votes:
                    labels[face] = max(votes, key=votes.__getitem__)
            if labels == before:
                break
        yield f"{limit:.2f}", np.array(labels)


def leiden(faces: Faces, graph: csr_array) -> Iterator[Found]:
    """Traag 2019: constant Potts model, weights that fall from 1 to 0 at the limit."""
    for limit in LIMITS[3:]:
        cut = _up_to(graph, limit).tocoo()
        once = cut.row < cut.col
        edges = np.column_stack([cut.row[once], cut.col[once]])
        net = igraph.Graph(len(faces.vectors), edges)
        weights = (1 - cut.data[once] / limit).tolist()
        for resolution in (0.001, 0.003, 0.01, 0.03):
            igraph.set_random_number_generator(random.Random(0))
            found = net.community_leiden("CPM", weights=weights, resolution=resolution, n_iterations=5)
            yield f"{limit:.2f}, resolution {resolution}", np.array(found.membership)


def dbscan(faces: Faces, graph: csr_array) -> Iterator[Found]:  # noqa: ARG001
    """Ester 1996, as photo managers use it."""
    for limit in LIMITS:
        for least in (2, 3, 5):
            yield (
                f"{limit:.2f}, {least} faces",
                _singles(DBSCAN(eps=limit, min_samples=least, metric="precomputed").fit_predict(graph)),
            )


def hdbscan(faces: Faces, graph: csr_array) -> Iterator[Found]:  # noqa: ARG001
    """Campello 2013, leaves or excess of mass."""
    for least in (2, 3, 5):
        for way in ("leaf", "eom"):
            found = HDBSCAN(min_cluster_size=least, min_samples=2, cluster_selection_method=way, copy=True)
            yield f"{least} faces, {way}", _singles(found.fit_predict(faces.vectors))


def _singles(labels: np.ndarray) -> np.ndarray:
    """Give each of those called noise a label of its own."""
    labels = labels.copy()
    noise = labels < 0
    labels[noise] = labels.max() + 1 + np.arange(np.count_nonzero(noise))
    return labels
