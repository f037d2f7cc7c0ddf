"""Promises of extraction: the pictures that faceswap would have made of the same faces."""

import ast
import dataclasses
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceset.alignments.files import read_alignments
from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest
from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.errors import FacesetError
from faceset.tables.parquet import read_table, write_table
from faceset.tables.schema import Schema
from faceset.training.extraction import ExtractInputs, ExtractSettings, extract_faces, extracted_files
from faceset.training.packs import Cuts
from faceset.training.pixels import pixel_digest
from faceset.training.tables import EXTRACTED, KEPT
from factory import crop_into, write_frames, write_rows
from golden_data import (
    GOLDEN,
    PHOTOS,
    Record,
    assert_cut_as_faceswap,
    photo_figures,
    photo_pictures,
    value_digest,
)

VIDEO = GOLDEN / "video" / "video.mp4"


@functools.cache
def prepared(footage: Path, alignments: Path) -> Path:
    """A folder with what the stages before extraction make of footage of which every face is kept."""
    folder = Path(tempfile.mkdtemp())
    write_frames(footage, folder / "frames")
    outputs = folder / "faces", folder / "alignments", folder / "problems"
    inputs = IngestInputs(read_alignments(alignments), alignments.name, "film", footage, folder / "frames")
    ingest(inputs, IngestOutputs(*outputs))
    crop_into(folder, footage, folder / "frames", folder / "faces")
    rows = read_table(folder / "faces", FACES, ["face_id", "frame", "position", "face_index"]).to_pylist()
    write_rows(folder / "kept", KEPT, [{**row, "index": row.pop("face_index")} for row in rows][::-1])
    return folder


class Extraction:
    """Extraction of all faces of some footage; what it cut is remembered in `folder`/cuts."""

    def __init__(self, folder: Path, footage: Path, alignments: Path) -> None:
        self.folder, self.footage = folder, footage
        self.inputs = prepared(footage, alignments)
        self.pictures = folder / "pictures"

    @property
    def cuts(self) -> Cuts:
        return Cuts(self.folder / "cuts", "context", lambda path: path)

    def extract(
        self, size_px: int = 256, min_size_percent: int = 0, every: int = 1, threads: int = 2, kept: Path | None = None
    ) -> list[dict[str, Any]]:
        """Extract. Returns the rows of the table; the files are in `pictures`."""
        names = ("frames", "faces", "measures", "alignments", "kept")
        inputs = ExtractInputs(self.footage, **{name: self.inputs / name for name in names})
        inputs = dataclasses.replace(inputs, kept=kept or inputs.kept)
        settings = ExtractSettings(size_px, min_size_percent, every, "0" * 64)
        extract_faces(inputs, settings, self.cuts, self.folder / "table", threads)
        rows = read_table(self.folder / "table", EXTRACTED).to_pylist()
        shutil.rmtree(self.pictures, ignore_errors=True)
        self.pictures.mkdir()
        wanted = {row["face_id"]: row["file"] for row in rows}
        video = self.footage.is_file()
        for name, data in extracted_files(self.folder / "table", inputs.alignments, video, self.cuts, wanted):
            (self.pictures / name).write_bytes(data)
        assert {path.name for path in self.pictures.iterdir()} == {row["file"] for row in rows}
        return rows


def photos(folder: Path) -> Extraction:
    return Extraction(folder, PHOTOS / "frames", PHOTOS / "alignments.fsa")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Extraction:
    """All faces of faceswap's photos at 256 px."""
    extraction = photos(tmp_path_factory.mktemp("photos"))
    extraction.extract()
    return extraction


def pixels(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)), np.uint8)


def header(path: Path) -> Any:
    """The literal in a picture's text chunk, as faceswap reads it."""
    text = path.read_bytes().partition(b"iTXtfaceswap\0")[2]
    return ast.literal_eval(text[4 : text.index(b"IDAT") - 8].decode())


@pytest.mark.pixels
def test_pixels_and_headers_of_photos_are_faceswaps(made: Extraction, record_property: Record) -> None:
    assert {path.name for path in made.pictures.iterdir()} == set(photo_pictures())
    assert_cut_as_faceswap([pixels(made.pictures / name) for name in photo_figures()], record_property)
    for name, expected in photo_pictures().items():
        assert value_digest(header(made.pictures / name)) == expected["header"]


def test_pixels_and_header_of_a_video_are_faceswaps(tmp_path: Path) -> None:
    """To the byte whatever the CPU has: the matrix of this face moves by too little to change a pixel."""
    extraction = Extraction(tmp_path, VIDEO, VIDEO.with_name("video_alignments.fsa"))
    found = extraction.extract(every=4)
    assert {row["file"].split("_")[1] for row in found} <= {f"{frame:06d}" for frame in range(1, 41, 4)}
    (theirs,) = (VIDEO.parent / "faces_256").iterdir()
    ours = extraction.pictures / theirs.name
    assert np.array_equal(pixels(ours), pixels(theirs))
    assert header(ours) == header(theirs)


def test_the_table_tells_face_and_pixels_of_every_picture(made: Extraction) -> None:
    for row in read_table(made.folder / "table", EXTRACTED).to_pylist():
        path = made.pictures / row["file"]
        assert row["pixels"] == pixel_digest(pixels(path))
        assert row["face_id"] == f"film/{path.stem}"


def test_only_every_nth_frame_is_extracted_from(tmp_path: Path, made: Extraction) -> None:
    extraction = photos(tmp_path)
    found = extraction.extract(every=5)
    frames = {f"frame_{number:06d}" for number in (1, 6, 11)}
    assert {row["file"] for row in found} == {name for name in photo_pictures() if name.rsplit("_", 1)[0] in frames}
    for path in extraction.pictures.iterdir():
        assert path.read_bytes() == (made.pictures / path.name).read_bytes()


@pytest.mark.parametrize("percent", [50, 75, 200])
def test_faces_smaller_than_the_share_of_the_size_are_left_out_and_names_stay(tmp_path: Path, percent: int) -> None:
    corners = {name: np.array(face["roi"]["head_256"]) for name, face in photo_figures().items()}
    sizes = {name: np.hypot(*(square[0] - square[1])) for name, square in corners.items()}
    found = photos(tmp_path).extract(min_size_percent=percent)
    assert {row["file"] for row in found} == {name for name, size in sizes.items() if size >= 256 * percent / 100}


def test_the_size_is_the_one_asked_for(tmp_path: Path) -> None:
    extraction = photos(tmp_path)
    extraction.extract(size_px=128, every=14)
    assert {pixels(path).shape for path in extraction.pictures.iterdir()} == {(128, 128, 3)}


def test_a_source_without_kept_faces_gives_an_empty_table(tmp_path: Path) -> None:
    extraction = photos(tmp_path)
    assert extraction.extract(kept=write_rows(tmp_path / "kept", KEPT, [])) == []


def test_bytes_and_order_do_not_depend_on_threads_or_on_what_was_cut_before(tmp_path: Path) -> None:
    written = []
    for threads, before in ((1, 1), (3, 1), (8, 1), (2, 5)):
        folder = tmp_path / f"{threads} {before}"
        folder.mkdir()
        extraction = photos(folder)
        extraction.extract(every=before)
        extraction.extract(threads=threads)
        files = [folder / "table", *sorted(extraction.pictures.iterdir())]
        written.append([path.read_bytes() for path in files])
    assert written[0] == written[1] == written[2] == written[3]


@pytest.mark.parametrize("name", ["photos", "video"])
def test_what_was_cut_once_is_not_cut_again(tmp_path: Path, name: str) -> None:
    paths = {
        "photos": (PHOTOS / "frames", PHOTOS / "alignments.fsa"),
        "video": (VIDEO, VIDEO.with_name("video_alignments.fsa")),
    }
    footage, alignments = paths[name]
    moved = tmp_path / footage.name
    (shutil.copytree if footage.is_dir() else shutil.copy)(footage, moved)
    extraction = Extraction(tmp_path, footage, alignments)
    extraction.extract(every=2)
    extraction.footage = moved
    # Frames of which all faces are known need not even be there.
    if moved.is_dir():
        for path in sorted(moved.iterdir())[::2]:
            path.unlink()
    else:
        moved.write_bytes(b"")
    again = extraction.extract(every=2)
    assert len(again) == len(list(extraction.pictures.iterdir()))
    if moved.is_dir():
        assert len(extraction.extract()) == len(photo_pictures())


def test_a_changed_picture_is_another_and_is_cut_again(tmp_path: Path) -> None:
    """With the frame edited in place, the table of frames says so, and none of its old pixels are taken."""
    footage = tmp_path / "frames"
    shutil.copytree(PHOTOS / "frames", footage)
    extraction = Extraction(tmp_path, footage, PHOTOS / "alignments.fsa")
    before = {row["file"]: row for row in extraction.extract()}
    cv2.imwrite(str(footage / "frame_000001.jpg"), 255 - pixels(footage / "frame_000001.jpg"))
    prepared.cache_clear()
    edited = Extraction(tmp_path, footage, PHOTOS / "alignments.fsa")
    for row in edited.extract():
        changed = row["file"].startswith("frame_000001_")
        assert all((row[key] != before[row["file"]][key]) == changed for key in ("cut", "pixels", "picture"))


@pytest.mark.parametrize(("name", "schema"), [("measures", MEASURES), ("faces", FACES)])
def test_a_kept_face_that_a_table_lacks_is_told_and_not_left_out(tmp_path: Path, name: str, schema: Schema) -> None:
    extraction = photos(tmp_path)
    extraction.inputs = Path(shutil.copytree(extraction.inputs, tmp_path / "inputs"))
    table = read_table(extraction.inputs / name, schema)
    lost = table["face_id"][len(table) - 1].as_py()
    write_table(extraction.inputs / name, schema, {column: table[column][:-1] for column in table.column_names})
    with pytest.raises(FacesetError, match=f"^{lost}: the table of face_id.* lacks this face"):
        extraction.extract()
