"""Clustering of a million faces: seconds and memory."""

from benchmarks.clustering import FACES_A_PERSON, growth

CASES = ((100_000, 1), (1_000_000, 20), (1_000_000, 1))


def report() -> list[str]:
    """Measure them."""
    return [
        "# Clustering a million",
        "",
        f"As the growth in clustering.md: from Parquet to Parquet, {FACES_A_PERSON} faces or tracks a person. The row",
        "before is that of as many faces a track.",
        "",
        *growth(CASES),
    ]
