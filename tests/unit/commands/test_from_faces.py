"""Promises of rebuilding alignments from face pictures."""

import copy
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceset.alignments.files import face_landmarks, fsa_bytes, read_alignments
from faceset.commands.from_faces import alignments_from_faces
from faceset.errors import FacesetError
from faceset.training.pictures.png import header_text
from factory import face, png
from golden_data import GOLDEN, PHOTOS

IMAGE = np.zeros((4, 4, 3), np.uint8)


def write_face(path: Path, frame: str, index: int, entry: dict[str, Any] | None = None, **changes: Any) -> Path:
    source = {
        "alignments_version": 2.4,
        "original_filename": f"{Path(frame).stem}_{index}.png",
        "face_index": index,
        "source_filename": frame,
        "source_is_video": not frame.endswith("jpg"),
        "source_frame_dims": [64, 96],
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(IMAGE, header_text(entry or face(), source)))
    return path


def extract_golden(folder: Path) -> dict[str, Any]:
    """Pictures of all faces of the golden photos, as faceswap labels them; returns their alignments."""
    read = read_alignments(PHOTOS / "alignments.fsa")
    for frame, entry in read.frames.items():
        for index, item in enumerate(entry["faces"]):
            write_face(folder / f"{Path(frame).stem}_{index}.png", frame, index, item, source_frame_dims=[360, 640])
    return read.data


def as_rebuilt(data: dict[str, Any]) -> bytes:
    """Alignments without what pictures do not hold: thumbs, frames without faces, all digits of mask matrices."""
    data = copy.deepcopy(data)
    frames = {name: entry for name, entry in sorted(data["__data__"].items()) if entry["faces"]}
    for entry in frames.values():
        for item in entry["faces"]:
            item["thumb"] = None
            for mask in item["mask"].values():
                mask["affine_matrix"] = np.array(mask["affine_matrix"], np.float32).tolist()
    return fsa_bytes({**data, "__data__": frames})


def test_all_pictures_give_the_alignments_they_came_from(tmp_path: Path) -> None:
    original = extract_golden(tmp_path / "faces")
    said: list[str] = []
    (path,) = alignments_from_faces(tmp_path / "faces", tmp_path / "out", said.append)
    assert path == tmp_path / "out" / "alignments.fsa"
    assert path.read_bytes() == as_rebuilt(original)
    assert said == [f"{path}: 32 faces on 14 frames."]


def test_a_picture_by_faceswap_itself_gives_its_face(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "video" / "faces_256", tmp_path / "faces")
    (path,) = alignments_from_faces(tmp_path / "faces", tmp_path, print)
    assert path.name == "video_alignments.fsa"
    ((frame, entry),) = read_alignments(path).frames.items()
    expected = read_alignments(GOLDEN / "video" / "video_alignments.fsa").frames[frame]["faces"][0]
    assert len(entry["faces"]) == 1
    np.testing.assert_array_equal(face_landmarks(entry["faces"][0]), face_landmarks(expected))


def test_names_and_order_of_files_do_not_matter_after_sorting_and_deleting(tmp_path: Path) -> None:
    """The fault to avoid: taking the new index from the order of file names."""
    original = extract_golden(tmp_path / "faces")
    deleted = (GOLDEN / "remove" / "deleted.txt").read_text().split()
    for name in deleted:
        (tmp_path / "faces" / name).unlink()
    for number, path in enumerate(sorted((tmp_path / "faces").iterdir(), reverse=True)):
        path.rename(path.with_name(f"{number:05d}_{path.stem}.PNG"))
    said: list[str] = []
    (path,) = alignments_from_faces(tmp_path / "faces", tmp_path / "out", said.append)
    after = read_alignments(GOLDEN / "remove" / "after.fsa").data
    assert path.read_bytes() == as_rebuilt(after)
    assert path.read_bytes() != as_rebuilt(original)
    places = [name.removesuffix(".png").rpartition("_") for name in deleted]
    moved = sum(
        any(frame == Path(key).stem and int(place) < index for frame, _, place in places)
        for key, entry in original["__data__"].items()
        for index in range(len(entry["faces"]))
        if f"{Path(key).stem}_{index}.png" not in deleted
    )
    assert f" {moved} of them have another index" in said[1]


def test_sources_are_told_apart(tmp_path: Path) -> None:
    faces = tmp_path / "faces"
    write_face(faces / "1.png", "clip_000001.mp4", 0)
    write_face(faces / "sorted" / "2.png", "other_clip_000001.mkv", 0)
    write_face(faces / "3.png", "clip_000002.mp4", 0)
    write_face(faces / "4.png", "frame_000001.jpg", 0)
    write_face(faces / "film--frame_000001_0.png", "frame_000001.jpg", 0, face(x=30))
    write_face(faces / "clip--clip_000001_0.png", "clip_000001.mp4", 0, face(x=30))
    paths = alignments_from_faces(faces, tmp_path, print)
    assert {path.name: list(read_alignments(path).frames) for path in paths} == {
        "alignments.fsa": ["frame_000001.jpg"],
        "clip--clip_alignments.fsa": ["clip_000001.mp4"],
        "clip_alignments.fsa": ["clip_000001.mp4", "clip_000002.mp4"],
        "film--alignments.fsa": ["frame_000001.jpg"],
        "other_clip_alignments.fsa": ["other_clip_000001.mkv"],
    }


def test_copies_are_one_face_and_add_the_masks_that_the_other_lacks(tmp_path: Path) -> None:
    mask = read_alignments(PHOTOS / "alignments.fsa").frames["frame_000001.jpg"]["faces"][0]["mask"]
    write_face(tmp_path / "a.png", "f.jpg", 0, face(identity={"one": [1.0]}))
    write_face(tmp_path / "b.png", "f.jpg", 0, face(mask=mask, identity={"two": [2.0]}))
    (path,) = alignments_from_faces(tmp_path, tmp_path / "out", print)
    (found,) = read_alignments(path).frames["f.jpg"]["faces"]
    assert list(found["mask"]) == list(mask)
    assert list(found["identity"]) == ["one", "two"]


def test_two_faces_of_one_frame_and_index_are_an_error_naming_both(tmp_path: Path) -> None:
    for other in (face(x=21), face(x=20, y=10, landmarks_xy=face(x=21)["landmarks_xy"])):
        write_face(tmp_path / "faces" / "a.png", "f.jpg", 1)
        write_face(tmp_path / "faces" / "b.png", "f.jpg", 1, other)
        with pytest.raises(FacesetError, match=r"a\.png and .*b\.png are both face 1 of frame f\.jpg"):
            alignments_from_faces(tmp_path / "faces", tmp_path / "out", print)
        assert not (tmp_path / "out").exists()


def test_frames_of_one_name_but_different_sizes_are_an_error_naming_both(tmp_path: Path) -> None:
    write_face(tmp_path / "a.png", "f.jpg", 0)
    write_face(tmp_path / "b.png", "f.jpg", 1, source_frame_dims=[128, 96])
    with pytest.raises(FacesetError, match=r"a\.png and .*b\.png are both of a frame f\.jpg"):
        alignments_from_faces(tmp_path, tmp_path / "out", print)


def test_alignments_that_are_there_are_never_overwritten(tmp_path: Path) -> None:
    write_face(tmp_path / "faces" / "1.png", "clip_000001.mp4", 0)
    write_face(tmp_path / "faces" / "2.png", "frame.jpg", 0)
    (tmp_path / "clip_alignments.fsa").write_bytes(b"mine")
    with pytest.raises(FacesetError, match=r"clip_alignments\.fsa: exists already"):
        alignments_from_faces(tmp_path / "faces", tmp_path, print)
    assert (tmp_path / "clip_alignments.fsa").read_bytes() == b"mine"
    assert not (tmp_path / "alignments.fsa").exists()


def test_a_broken_picture_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_face(tmp_path / "a.png", "f.jpg", 0)
    (tmp_path / "b.PNG").write_bytes(b"")
    with pytest.raises(FacesetError, match=r"b\.PNG: an empty file"):
        alignments_from_faces(tmp_path, tmp_path / "out", print)
