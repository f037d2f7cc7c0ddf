"""Promises of ordering: the faces of each frame from left to right, all else as it was, nothing overwritten."""

from pathlib import Path

import pytest

from faceset.alignments.files import fsa_bytes, read_alignments
from faceset.commands.left_to_right import order_faces
from faceset.errors import FacesetError
from golden_data import PHOTOS


@pytest.fixture
def shuffled(tmp_path: Path) -> Path:
    """faceswap's photos, with the faces of each frame from right to left, but for two at one place."""
    data = read_alignments(PHOTOS / "alignments.fsa").data
    for entry in data["__data__"].values():
        entry["faces"].sort(key=lambda face: -face["x"])
    twins = data["__data__"]["frame_000004.jpg"]["faces"]
    assert len(twins) == 3
    twins[1]["x"] = twins[0]["x"]
    path = tmp_path / "shuffled.fsa"
    path.write_bytes(fsa_bytes(data))
    return path


def test_faces_stand_from_left_to_right_and_lose_nothing(shuffled: Path, tmp_path: Path) -> None:
    order_faces(shuffled, tmp_path / "ordered.fsa", lambda _: None)
    before, after = read_alignments(shuffled), read_alignments(tmp_path / "ordered.fsa")
    assert list(after.frames) == list(before.frames)
    for frame, entry in after.frames.items():
        edges = [face["x"] for face in entry["faces"]]
        assert edges == sorted(edges)
        assert {repr(face) for face in entry["faces"]} == {repr(face) for face in before.frames[frame]["faces"]}
        assert entry["video_meta"] == before.frames[frame]["video_meta"]


def test_of_two_faces_at_one_place_the_first_stays_first(shuffled: Path, tmp_path: Path) -> None:
    order_faces(shuffled, tmp_path / "ordered.fsa", lambda _: None)
    before, after = (
        read_alignments(path).frames["frame_000004.jpg"]["faces"] for path in (shuffled, tmp_path / "ordered.fsa")
    )
    assert [repr(face) for face in after] == [repr(before[place]) for place in (2, 0, 1)]


def test_it_tells_how_many_frames_had_another_order(shuffled: Path, tmp_path: Path) -> None:
    told: list[str] = []
    order_faces(shuffled, tmp_path / "once.fsa", told.append)
    order_faces(tmp_path / "once.fsa", tmp_path / "twice.fsa", told.append)
    crowded = sum(len(entry["faces"]) > 1 for entry in read_alignments(shuffled).frames.values())
    assert f"14 frames; the faces of {crowded} were in another order." in told[0]
    assert "14 frames; the faces of 0 were in another order." in told[1]
    assert (tmp_path / "once.fsa").read_bytes() == (tmp_path / "twice.fsa").read_bytes()


def test_a_file_that_is_there_is_not_overwritten(shuffled: Path) -> None:
    before = shuffled.read_bytes()
    with pytest.raises(FacesetError, match="exists already"):
        order_faces(shuffled, shuffled, lambda _: None)
    assert shuffled.read_bytes() == before
