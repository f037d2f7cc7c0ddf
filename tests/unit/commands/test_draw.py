"""Promises of drawing faces onto the frames of a source."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.alignments.drawing import draw_on_frame
from faceset.alignments.files import read_alignments
from faceset.commands.draw import draw_faces
from faceset.errors import FacesetError
from factory import alignments, face, write_frames, write_pictures, write_video
from golden_data import PHOTOS

FRAMES = read_alignments(PHOTOS / "alignments.fsa").frames


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    write_frames(PHOTOS / "frames", tmp_path / "frames.parquet")
    return tmp_path / "frames.parquet"


@pytest.mark.parametrize("frame", ["frame_000003", "frame_000003.jpg"])
def test_one_frame_is_drawn_by_either_of_its_names(tmp_path: Path, golden: Path, frame: str) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    paths = draw_faces(PHOTOS / "frames", golden, FRAMES, frame, 1, out, said.append)
    assert paths == list(out.iterdir()) == [out / "frame_000003.png"]
    faces = FRAMES["frame_000003.jpg"]["faces"]
    frame_before = cv2.imread(str(PHOTOS / "frames" / "frame_000003.jpg"))
    assert frame_before is not None
    expected = draw_on_frame(np.asarray(frame_before, np.uint8), faces)
    np.testing.assert_array_equal(cv2.imread(str(paths[0])), expected)
    assert said == [f"{out}: 1 frames with {len(faces)} faces."]


def test_every_nth_frame_of_a_video_is_drawn(tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", frames=10)
    write_frames(video, tmp_path / "frames")
    made = alignments({"clip_000001.mp4": [face()], "clip_000005.mp4": [face(), face()]})
    said: list[str] = []
    draw_faces(video, tmp_path / "frames", made.frames, None, 4, tmp_path / "out", said.append)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["clip_000001.png", "clip_000005.png", "clip_000009.png"]
    assert said == [f"{tmp_path / 'out'}: 3 frames with 3 faces."]


def test_what_can_not_be_drawn_is_said_before_anything_is_written(tmp_path: Path, golden: Path) -> None:
    frames = write_pictures(tmp_path / "copy", ["frame_000001.jpg"])
    inputs = PHOTOS / "frames", golden, FRAMES
    with pytest.raises(FacesetError, match="there is no frame frame_99; the first is frame_000001"):
        draw_faces(*inputs, "frame_99", 1, tmp_path / "out", print)
    with pytest.raises(FacesetError, match="expected a number from 1"):
        draw_faces(*inputs, None, 0, tmp_path / "out", print)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "frame_000011.png").write_bytes(b"mine")
    with pytest.raises(FacesetError, match=r"frame_000011\.png: exists already"):
        draw_faces(*inputs, None, 5, tmp_path / "out", print)
    assert len(list((tmp_path / "out").iterdir())) == 1
    write_frames(frames, tmp_path / "other")
    with pytest.raises(FacesetError, match="is the footage itself"):
        draw_faces(frames, tmp_path / "other", FRAMES, None, 1, frames, print)
