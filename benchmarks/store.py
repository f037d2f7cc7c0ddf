"""The store's throughput: taking in and giving out a file, beside a plain copy and its SHA-256."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.measuring import table
from faceset.store.objects import Store

MEGABYTES = 1024


def report() -> list[str]:
    """Measure one large file, and as much in many small ones."""
    rows = []
    for files in (1, 1024):
        with tempfile.TemporaryDirectory() as name:
            rows += _measured(Path(name), files)
    return [
        "# Store",
        "",
        f"{MEGABYTES} MB taken in, and read back verified. What is taken in is hashed, flushed and renamed; the",
        "plain way is cp, sync and sha256sum. Of three rounds by turns, the fastest.",
        "",
        *table(("what", "files", "MB a second"), rows),
    ]


def _measured(folder: Path, files: int) -> list[tuple[str, int, str]]:
    data = np.random.default_rng(1).bytes(MEGABYTES * 2**20 // files - 8)
    origin = folder / "origin"
    origin.mkdir()
    for number in range(files):
        (origin / f"{number:06d}").write_bytes(number.to_bytes(8, "little") + data)
    fastest: dict[str, float] = {}

    def timed(what: str, work: Callable[[], object]) -> None:
        started = time.perf_counter()
        work()
        fastest[what] = min(fastest.get(what, float("inf")), time.perf_counter() - started)

    for _ in range(3):
        store = Store(folder / "store")
        with store.workspace() as workspace:
            paths = [Path(shutil.copy(path, workspace)) for path in sorted(origin.iterdir())]
            subprocess.run(["sync"], check=True)
            artifacts = []
            timed("put", lambda: artifacts.extend(store.put(path) for path in paths))  # noqa: B023
        timed("get", lambda: [store.get(artifact) for artifact in artifacts])  # noqa: B023
        shutil.rmtree(store.root)
        timed("cp, sync", lambda: subprocess.run(f"cp -r {origin} {folder}/copy && sync", shell=True, check=True))
        timed("sha256sum", lambda: subprocess.run(f"sha256sum {folder}/copy/* > {folder}/sums", shell=True, check=True))
        shutil.rmtree(folder / "copy")
    return [(what, files, f"{MEGABYTES / seconds:.0f}") for what, seconds in fastest.items()]
