"""Time and memory of a function, alone in a process of its own."""

import importlib
import importlib.metadata
import multiprocessing
import os
import platform
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

LIBRARIES = ("numpy", "faiss-cpu", "opencv-python", "deflate", "msgpack", "av")


class Cost(NamedTuple):
    """What a call cost: `peak_mb` is the whole process, libraries included; `result` is what it returned.

    `cpu_seconds` are of all cores together: on a busy machine they say more than the clock.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    result: Any


def cost_of(function: Callable[..., Any], *arguments: Any) -> Cost:
    """Call a module's function in a fresh process. Imports are not in the seconds; `result` must be small."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (function, arguments))


def _measured(function: Callable[..., Any], arguments: Sequence[Any]) -> Cost:
    importlib.import_module("pandas")  # which pyarrow imports when it first makes an array
    started, busy = time.perf_counter(), time.process_time()
    result = function(*arguments)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - busy
    return Cost(seconds, cpu_seconds, _peak_mb(), result)


def _peak_mb() -> float:
    """The process's own peak: where the kernel tells it, without what it was before exec started it again."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def machine() -> str:
    """The machine and the versions that figures were taken with."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{model}, {cores} cores; Python {platform.python_version()}, {versions}."


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table, all columns but the first aligned to the right."""
    rule = ["---", *["---:"] * (len(titles) - 1)]
    return [f"| {' | '.join(map(str, row))} |" for row in (titles, rule, *rows)]
