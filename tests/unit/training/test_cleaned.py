"""Promises of cleaned alignments."""

import copy
import pickle
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from faceset.alignments.files import from_msgpack, msgpack_bytes, read_alignments
from faceset.decisions.tables import MANIFEST
from faceset.face_ids import face_id, frame_of_key
from faceset.footage.tables import FRAMES
from faceset.tables.parquet import read_table, write_table
from faceset.tables.schema import Schema
from faceset.training.cleaned import CleanInputs, CleanOutputs, CleanSettings, clean_alignments
from faceset.training.tables import KEPT
from sample_face import as_in_file

GOLDEN = Path(__file__).parents[2] / "data" / "golden"


def store(path: Path, schema: Schema, rows: list[dict[str, Any]]) -> Path:
    write_table(path, schema, {name: [row.get(name) for row in rows] for name in schema.names})
    return path


@dataclass
class Cleaned:
    """What came out: the `.fsa` as plain pickle reads it, the msgpack, the `kept` table, and all bytes."""

    fsa: dict[str, Any]
    msgpack: dict[str, Any]
    kept: list[dict[str, Any]]
    written: bytes


def clean(folder: Path, data: dict[str, Any], names: list[str], is_video: bool, dropped: set[str]) -> Cleaned:
    """Clean the alignments `data` of the source `film`, whose footage has frames of these names, of some faces."""
    frames = [
        {
            "frame": frame_of_key(name, is_video),
            "name": None if is_video else name,
            "position": position,
            "digest": "",
            "keyframe": True,
        }
        | dict.fromkeys(("width", "height", "rotation"), 0)
        for position, name in enumerate(names)
    ]
    ids = [
        face_id("film", frame_of_key(key, is_video), index)
        for key, entry in data["__data__"].items()
        for index in range(len(entry["faces"]))
    ]
    faces = [{"face_id": face, "source": "film", "kept": face not in dropped} for face in ids]
    faces += [{"face_id": face, "source": "other", "kept": True} for face in dropped]
    defaults = {"frame": "", "face_index": 0, "decided_by": "row", "rule": "cluster", "reason": ""}
    alignments = folder / "in.msgpack"
    alignments.write_bytes(msgpack_bytes(data))
    outputs = folder / "out.fsa", folder / "out.msgpack", folder / "kept.parquet"
    clean_alignments(
        CleanInputs(
            alignments,
            store(folder / "frames.parquet", FRAMES, frames),
            [store(folder / "manifest.parquet", MANIFEST, [defaults | face for face in faces])],
        ),
        CleanSettings("film", re.sub(r"_\d{6}(?=\.)", "", names[0]) if is_video else None),
        CleanOutputs(*outputs),
    )
    return Cleaned(
        pickle.loads(zlib.decompress(outputs[0].read_bytes())),
        as_in_file(from_msgpack(outputs[1].read_bytes(), "out").data),
        read_table(outputs[2], KEPT).to_pylist(),
        b"".join(path.read_bytes() for path in outputs),
    )


def without_mask_matrices(data: dict[str, Any]) -> dict[str, Any]:
    """Alignments to compare with faceswap's, which in passing rounds the matrices of masks."""
    data = copy.deepcopy(data)
    for entry in data["__data__"].values():
        for face in entry["faces"]:
            for mask in face["mask"].values():
                del mask["affine_matrix"]
    return data


@pytest.fixture(scope="module")
def photos() -> dict[str, Any]:
    """The alignments of 14 photos with 32 faces, with masks, identities and thumbs."""
    return as_in_file(read_alignments(GOLDEN / "photos" / "src" / "alignments.fsa").data)


@pytest.fixture(scope="module")
def video() -> dict[str, Any]:
    """The alignments of a video of 40 frames."""
    return as_in_file(read_alignments(GOLDEN / "video" / "video_alignments.fsa").data)


def test_the_faces_left_are_those_that_faceswap_leaves(tmp_path: Path, photos: dict[str, Any]) -> None:
    deleted = {f"film/{Path(name).stem}" for name in (GOLDEN / "remove" / "deleted.txt").read_text().split()}
    cleaned = clean(tmp_path, photos, list(photos["__data__"]), False, deleted)
    expected = as_in_file(read_alignments(GOLDEN / "remove" / "after.fsa").data)
    assert list(cleaned.fsa["__data__"]) == list(expected["__data__"])
    assert without_mask_matrices(cleaned.fsa) == without_mask_matrices(expected)


def test_with_every_face_kept_nothing_changes(tmp_path: Path, photos: dict[str, Any], video: dict[str, Any]) -> None:
    for data, is_video in ((photos, False), (video, True)):
        cleaned = clean(tmp_path, data, list(data["__data__"]), is_video, set())
        assert cleaned.fsa == cleaned.msgpack == data
        assert list(cleaned.fsa["__data__"]) == list(data["__data__"])


def test_frames_stay_in_order_when_no_face_is_left(tmp_path: Path, video: dict[str, Any]) -> None:
    everything = {
        face_id("film", frame_of_key(key, True), index)
        for key, entry in video["__data__"].items()
        for index in range(len(entry["faces"]))
    }
    cleaned = clean(tmp_path, video, list(video["__data__"]), True, everything)
    assert list(cleaned.fsa["__data__"]) == list(video["__data__"])
    for key, entry in cleaned.fsa["__data__"].items():
        assert entry == {"faces": [], "video_meta": video["__data__"][key]["video_meta"]}
    assert cleaned.kept == []


def test_the_kept_table_tells_the_id_of_each_face_left(tmp_path: Path, photos: dict[str, Any]) -> None:
    dropped = {"film/frame_000001_0", "film/frame_000013_1"}
    cleaned = clean(tmp_path, photos, list(photos["__data__"]), False, dropped)
    rows = iter(cleaned.kept)
    for position, (key, entry) in enumerate(cleaned.msgpack["__data__"].items()):
        for index, face in enumerate(entry["faces"]):
            row = next(rows)
            assert (row["frame"], row["position"], row["index"]) == (Path(key).stem, position, index)
            original = int(row["face_id"].rpartition("_")[2])
            assert photos["__data__"][key]["faces"][original] == face
            assert row["face_id"] not in dropped
    assert next(rows, None) is None


def test_entries_are_named_after_the_footage_as_it_is_called_now(tmp_path: Path, video: dict[str, Any]) -> None:
    # The footage ends after 30 frames: the other entries are of no frame of it, and their faces never kept.
    renamed = [f"my_film_{number:06d}.mkv" for number in range(1, 31)]
    beyond = {f"film/{number:06d}_{index}" for number in range(31, 41) for index in range(9)}
    cleaned = clean(tmp_path, video, renamed, True, beyond)
    assert list(cleaned.fsa["__data__"]) == renamed + list(video["__data__"])[30:]
    assert list(cleaned.fsa["__data__"].values())[:30] == list(video["__data__"].values())[:30]


def test_pictures_saved_in_another_format_keep_their_faces(tmp_path: Path, photos: dict[str, Any]) -> None:
    names = [f"{Path(key).stem}.png" for key in photos["__data__"]]
    cleaned = clean(tmp_path, photos, names, False, dropped={"film/frame_000001_0"})
    assert list(cleaned.fsa["__data__"]) == names
    assert len(cleaned.kept) == 31


def test_equal_alignments_give_equal_bytes(tmp_path: Path, photos: dict[str, Any]) -> None:
    names = list(photos["__data__"])
    first = clean(tmp_path, photos, names, False, {"film/frame_000001_0"})
    second = clean(tmp_path, copy.deepcopy(photos), names, False, {"film/frame_000001_0"})
    assert first.written == second.written
