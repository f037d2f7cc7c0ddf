"""The report in a real browser: at phone and desktop width, light and dark, and in print."""

import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from conftest import Demo
from faceset.project.project import REPOSITORY

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SCREENSHOTS = REPOSITORY / ".cache" / "screenshots"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")


def browse(demo: Demo, tmp_path: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open the demo's report in a fresh browser profile."""
    assert BROWSER is not None
    page = (demo.folder / "results/report.html").as_uri()
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    return subprocess.run([BROWSER, *FLAGS, profile, *flags, page], capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(("device", "width", "height"), [("phone", 500, 3000), ("desktop", 1280, 3000)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_drawn(
    demo: Demo, tmp_path: Path, capfd: pytest.CaptureFixture[str], device: str, width: int, height: int, scheme: str
) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    target = SCREENSHOTS / f"report-{device}-{scheme}.png"
    target.unlink(missing_ok=True)
    dark = ("--blink-settings=preferredColorScheme=0",) if scheme == "dark" else ()
    browse(demo, tmp_path, *dark, f"--window-size={width},{height}", f"--screenshot={target}")
    picture = cv2.imread(str(target))
    with capfd.disabled():
        print(f"\nscreenshot: {target.relative_to(REPOSITORY)}", file=sys.stderr)
    assert picture.shape[:2] == (height, width)
    corner = picture[:10, :10].mean()
    assert corner < 60 if scheme == "dark" else corner > 200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 5000, "photographs have many colours"
    assert (picture[:, -4:] == picture[0, -1]).all(), "something reaches beyond the page's right edge"


def test_the_page_s_own_script_runs_and_asks_the_network_for_nothing(demo: Demo, tmp_path: Path) -> None:
    done = browse(demo, tmp_path, "--enable-logging=stderr", "--dump-dom")
    assert 'class="scripted"' in done.stdout
    told = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not told, "the browser's console is to stay empty"


def test_the_report_prints_to_a_few_pages(demo: Demo, tmp_path: Path) -> None:
    target = tmp_path / "report.pdf"
    browse(demo, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={target}")
    pages = target.read_bytes().count(b"/Type /Page\n")
    assert 1 <= pages <= 12
