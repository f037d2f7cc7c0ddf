"""Run benchmarks by name, or all, and write what they measured to benchmarks/results."""

import importlib
import sys
from pathlib import Path

from benchmarks.measuring import machine

RESULTS = Path(__file__).parent / "results"


def _names() -> list[str]:
    """All modules here that have a `report`."""
    others = ("__init__", "__main__", "bcubed", "clustering_candidates", "faces_like", "measuring")
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in others)


LONG = ("calibration", "clustering_large")
"""Only run by name."""


def main() -> None:
    """Run what the command line names."""
    for name in sys.argv[1:] or [name for name in _names() if name not in LONG]:
        if name not in _names():
            raise SystemExit(f"benchmarks: there is no {name!r}; there are {', '.join(_names())}.")
        lines = importlib.import_module(f"benchmarks.{name}").report()
        text = "\n".join([*lines, "", machine(), ""])
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text)
        print(text)


if __name__ == "__main__":
    main()
