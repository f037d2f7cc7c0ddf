"""Embeddings of made-up people, as far apart as the default identity model puts real ones."""

from typing import NamedTuple

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import pdist

# Chosen so that 279 faces of 46 people give the default model's measured figures (true accepts at 1e-3 false ones,
# accuracy, groups by average linkage at four cuts), before any way of clustering was scored on them.
CENTRE_VARIANCE = 0.31
FACE_VARIANCE = 0.056
CENTRE_DIMENSIONS = 60  # as many equal ones would spread the distances as much
FACE_DIMENSIONS = 30
RESTLESS_PEOPLE = 0.1  # some people look more different from shot to shot (standard deviation of a logarithm)
POOR_FACES = 0.25  # and some faces are poorer
OUTLIERS = 0.05
FACES_IN_PAIRS = 0.4  # share of faces that share their frame with somebody


class Faces(NamedTuple):
    """N faces: `vectors` (N, D) float32, `people` (N,), and the (P, 2) pairs of faces that share a frame."""

    vectors: np.ndarray
    people: np.ndarray
    cannot_link: np.ndarray


def make_faces(count: int, people: int, width: int = 128, seed: int = 0) -> Faces:
    """`count` faces of `people`, how many of each by a power law; one in twenty is of a stranger seen once."""
    random = np.random.default_rng(seed)
    person = random.choice(people, count, p=_shares(people))
    strangers = random.random(count) < OUTLIERS
    person[strangers] = people + np.arange(np.count_nonzero(strangers))
    vectors = _vectors(random, person, people + np.count_nonzero(strangers), width)
    pairs = random.permutation(count)[: int(count * FACES_IN_PAIRS) // 2 * 2].reshape(-1, 2)
    return Faces(vectors, person, np.sort(pairs[person[pairs[:, 0]] != person[pairs[:, 1]]], axis=1))


CUTS = (0.5, 0.55, 0.6, 0.65)


def likeness(seeds: int = 10) -> list[float]:
    """Of 279 faces of 46 people: true accepts at 1e-3 false ones, accuracy, and groups by average linkage at CUTS."""
    return np.mean([_likeness(seed) for seed in range(1000, 1000 + seeds)], axis=0).tolist()


def _likeness(seed: int) -> list[float]:
    random = np.random.default_rng(seed)
    person = np.concatenate([np.arange(46), random.choice(46, 279 - 46, p=_shares(46))])
    apart = pdist(_vectors(random, person, 46, 128))
    one, other = np.triu_indices(len(person), 1)
    same = person[one] == person[other]
    accuracy = max(np.mean((apart <= limit) == same) for limit in np.linspace(0.4, 0.8, 81))
    tree = hierarchy.linkage(apart, "average")
    groups = [hierarchy.fcluster(tree, cut, "distance").max() for cut in CUTS]
    return [np.mean(apart[same] <= np.quantile(apart[~same], 1e-3)), accuracy, *groups]


def _shares(people: int) -> np.ndarray:
    shares = (np.arange(people) + 3.0) ** -1.0
    return shares / shares.sum()


def _vectors(random: np.random.Generator, person: np.ndarray, people: int, width: int) -> np.ndarray:
    centres = random.standard_normal((people, width), np.float32)
    centres *= _spread(CENTRE_VARIANCE, CENTRE_DIMENSIONS, width)
    restless = np.exp(random.normal(0, RESTLESS_PEOPLE, people))
    scale = restless[person] * np.exp(random.normal(0, POOR_FACES, len(person)))
    vectors = random.standard_normal((len(person), width), np.float32)
    vectors *= _spread(FACE_VARIANCE, FACE_DIMENSIONS, width)
    vectors *= scale.astype(np.float32)[:, None]
    vectors += centres[person]
    return vectors


def _spread(variance: float, dimensions: int, width: int) -> np.ndarray:
    """Standard deviations (D,) that decay so that `dimensions` = (sum of variances)^2 / sum of their squares."""
    decay = np.exp(-2 * np.arange(width) / dimensions)
    return np.sqrt(variance * decay / decay.sum()).astype(np.float32)
