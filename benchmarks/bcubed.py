"""BCubed: how well groups agree with the truth, averaged over items.

Bagga and Baldwin 1998: of an item's group, the share that is truly with it (precision); of its true class, the share
that is in its group (recall).
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Agreement(NamedTuple):
    """Precision, recall and their harmonic mean, each 0 to 1."""

    precision: float
    recall: float
    f: float


def bcubed(found: npt.ArrayLike, truth: npt.ArrayLike) -> Agreement:
    """How well N labels found agree with N true ones, of any kind that sorts."""
    _, group_of, group_sizes = np.unique(np.asarray(found), return_inverse=True, return_counts=True)
    classes, class_of, class_sizes = np.unique(np.asarray(truth), return_inverse=True, return_counts=True)
    cells, shared = np.unique(group_of.astype(np.int64) * len(classes) + class_of, return_counts=True)
    weight = shared.astype(np.float64) ** 2 / shared.sum()
    precision = float(np.sum(weight / group_sizes[cells // len(classes)]))
    recall = float(np.sum(weight / class_sizes[cells % len(classes)]))
    return Agreement(precision, recall, 2 * precision * recall / (precision + recall))
