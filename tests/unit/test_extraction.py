"""Promises of extraction: the pictures that faceswap would have made of the same faces."""

import ast
import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceset.alignments import msgpack_bytes, read_alignments
from faceset.extraction import extract_faces
from faceset.face_ids import face_id, frame_of_key
from faceset.face_png import pixel_digest
from faceset.footage import list_frames
from faceset.schemas import EXTRACTED, KEPT
from faceset.tables import read_table
from factory import write_rows
from golden_data import GOLDEN, PHOTOS, photo_figures, photo_pictures, value_digest

VIDEO = GOLDEN / "video" / "video.mp4"


def extracted(
    folder: Path,
    footage: Path,
    alignments: Path,
    size_px: int = 256,
    min_size_percent: int = 0,
    every: int = 1,
    threads: int = 2,
) -> list[dict[str, Any]]:
    """The `extracted` table of all faces of some alignments; the pictures lie in `folder`/faces."""
    list_frames(footage, folder / "frames")
    read = read_alignments(alignments)
    (folder / "alignments").write_bytes(msgpack_bytes(read.data))
    rows = [
        {"face_id": face_id("film", frame, index), "frame": frame, "index": index}
        for key, entry in read.frames.items()
        for frame in [frame_of_key(key, footage.is_file())]
        for index in range(len(entry["faces"]))
    ]
    write_rows(folder / "kept", KEPT, rows[::-1])
    inputs = footage, folder / "frames", folder / "alignments", folder / "kept"
    extract_faces(*inputs, folder / "faces", folder / "table", size_px, min_size_percent, every, threads)
    found = read_table(folder / "table", EXTRACTED).to_pylist()
    assert sorted(row["file"] for row in found) == sorted(path.name for path in (folder / "faces").iterdir())
    return found


def photos(folder: Path, **options: int) -> list[dict[str, Any]]:
    return extracted(folder, PHOTOS / "frames", PHOTOS / "alignments.fsa", **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All faces of faceswap's photos at 256 px."""
    folder = tmp_path_factory.mktemp("photos")
    photos(folder)
    return folder


def pixels(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def header(path: Path) -> Any:
    """The literal in a picture's text chunk, as faceswap reads it."""
    text = path.read_bytes().partition(b"iTXtfaceswap\0")[2]
    return ast.literal_eval(text[4 : text.index(b"IDAT") - 8].decode())


def test_pixels_and_headers_of_photos_are_faceswaps(made: Path) -> None:
    assert {path.name for path in (made / "faces").iterdir()} == set(photo_pictures())
    for name, expected in photo_pictures().items():
        path = made / "faces" / name
        assert pixel_digest(pixels(path)) == expected["pixels"]
        assert value_digest(header(path)) == expected["header"]


def test_pixels_and_header_of_a_video_are_faceswaps(tmp_path: Path) -> None:
    found = extracted(tmp_path, VIDEO, VIDEO.with_name("video_alignments.fsa"), every=4)
    assert {row["file"].split("_")[1] for row in found} <= {f"{frame:06d}" for frame in range(1, 41, 4)}
    (theirs,) = (VIDEO.parent / "faces_256").iterdir()
    ours = tmp_path / "faces" / theirs.name
    assert np.array_equal(pixels(ours), pixels(theirs))
    assert header(ours) == header(theirs)


def test_the_table_tells_face_bytes_and_pixels_of_every_picture(made: Path) -> None:
    for row in read_table(made / "table", EXTRACTED).to_pylist():
        path = made / "faces" / row["file"]
        assert row["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert row["pixels"] == pixel_digest(pixels(path))
        assert row["face_id"] == f"film/{path.stem}"


def test_only_every_nth_frame_is_extracted_from(tmp_path: Path, made: Path) -> None:
    found = photos(tmp_path, every=5)
    frames = {f"frame_{number:06d}" for number in (1, 6, 11)}
    assert {row["file"] for row in found} == {name for name in photo_pictures() if name.rsplit("_", 1)[0] in frames}
    for row in found:
        assert (tmp_path / "faces" / row["file"]).read_bytes() == (made / "faces" / row["file"]).read_bytes()


@pytest.mark.parametrize("percent", [50, 75, 200])
def test_faces_smaller_than_the_share_of_the_size_are_left_out_and_names_stay(tmp_path: Path, percent: int) -> None:
    corners = {name: np.array(face["roi"]["head_256"]) for name, face in photo_figures().items()}
    sizes = {name: np.hypot(*(square[0] - square[1])) for name, square in corners.items()}
    found = photos(tmp_path, min_size_percent=percent)
    assert {row["file"] for row in found} == {name for name, size in sizes.items() if size >= 256 * percent / 100}


def test_the_size_is_the_one_asked_for(tmp_path: Path) -> None:
    rows = photos(tmp_path, size_px=128, every=14)
    assert {pixels(tmp_path / "faces" / row["file"]).shape for row in rows} == {(128, 128, 3)}


def test_a_source_without_kept_faces_gives_an_empty_folder(tmp_path: Path) -> None:
    list_frames(PHOTOS / "frames", tmp_path / "frames")
    (tmp_path / "alignments").write_bytes(msgpack_bytes(read_alignments(PHOTOS / "alignments.fsa").data))
    write_rows(tmp_path / "kept", KEPT, [])
    inputs = PHOTOS / "frames", tmp_path / "frames", tmp_path / "alignments", tmp_path / "kept"
    extract_faces(*inputs, tmp_path / "faces", tmp_path / "table", 256, 0, 1)
    assert list((tmp_path / "faces").iterdir()) == []
    assert len(read_table(tmp_path / "table", EXTRACTED)) == 0


def test_bytes_and_order_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    written = {}
    for threads in (1, 3, 8):
        folder = tmp_path / str(threads)
        folder.mkdir()
        photos(folder, threads=threads)
        names = sorted(path.name for path in (folder / "faces").iterdir())
        files = [folder / "table", *(folder / "faces" / name for name in names)]
        written[threads] = [path.read_bytes() for path in files]
    assert written[1] == written[3] == written[8]
