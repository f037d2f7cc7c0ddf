"""Promises of pixels and figures hold whatever the CPU has: their tests, run with features of it switched off.

What is switched off need not be there: OpenCV and glibc pass over names that a machine lacks, NumPy is told only of
what it found. ONNX Runtime asks the CPU alone; how many threads it has is varied by the tests themselves.
"""

import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import cv2
import pytest
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

HERE = Path(__file__).parent
MARKED = sorted(path for path in HERE.rglob("test_*.py") if "pytest.mark.pixels" in path.read_text(encoding="utf-8"))

# OpenCV's line of features is of those it is built for: `*` before what is dispatched, `?` after what is not used.
OPENCV = [name.strip("*?") for name in cv2.getCPUFeaturesLine().split() if name.startswith("*")]
AVX512 = ",".join(name for name in OPENCV if name.startswith("AVX512"))
NUMPY = " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name])
NO_IPP = {"OPENCV_IPP": "disabled"}
BARE_NUMPY = {
    "NPY_DISABLE_CPU_FEATURES": NUMPY,
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
}

FEATURES: dict[str, dict[str, str]] = {
    "all there is": {},
    "OpenCV without AVX-512": {"OPENCV_CPU_DISABLE": AVX512},
    "OpenCV without AVX2 and FMA": {"OPENCV_CPU_DISABLE": f"{AVX512},AVX2,FMA3"},
    "OpenCV without IPP": NO_IPP,
    "NumPy, BLAS and libm without AVX": BARE_NUMPY,
    "nothing": {"OPENCV_CPU_DISABLE": ",".join([*OPENCV, "FMA3"])} | NO_IPP | BARE_NUMPY,
}


@pytest.mark.pixels
def test_what_is_switched_off_is_off() -> None:
    off = os.environ.get("OPENCV_CPU_DISABLE", "").split(",")
    assert not {name.strip("*") for name in cv2.getCPUFeaturesLine().split()} & set(off)
    assert not any(__cpu_features__[name] for name in os.environ.get("NPY_DISABLE_CPU_FEATURES", "").split())
    assert os.environ.get("OPENCV_IPP") != "disabled" or not cv2.ipp.useIPP()


@pytest.mark.parametrize("features", FEATURES)
def test_pixels_and_figures_are_as_promised_with(
    features: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.xml"
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    options = ["-m", "pixels", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'tests'}"]
    options += [f"--junitxml={report}", "-o", "junit_family=xunit1"]  # which keeps what `record_property` is given
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *map(str, MARKED)],
        env=ours | FEATURES[features],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    suite = next(ElementTree.parse(report).iter("testsuite"))
    assert int(suite.attrib["skipped"]) == 0
    largest: dict[str, float] = defaultdict(float)
    for entry in suite.iter("property"):
        name = entry.attrib["name"]
        largest[name] = max(largest[name], float(entry.attrib["value"]))
    assert {"levels of a cut", "blur", "embedding of a detected face"} <= set(largest)
    seen = ", ".join(f"{name} {value:.2g}" for name, value in sorted(largest.items()))
    with capfd.disabled():
        print(f"\nCPU features, {features}: {suite.attrib['tests']} tests; furthest apart: {seen}", file=sys.stderr)
