"""Promises of the export to JSON."""

import json
from pathlib import Path

import pytest

from faceset.alignments.files import fsa_bytes, msgpack_bytes, read_alignments
from faceset.commands.export import export_json
from faceset.errors import FacesetError
from factory import alignments, face, landmarks
from golden_data import GOLDEN, PHOTOS


def test_the_export_has_faceswaps_form(tmp_path: Path) -> None:
    made = alignments({"a.jpg": [face(20, 10, 40)], "b.jpg": [], "c.jpg": [face(landmarks_xy=landmarks(0, 0, 9, 4))]})
    (tmp_path / "in.fsa").write_bytes(fsa_bytes(made.data))
    export_json(tmp_path / "in.fsa", tmp_path / "out.json", print)
    value = json.loads((tmp_path / "out.json").read_text())
    assert list(value) == ["a.jpg", "b.jpg", "c.jpg"]
    assert value["a.jpg"] == [{"detected": [20, 10, 60, 50], "landmarks_2d": landmarks(20, 10, 40)}]
    assert value["b.jpg"] == []
    assert len(value["c.jpg"][0]["landmarks_2d"]) == 4


@pytest.mark.parametrize("file", [PHOTOS / "alignments.fsa", GOLDEN / "video" / "video_alignments.fsa"])
def test_what_is_exported_reads_back_with_every_box_and_landmark(tmp_path: Path, file: Path) -> None:
    said: list[str] = []
    export_json(file, tmp_path / "out.json", said.append)
    before, after = read_alignments(file).frames, read_alignments(tmp_path / "out.json").frames
    kept = ("x", "y", "w", "h", "landmarks_xy")
    for frames in (before, after):
        for entry in frames.values():
            entry["faces"] = [{key: face[key] for key in kept} for face in entry["faces"]]
            entry["video_meta"] = {}
    data = ({"__meta__": {"version": 2.4}, "__data__": frames} for frames in (before, after))
    assert msgpack_bytes(next(data)) == msgpack_bytes(next(data))
    assert f"{sum(len(entry['faces']) for entry in before.values())} faces on {len(before)} frames" in said[0]


def test_landmarks_that_are_not_numbers_are_named(tmp_path: Path) -> None:
    made = alignments({"a.jpg": [face(), face(landmarks_xy=[[float("nan"), 0.0]] * 68)]})
    (tmp_path / "in.fsa").write_bytes(fsa_bytes(made.data))
    with pytest.raises(FacesetError, match=r"in\.fsa: frame 'a\.jpg', face 1: has landmarks that are not numbers"):
        export_json(tmp_path / "in.fsa", tmp_path / "out.json", print)
    assert not (tmp_path / "out.json").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("mine")
    with pytest.raises(FacesetError, match=r"out\.json: exists already"):
        export_json(PHOTOS / "alignments.fsa", tmp_path / "out.json", print)
    assert (tmp_path / "out.json").read_text() == "mine"
