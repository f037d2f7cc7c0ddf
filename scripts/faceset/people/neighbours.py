"""The nearest of many vectors: exact where that is affordable, by an index of cells beyond."""

from collections.abc import Iterator
from typing import Any

import faiss
import numpy as np

from faceset.arrays import Float32, Int64

# Two cores compare this many pairs of vectors of 128 numbers in about a second.
EXACT_PAIRS = 500_000_000
VECTORS_PROBED = 700
VECTORS_PROBED_A_CANDIDATE = 93
LEAST_A_CELL = 8
SAMPLES_A_CELL = 20
TRAINING_ROUNDS = 5
ROWS_AT_ONCE = 16_384
LOOKED_AT = 128
SAMPLES = 8_192
# To meet costs threads more than fewer take, on a busy machine much more.
PAIRS_WORTH_THREADS = 50_000
LARGEST_BYTE = np.float32(127)
# For each neighbour asked for. Compared roughly, some of the nearest seem a little further than others.
MORE_LOOKED_UP = 0.5
PLACE_BITS = 32
LARGEST_PLACE = 2**PLACE_BITS - 1
NOBODY = -1
# Its stubs lack some functions, and give others the signatures that they have in C++.
UNTYPED: Any = faiss


def nearest(queries: Float32, vectors: Float32, count: int) -> tuple[Int64, Float32]:
    """For each of Q queries, the `count` nearest of N vectors, nearest first.

    Candidates are found by a cheaper look where that pays: for many queries of wide vectors only the LOOKED_AT
    principal components are compared; beyond EXACT_PAIRS comparisons the vectors are dealt into about 3 sqrt(N) cells
    (k-means) and rounded to bytes, since reading them is what takes the time, and a query looks into the nearest cells
    only, as many as hold VECTORS_PROBED on average and more for more candidates. So a few may be missed, and more are
    looked up than asked for; the distances to all of those are then measured in full. Equally near ones come in the
    order of their places.

    Parameters
    ----------
    queries, vectors
        (Q, D) and (N, D), N below 2^31.
    count
        How many to find, N at most.

    Returns
    -------
    places
        (Q, count) int64; NOBODY where fewer were found.
    squared
        (Q, count) float32 squared distances, infinite to NOBODY.
    """
    looked_up = min(count + round(count * MORE_LOOKED_UP) + 1, len(vectors))
    places, squared = np.empty((len(queries), count), np.int64), np.empty((len(queries), count), np.float32)
    for rows, candidates in _candidates(queries, vectors, looked_up):
        places[rows], squared[rows] = _nearest_of(candidates, queries, rows, vectors, count)
    return places, squared


def _candidates(queries: Float32, vectors: Float32, count: int) -> Iterator[tuple[Int64, Int64]]:
    """Some R of the queries at a time, (R,), and (R, count) which vectors are about the nearest, or NOBODY."""
    if vectors.shape[1] > LOOKED_AT and len(queries) > SAMPLES:
        components = _principal_components(vectors)
        same, vectors = queries is vectors, vectors @ components
        queries = vectors if same else queries @ components
    if len(queries) * len(vectors) > EXACT_PAIRS:
        yield from _candidates_by_cells(queries, vectors, count)
        return
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    for start in range(0, len(queries), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(queries)))
        yield rows, index.search(queries[rows[0] : rows[-1] + 1], count)[1]


def _nearest_of(
    candidates: Int64, queries: Float32, rows: Int64, vectors: Float32, count: int
) -> tuple[Int64, Float32]:
    """The nearest of (R, C) candidates to these (R,) queries, measured, and the (R, count) squared distances."""
    found = candidates != NOBODY
    squared = np.full(candidates.shape, np.inf, np.float32)
    squared[found] = _squared_distances(queries, np.repeat(rows, found.sum(axis=1)), vectors, candidates[found])
    # Numbers that sort as the distances do, then as the places: the bits of floats not below 0 are in their order.
    keys = (squared.view(np.int32).astype(np.int64) << PLACE_BITS) | (candidates & LARGEST_PLACE)
    keys.sort(axis=1)
    keys = keys[:, :count]
    return keys.astype(np.int32).astype(np.int64), (keys >> PLACE_BITS).astype(np.int32).view(np.float32)


def _search(index: faiss.Index, queries: Float32, count: int) -> tuple[Int64, Float32]:
    """The nearest of an index, and their squared distances, both (Q, count)."""
    places, squared = np.empty((len(queries), count), np.int64), np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        index.search(queries[part], count, D=squared[part], I=places[part])
    return places, squared


def _candidates_by_cells(queries: Float32, vectors: Float32, count: int) -> Iterator[tuple[Int64, Int64]]:
    index: Any = _trained(vectors)
    index.parallel_mode = 3  # each thread takes some queries; else `search` alone is parallel, not what it calls
    probed = VECTORS_PROBED + VECTORS_PROBED_A_CANDIDATE * count
    index.nprobe = min(index.nlist, round(probed * index.nlist / len(vectors)) or 1)
    cells, cell_squared = _search(index.quantizer, queries, index.nprobe)
    # The index takes whole numbers of a byte as they are, and spoils others.
    scale = LARGEST_BYTE / (max(queries.max(), -queries.min(), vectors.max(), -vectors.min()) or 1)
    _add(index, vectors, cells[:, 0] if queries is vectors else _search(index.quantizer, vectors, 1)[0][:, 0], scale)
    # Queries of one cell follow each other: what they look into is then still in the processor's cache.
    by_cell = np.argsort(cells[:, 0], kind="stable")
    for start in range(0, len(queries), ROWS_AT_ONCE):
        rows = by_cell[start : start + ROWS_AT_ONCE]
        yield rows, index.search_preassigned(np.rint(queries[rows] * scale), count, cells[rows], cell_squared[rows])[1]


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


def squared_distances_between(vectors: Float32, one: Int64, other: Int64) -> Float32:
    """(P,) squared distances between those of (N, D) vectors that `one` and `other` (P,) name."""
    return _squared_distances(vectors, one, vectors, other)


def _squared_distances(vectors: Float32, one: Int64, others: Float32, other: Int64) -> Float32:
    """(P,) squared distances between those of (N, D) vectors and of (M, D) others that `one` and `other` (P,) name."""
    squared = np.empty(len(one), np.float32)
    arrays = (vectors, np.ascontiguousarray(one), others, np.ascontiguousarray(other), squared)
    threads = faiss.omp_get_max_threads()
    if len(squared) < PAIRS_WORTH_THREADS:
        faiss.omp_set_num_threads(1)
    UNTYPED.pairwise_indexed_L2sqr(vectors.shape[1], len(squared), *(faiss.swig_ptr(array) for array in arrays))
    faiss.omp_set_num_threads(threads)
    return squared


def _principal_components(vectors: Float32) -> Float32:
    """(D, LOOKED_AT) directions of the largest variance, of evenly spaced samples."""
    sample = vectors[:: max(1, len(vectors) // SAMPLES)]
    apart = (sample - sample.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(apart.T @ apart)
    return np.ascontiguousarray(directions[:, ::-1][:, :LOOKED_AT], np.float32)
