"""The files that faceswap made (see tests/data/golden/README.md), and figures read from them."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

GOLDEN = Path(__file__).parents[1] / "data" / "golden"
PHOTOS = GOLDEN / "photos" / "src"


@functools.cache
def photo_figures() -> dict[str, dict[str, Any]]:
    """Figures of the 32 faces of the photos, by picture name."""
    figures: dict[str, dict[str, Any]] = json.loads((GOLDEN / "figures.json").read_text())["faces"]
    return figures


@functools.cache
def odd_figures() -> list[dict[str, Any]]:
    """Figures of turned, tiny and huge faces with 68, 98 and 4 landmarks."""
    figures: list[dict[str, Any]] = json.loads((GOLDEN / "figures_odd.json").read_text())
    return figures


@functools.cache
def photo_pictures() -> dict[str, dict[str, str]]:
    """Digests of pixels and header of the pictures extracted from the photos at 256 px."""
    pictures: dict[str, dict[str, str]] = json.loads((GOLDEN / "photos" / "faces_256.json").read_text())
    return pictures


@functools.cache
def sorted_photo_pictures(by: str) -> list[str]:
    """The names of those pictures in the order of faceswap's Sort tool, sorted by `yaw`, `blur-fft`, `color-gray` …"""
    orders = json.loads((GOLDEN / "orders.json").read_text())["by_default_threshold_or_5_bins"]
    order: list[str] = orders[f"sort:{by}"]["order"]
    return order


def photo_frame(picture: str) -> np.ndarray:
    """The photo, BGR, that a picture `frame_000001_0.png` was extracted from."""
    frame = cv2.imread(str(PHOTOS / "frames" / f"{picture.rsplit('_', 1)[0]}.jpg"))
    assert frame is not None
    return frame


def column(*keys: str) -> np.ndarray:
    """One figure of all photo faces, as an array with faces first."""
    return np.array([functools.reduce(lambda value, key: value[key], keys, face) for face in photo_figures().values()])


def value_digest(value: Any) -> str:
    """SHA-256 of a value made of plain containers, whatever the order of its keys."""
    return hashlib.sha256(repr(_sorted(value)).encode()).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value
