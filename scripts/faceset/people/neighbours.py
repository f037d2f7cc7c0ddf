"""The nearest of many vectors: exact where that is affordable, by an index of cells beyond."""

from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# Two cores compare this many pairs of vectors of 128 numbers in about a second.
EXACT_PAIRS = 500_000_000
VECTORS_PROBED = 700
VECTORS_PROBED_A_NEIGHBOUR = 140
LEAST_A_CELL = 8
SAMPLES_A_CELL = 20
TRAINING_ROUNDS = 5
ROWS_AT_ONCE = 16_384
LOOKED_AT = 128
SAMPLES = 8_192
# To meet costs threads more than fewer take, on a busy machine much more.
PAIRS_WORTH_THREADS = 50_000
LARGEST_BYTE = np.float32(127)
# What is found this little beyond a limit may be within it.
ROUNDING = 1.05
NOBODY = -1
# Its stubs lack some functions, and give others the signatures that they have in C++.
UNTYPED: Any = faiss


def nearest(queries: Float32, vectors: Float32, count: int) -> tuple[Int64, Float32]:
    """For each of Q queries, the `count` nearest of N vectors, nearest first.

    For many queries of wide vectors only the LOOKED_AT principal components are compared: distances come out a little
    too small. Beyond EXACT_PAIRS comparisons the vectors are dealt into about 3 sqrt(N) cells (k-means), and a query
    looks into the nearest of them only, as many as hold VECTORS_PROBED on average and more for more neighbours: a few
    may then be missed. There vectors are compared as bytes, since reading them is what takes the time: a distance as
    long as the largest number in them changes by a hundredth or so, a shorter one by more.

    Parameters
    ----------
    queries, vectors
        (Q, D) and (N, D).
    count
        How many to find, N at most.

    Returns
    -------
    places
        (Q, count) int64; NOBODY where fewer were found.
    gaps
        (Q, count) float32 squared distances, rounded: where it matters they are to be measured again.
    """
    if vectors.shape[1] > LOOKED_AT and len(queries) > SAMPLES:
        components = _principal_components(vectors)
        same, vectors = queries is vectors, vectors @ components
        queries = vectors if same else queries @ components
    if len(queries) * len(vectors) > EXACT_PAIRS:
        return _nearest_by_cells(queries, vectors, count)
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    return _search(index, queries, count)


def _search(index: faiss.Index, queries: Float32, count: int) -> tuple[Int64, Float32]:
    """What `nearest` does, with an index of the vectors."""
    places, gaps = np.empty((len(queries), count), np.int64), np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        index.search(queries[part], count, D=gaps[part], I=places[part])
    return places, gaps


def _nearest_by_cells(queries: Float32, vectors: Float32, count: int) -> tuple[Int64, Float32]:
    index: Any = _trained(vectors)
    index.parallel_mode = 3  # each thread takes some queries; else `search` alone is parallel, not what it calls
    probed = VECTORS_PROBED + VECTORS_PROBED_A_NEIGHBOUR * count
    index.nprobe = min(index.nlist, round(probed * index.nlist / len(vectors)) or 1)
    cells, cell_gaps = _search(index.quantizer, queries, index.nprobe)
    # The index takes whole numbers of a byte as they are, and spoils others.
    scale = LARGEST_BYTE / (max(queries.max(), -queries.min(), vectors.max(), -vectors.min()) or 1)
    _add(index, vectors, cells[:, 0] if queries is vectors else _search(index.quantizer, vectors, 1)[0][:, 0], scale)
    places, gaps = np.empty((len(queries), count), np.int64), np.empty((len(queries), count), np.float32)
    # Queries of one cell follow each other: what they look into is then still in the processor's cache.
    by_cell = np.argsort(cells[:, 0], kind="stable")
    for start in range(0, len(queries), ROWS_AT_ONCE):
        rows = by_cell[start : start + ROWS_AT_ONCE]
        found = index.search_preassigned(np.rint(queries[rows] * scale), count, cells[rows], cell_gaps[rows])
        gaps[rows], places[rows] = found[0] / scale**2, found[1]
    return places, gaps


def _trained(vectors: Float32) -> faiss.IndexIVFScalarQuantizer:
    """An empty index of cells, which k-means of a sample found."""
    size, width = vectors.shape
    cells = min(int(3 * np.sqrt(size)), size // LEAST_A_CELL + 1)
    as_bytes, of_residuals = faiss.ScalarQuantizer.QT_8bit_direct_signed, False
    centroids = faiss.IndexFlatL2(width)
    index = faiss.IndexIVFScalarQuantizer(centroids, width, cells, as_bytes, faiss.METRIC_L2, of_residuals)
    index.cp.max_points_per_centroid = SAMPLES_A_CELL
    index.cp.min_points_per_centroid = 1  # it only warns of fewer
    index.cp.niter = TRAINING_ROUNDS
    index.train(vectors)
    return index


def _add(index: faiss.IndexIVFScalarQuantizer, vectors: Float32, cell_of: Int64, scale: np.float32) -> None:
    """Put (N, D) vectors into the (N,) cells that they were found to be in."""
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        part = np.rint(vectors[start : start + ROWS_AT_ONCE] * scale)
        numbers = np.arange(start, start + len(part))
        cells = np.ascontiguousarray(cell_of[start : start + ROWS_AT_ONCE])
        index.add_core(len(part), *(faiss.swig_ptr(one) for one in (part, numbers, cells)))


def gaps_between(vectors: Float32, one: Int64, other: Int64) -> Float32:
    """(P,) squared distances between those of (N, D) vectors that `one` and `other` (P,) name."""
    gaps = np.empty(len(one), np.float32)
    arrays = (vectors, np.ascontiguousarray(one), vectors, np.ascontiguousarray(other), gaps)
    threads = faiss.omp_get_max_threads()
    if len(gaps) < PAIRS_WORTH_THREADS:
        faiss.omp_set_num_threads(1)
    UNTYPED.pairwise_indexed_L2sqr(vectors.shape[1], len(gaps), *(faiss.swig_ptr(array) for array in arrays))
    faiss.omp_set_num_threads(threads)
    return gaps


def _principal_components(vectors: Float32) -> Float32:
    """(D, LOOKED_AT) directions of the largest variance, of evenly spaced samples."""
    sample = vectors[:: max(1, len(vectors) // SAMPLES)]
    apart = (sample - sample.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(apart.T @ apart)
    return np.ascontiguousarray(directions[:, ::-1][:, :LOOKED_AT], np.float32)
