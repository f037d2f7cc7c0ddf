"""Promises of reading a folder of face pictures."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.errors import FacesetError
from faceset.training.pictures.folders import list_face_files, read_face_picture, read_pixel_digest
from factory import picture
from golden_data import GOLDEN, photo_pictures

FACE = GOLDEN / "photos" / "faces_256" / "frame_000011_0.png"


def test_an_upper_case_suffix_counts_and_other_files_do_not(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.PNG", "a.png", "sub/c.Png", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_bytes(b"")
    assert list_face_files(tmp_path, subfolders=True) == [tmp_path / n for n in ("a.png", "b.PNG", "sub/c.Png")]
    assert list_face_files(tmp_path, subfolders=False) == [tmp_path / "a.png", tmp_path / "b.PNG"]


def test_a_converted_picture_is_refused_by_name(tmp_path: Path) -> None:
    shutil.copy(FACE, tmp_path / "a.png")
    (tmp_path / "b.jpg").write_bytes(b"")
    with pytest.raises(FacesetError, match=r"b\.jpg: a picture, but no PNG"):
        list_face_files(tmp_path, subfolders=False)


def test_an_empty_or_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"no face pictures \(\.png\)"):
        list_face_files(tmp_path, subfolders=True)
    with pytest.raises(FacesetError, match=r"nowhere: no such folder"):
        list_face_files(tmp_path / "nowhere", subfolders=True)


def test_the_header_tells_where_the_face_is_from() -> None:
    face = read_face_picture(FACE)
    assert (face.frame, face.index, face.is_video) == ("frame_000011.jpg", 0, False)
    assert (face.frame_size_px, face.original_name) == ((360, 640), FACE.name)
    assert len(face.face["landmarks_xy"]) == 68


def test_pixels_are_known_whatever_the_file_is_made_of(tmp_path: Path) -> None:
    pixels = cv2.imread(str(FACE))
    assert pixels is not None
    cv2.imwrite(str(tmp_path / "saved again.png"), pixels)
    assert (tmp_path / "saved again.png").read_bytes() != FACE.read_bytes()
    expected = photo_pictures()[FACE.name]["pixels"]
    assert read_pixel_digest(tmp_path / "saved again.png") == read_pixel_digest(FACE) == expected


@pytest.mark.parametrize("damage", ["empty", "cut short", "damaged", "text"])
def test_a_broken_picture_is_an_error_that_names_it(tmp_path: Path, damage: str) -> None:
    data = bytearray(FACE.read_bytes())
    data[-2000] ^= 0xFF
    broken = {"empty": b"", "cut short": data[: len(data) // 2], "damaged": data, "text": b"not a picture"}[damage]
    (tmp_path / "odd.png").write_bytes(broken)
    with pytest.raises(FacesetError, match=r"odd\.png"):
        read_pixel_digest(tmp_path / "odd.png")


def test_a_picture_without_face_data_is_an_error_that_names_it(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "plain.png"), np.asarray(picture(1)))
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("plain.png", "empty.png"):
        with pytest.raises(FacesetError, match=name):
            read_face_picture(tmp_path / name)
