"""Promises of smoothing landmarks over time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceset.alignments.files import fsa_bytes, read_alignments
from faceset.commands.smooth import smooth, smooth_alignments
from faceset.errors import FacesetError
from factory import alignments, face, landmarks
from golden_data import GOLDEN, Record


def write(path: Path, frames: dict[str, list[dict[str, Any]]]) -> Path:
    path.write_bytes(fsa_bytes(alignments(frames).data))
    return path


def jittering(count: int) -> np.ndarray:
    """Landmarks of a face that stands still but for noise of a pixel, (count, 68, 2)."""
    noise = np.random.default_rng(5).normal(0, 1, (count, 68, 2))
    return np.array(landmarks(100, 50, 200)) + noise


@pytest.mark.pixels
def test_it_does_what_faceswap_does(record_property: Record) -> None:
    """To 0.01 px: the 20th and 21st component of these are nearly equal, so that rounding moves them a little.

    Ours lie 0.007 px from faceswap's, whatever the CPU has: among each other they differ by 1e-13 px.
    """
    golden = np.load(GOLDEN / "smooth" / "landmarks.npz")
    difference = np.abs(smooth(golden["before"].astype(np.float64)) - golden["after"])
    record_property("px of smoothing", float(difference.max()))
    assert difference.max() < 0.01
    assert difference.mean() < 0.002


def test_jitter_goes_and_the_face_stays() -> None:
    still = np.array(landmarks(100, 50, 200))
    before = jittering(200)
    after = smooth(before)
    assert np.abs(after - still).mean() < 0.4 * np.abs(before - still).mean()
    assert np.abs(after.mean(axis=0) - still).max() < 0.3


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_frames_are_averaged_too(count: int) -> None:
    before = jittering(count)
    after = smooth(before)
    assert after.shape == before.shape
    if count == 1:
        np.testing.assert_allclose(after, before, atol=1e-9)


def test_only_landmarks_change_and_frames_go_by_name(tmp_path: Path) -> None:
    before = jittering(12)
    names = [f"f_{number:02d}.jpg" for number in range(12)]
    shuffled = [5, 3, 11, 0, 1, 2, 4, 6, 7, 10, 9, 8]
    frames = {names[n]: [face(n, 7, 30, landmarks_xy=before[n].tolist(), thumb=[n])] for n in shuffled}
    said: list[str] = []
    smooth_alignments(write(tmp_path / "in.fsa", frames), tmp_path / "out.fsa", said.append)
    found = read_alignments(tmp_path / "out.fsa").frames
    assert list(found) == [names[n] for n in shuffled]
    for number, expected in enumerate(smooth(before)):
        (entry,) = found[names[number]]["faces"]
        np.testing.assert_allclose(np.asarray(entry["landmarks_xy"]), expected, atol=1e-9)
        assert (entry["x"], entry["w"], list(entry["thumb"])) == (number, 30, [number])
    assert said[0].startswith(f"{tmp_path / 'out.fsa'}: 12 frames; landmarks moved by ")


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ([face(), face()], r"frame 'b\.jpg' has 2 faces; smoothing needs exactly one"),
        ([face(landmarks_xy=landmarks(0, 0, 9, 98))], r"frame 'b\.jpg' has 98 landmarks, others have 68"),
        ([face(landmarks_xy=[[float("nan"), 1.0]] * 68)], r"frame 'b\.jpg': its landmarks are not numbers"),
        ([face(landmarks_xy=[[3.0, 3.0]] * 68)], r"frame 'b\.jpg': its landmarks are not numbers, or all in one"),
    ],
)
def test_what_can_not_be_smoothed_is_named(tmp_path: Path, faces: list[dict[str, Any]], message: str) -> None:
    path = write(tmp_path / "in.fsa", {"a.jpg": [face()], "b.jpg": faces, "c.jpg": [face()]})
    with pytest.raises(FacesetError, match=message):
        smooth_alignments(path, tmp_path / "out.fsa", print)
    assert not (tmp_path / "out.fsa").exists()


def test_nothing_is_overwritten_or_written_in_another_format(tmp_path: Path) -> None:
    path = write(tmp_path / "in.fsa", {"a.jpg": [face()]})
    with pytest.raises(FacesetError, match=r"in\.fsa: exists already"):
        smooth_alignments(path, path, print)
    with pytest.raises(FacesetError, match=r"out\.json: expected a name ending in \.fsa"):
        smooth_alignments(path, tmp_path / "out.json", print)
    with pytest.raises(FacesetError, match=r"none\.fsa: has no frames"):
        smooth_alignments(write(tmp_path / "none.fsa", {}), tmp_path / "out.fsa", print)
