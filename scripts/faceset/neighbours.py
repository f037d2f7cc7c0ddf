"""The nearest of many vectors: exact where that is affordable, by an index of cells beyond."""

import faiss
import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

# Two cores compare this many pairs of vectors of 128 numbers in some ten seconds.
EXACT_PAIRS = 2_000_000_000
CELLS_PROBED = 12
LEAST_A_CELL = 8
SAMPLES_A_CELL = 40
QUERIES_AT_ONCE = 16_384
LOOKED_AT = 128
SAMPLES = 8_192
NOBODY = -1


def nearest(queries: Float32, vectors: Float32, count: int) -> tuple[Int64, Float32]:
    """For each of Q queries, the `count` nearest of N vectors, nearest first.

    For many queries of wide vectors only the LOOKED_AT principal components are compared: distances come out a little
    too small. Beyond EXACT_PAIRS comparisons the vectors are dealt into about 4 sqrt(N) cells (k-means), and a query
    looks into the nearest CELLS_PROBED of them only: a few of its neighbours may then be missed.

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
        (Q, count) float32 squared distances, rounded as products of matrices are.
    """
    if vectors.shape[1] > LOOKED_AT and len(queries) > SAMPLES:
        components = _principal_components(vectors)
        queries, vectors = queries @ components, vectors @ components
    index = _index(vectors, exact=len(queries) * len(vectors) <= EXACT_PAIRS)
    places, gaps = np.empty((len(queries), count), np.int64), np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), QUERIES_AT_ONCE):
        part = slice(start, start + QUERIES_AT_ONCE)
        index.search(queries[part], count, D=gaps[part], I=places[part])
    return places, gaps


def _index(vectors: Float32, exact: bool) -> faiss.Index:
    size, width = vectors.shape
    plain = faiss.IndexFlatL2(width)
    if exact:
        plain.add(vectors)
        return plain
    index = faiss.IndexIVFFlat(plain, width, min(int(4 * np.sqrt(size)), size // LEAST_A_CELL + 1))
    index.cp.max_points_per_centroid = SAMPLES_A_CELL
    index.cp.min_points_per_centroid = 1  # it only warns of fewer
    index.cp.niter = 8
    index.nprobe = CELLS_PROBED
    index.train(vectors)
    index.add(vectors)
    return index


def _principal_components(vectors: Float32) -> Float32:
    """(D, LOOKED_AT) directions of the largest variance, of evenly spaced samples."""
    sample = vectors[:: max(1, len(vectors) // SAMPLES)]
    apart = (sample - sample.mean(axis=0)).astype(np.float64)
    _, directions = np.linalg.eigh(apart.T @ apart)
    return np.ascontiguousarray(directions[:, ::-1][:, :LOOKED_AT], np.float32)
