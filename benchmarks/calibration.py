"""The settings of clustering: what each of them does, on made-up faces of other seeds than the benchmark's.

`python -m benchmarks calibration` runs it, for half an hour; the constants of `grouping` and `stragglers` were chosen
by it.
"""

from types import ModuleType

import numpy as np

from benchmarks.bcubed import bcubed
from benchmarks.faces_like import Faces, make_faces
from benchmarks.measuring import table
from faceset.people import grouping, stragglers
from faceset.people.grouping import group_tracks

THRESHOLD = 0.6  # the default model's
SEEDS = (101, 102)
SETTINGS = ((8_000, 100), (10_000, 500), (10_000, 3_333))  # faces and people
TRIED: tuple[tuple[ModuleType, str, tuple[float, ...]], ...] = (
    (grouping, "LINKAGE_SHARE", (0.82, 0.85, 0.88, 0.91, 0.94)),
    (grouping, "STRAGGLER_SHARE", (0.9, 1.0, 1.1, 1.2)),
    (stragglers, "STANDING_OUT", (0.6, 0.65, 0.7, 0.75)),
)


def report() -> list[str]:
    """Measure each setting, the others as they are."""
    sets = [make_faces(count, people, seed=seed) for seed in SEEDS for count, people in SETTINGS]
    rows = []
    for module, name, values in TRIED:
        chosen = getattr(module, name)
        for value in values:
            setattr(module, name, value)
            rows.append((name, value, "chosen" if value == chosen else "", *(f"{one:.4f}" for one in _scores(sets))))
        setattr(module, name, chosen)
    return [
        "# Calibration of clustering",
        "",
        f"BCubed of {len(sets)} sets of made-up faces, of seeds that the benchmark does not use.",
        "",
        *table(("setting", "value", "", "least precision", "least recall", "least F", "mean F"), rows),
    ]


def _scores(sets: list[Faces]) -> tuple[float, float, float, float]:
    scores = np.array(
        [
            bcubed(group_tracks(faces.vectors, faces.cannot_link, "euclidean", THRESHOLD).labels, faces.people)
            for faces in sets
        ]
    )
    return (*scores.min(axis=0).tolist(), float(scores[:, 2].mean()))
