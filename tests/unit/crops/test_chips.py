"""Promises of cropping: chips that models can be fed from, and the measures that faceswap's users know."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.alignments.files import read_alignments
from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest
from faceset.alignments.tables import FACES
from faceset.crops.tables import CHIPS, MEASURES
from faceset.footage.tables import FRAMES
from faceset.geometry.smooth_warp import smooth_warp
from faceset.geometry.transforms import chip_matrices
from faceset.tables.parquet import read_table, write_table
from factory import FolderParts, crop_into, write_frames, write_rows
from golden_data import (
    BLUR_FFT_MOVES,
    BLUR_MOVES,
    PHOTOS,
    Record,
    assert_near,
    column,
    photo_figures,
    photo_frame,
    sorted_photo_pictures,
)
from real_models import identity_model

SCHEMAS = {"chips": CHIPS, "measures": MEASURES}


@pytest.fixture(scope="module")
def cropped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the faces, chips and measures of faceswap's photos."""
    folder = tmp_path_factory.mktemp("photos")
    write_frames(PHOTOS / "frames", folder / "frames")
    read = read_alignments(PHOTOS / "alignments.fsa")
    outputs = [folder / name for name in ("faces", "alignments", "problems")]
    inputs = IngestInputs(read, "alignments.fsa", "photos", PHOTOS / "frames", folder / "frames")
    ingest(inputs, IngestOutputs(*outputs))
    crop_into(folder, PHOTOS / "frames", folder / "frames", folder / "faces")
    return folder


def test_every_face_has_a_chip_and_measures_in_the_order_of_frames(cropped: Path) -> None:
    expected = [f"photos/{name.removesuffix('.png')}" for name in photo_figures()]
    assert read_table(cropped / "chips", CHIPS)["face_id"].to_pylist() == expected
    assert read_table(cropped / "measures", MEASURES)["face_id"].to_pylist() == expected


@pytest.mark.pixels
@pytest.mark.parametrize(
    ("measure", "key", "most"),
    [
        ("size", "size_px", 0),
        ("distance", "distance", 5e-8),  # without AVX2: 4.2e-8
        ("blur", "blur", BLUR_MOVES),
        ("blur_fft", "blur_fft", BLUR_FFT_MOVES),
    ],
)
def test_measures_are_faceswaps(cropped: Path, measure: str, key: str, most: float, record_property: Record) -> None:
    found = read_table(cropped / "measures", MEASURES)[measure].to_numpy()
    assert_near(found, column(key).astype(np.float32), most, measure, record_property)


@pytest.mark.pixels
def test_poses_are_faceswaps(cropped: Path, record_property: Record) -> None:
    table = read_table(cropped / "measures", MEASURES)
    found = np.stack([table[name].to_numpy() for name in ("pitch", "yaw", "roll")], axis=1)
    # Without AVX2: 1.1e-4 degrees.
    assert_near(found, column("pitch_yaw_roll_deg"), 1.2e-4, "degrees", record_property)


@pytest.mark.pixels
@pytest.mark.parametrize("measure", ["size", "distance", "yaw", "pitch", "roll", "blur", "blur_fft"])
def test_sorting_the_table_by_a_measure_gives_faceswaps_order(cropped: Path, measure: str) -> None:
    direction = "ascending" if measure == "distance" else "descending"
    table = read_table(cropped / "measures", MEASURES).sort_by([(measure, direction)])
    expected = [f"photos/{name.removesuffix('.png')}" for name in sorted_photo_pictures(measure.replace("_", "-"))]
    assert table["face_id"].to_pylist() == expected


def stored_chips(cropped: Path) -> list[np.ndarray]:
    """The decoded chips of all faces."""
    chips = read_table(cropped / "chips", CHIPS)["chip"].to_pylist()
    return [np.asarray(cv2.imdecode(np.frombuffer(chip, np.uint8), cv2.IMREAD_COLOR), np.uint8) for chip in chips]


def test_a_chip_shows_the_face_at_its_base_matrix(cropped: Path) -> None:
    landmarks = column("landmarks_xy").astype(np.float32)
    for name, chip, matrix in zip(photo_figures(), stored_chips(cropped), chip_matrices(landmarks), strict=True):
        assert chip.shape == (384, 384, 3)
        assert np.abs(chip.astype(int) - smooth_warp(photo_frame(name), matrix, 384)).mean() < 3


def test_the_way_over_the_stored_chip_hardly_moves_an_embedding(cropped: Path) -> None:
    model = identity_model()
    landmarks = column("landmarks_xy").astype(np.float32)[::4]
    matrices = model.alignment_matrices(landmarks)
    names = list(photo_figures())[::4]
    cuts = [smooth_warp(photo_frame(name), matrix, 150) for name, matrix in zip(names, matrices, strict=True)]
    stored = model.inputs_from_chips(stored_chips(cropped)[::4], chip_matrices(landmarks), landmarks)
    assert np.linalg.norm(model.embed(np.stack(cuts)) - model.embed(stored), axis=1).max() < 0.05


def test_the_same_faces_give_the_same_bytes(cropped: Path, tmp_path: Path) -> None:
    crop_into(tmp_path, PHOTOS / "frames", cropped / "frames", cropped / "faces")
    for name in ("chips", "measures"):
        assert (tmp_path / name).read_bytes() == (cropped / name).read_bytes()


def test_the_order_and_the_company_of_faces_change_no_chip(cropped: Path, tmp_path: Path) -> None:
    table = read_table(cropped / "faces", FACES)
    some = table.take(np.random.default_rng(0).permutation(len(table))[:7])
    write_table(tmp_path / "faces", FACES, {name: some[name] for name in some.column_names})
    crop_into(tmp_path, PHOTOS / "frames", cropped / "frames", tmp_path / "faces")
    whole = {row["face_id"]: row["chip"] for row in read_table(cropped / "chips", CHIPS).to_pylist()}
    found = read_table(tmp_path / "chips", CHIPS).to_pylist()
    assert len(found) == 7
    assert all(row["chip"] == whole[row["face_id"]] for row in found)


def test_in_parts_the_same_comes_out_and_only_parts_that_changed_are_made_again(
    cropped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("faceset.footage.parts.FRAMES_A_PART", 4)
    parts = FolderParts(tmp_path / "parts", "chips", "measures")
    crop_into(tmp_path, PHOTOS / "frames", cropped / "frames", cropped / "faces", parts)
    for name in ("chips", "measures"):
        assert read_table(tmp_path / name, SCHEMAS[name]).equals(read_table(cropped / name, SCHEMAS[name]))
    frames = read_table(cropped / "frames", FRAMES)
    assert len(parts.made) == -(-len(frames) // 4)
    parts.made.clear()
    crop_into(tmp_path, PHOTOS / "frames", cropped / "frames", cropped / "faces", parts)
    assert parts.made == []

    rows = read_table(cropped / "faces", FACES).to_pylist()
    rows[0]["landmarks"] = [value + 1 for value in rows[0]["landmarks"]]
    write_rows(tmp_path / "edited", FACES, rows)
    crop_into(tmp_path, PHOTOS / "frames", cropped / "frames", tmp_path / "edited", parts)
    assert len(parts.made) == 1
    chips = {row["face_id"]: row["chip"] for row in read_table(tmp_path / "chips", CHIPS).to_pylist()}
    before = {row["face_id"]: row["chip"] for row in read_table(cropped / "chips", CHIPS).to_pylist()}
    assert {face for face in before if chips[face] != before[face]} == {rows[0]["face_id"]}
