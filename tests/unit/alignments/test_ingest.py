"""Promises of ingest: every face is named and kept, and what cannot be used is marked and listed."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pytest

from faceset.alignments.files import Alignments, msgpack_bytes, read_alignments
from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest
from faceset.alignments.problems import FaceProblem, Problem, ProblemKind, face_sentence, problem_sentence
from faceset.alignments.tables import FACES, PROBLEMS
from faceset.crops.tables import CHIPS, MEASURES
from faceset.errors import FacesetError
from faceset.footage.tables import FRAMES
from faceset.tables.parquet import read_table
from factory import alignments, crop_into, face, landmarks, write_frames, write_pictures, write_rows, write_video
from golden_data import GOLDEN, PHOTOS

WIDTH, HEIGHT = 300, 200


@dataclass(frozen=True)
class Ingested:
    faces: list[dict[str, Any]]
    problems: list[tuple[str, str, str]]
    copy: bytes


def ingested(folder: Path, read: Alignments, frames: list[str], footage: Path = PHOTOS) -> Ingested:
    """What ingest makes of alignments, of footage with frames of these names."""
    rows = [
        {"frame": frame, "position": position, "width": WIDTH, "height": HEIGHT}
        for position, frame in enumerate(frames)
    ]
    table = write_rows(folder / "frames.parquet", FRAMES, rows)
    return ingested_of(folder, read, table, footage)


def ingested_of(folder: Path, read: Alignments, frames: Path, footage: Path) -> Ingested:
    outputs = [folder / name for name in ("faces.parquet", "alignments.msgpack", "problems.parquet")]
    ingest(IngestInputs(read, "film.fsa", "film", footage, frames), IngestOutputs(*outputs))
    problems = read_table(outputs[2], PROBLEMS).to_pylist()
    return Ingested(
        read_table(outputs[0], FACES).to_pylist(),
        [(row["kind"], row["frame"], row["detail"]) for row in problems],
        outputs[1].read_bytes(),
    )


def test_faces_are_named_by_frame_and_their_place_as_they_came(tmp_path: Path) -> None:
    read = alignments({"b.png": [face(x=1), face(x=2)], "a.jpg": [face(x=3)]})
    found = ingested(tmp_path, read, ["a", "b"])
    assert [row["face_id"] for row in found.faces] == ["film/b_0", "film/b_1", "film/a_0"]
    assert [(row["position"], row["face_index"], row["x"]) for row in found.faces] == [(1, 0, 1), (1, 1, 2), (0, 0, 3)]
    assert found.problems == [("several_faces", "b", "2 faces")]


def test_a_face_that_can_not_be_used_shifts_no_other(tmp_path: Path) -> None:
    bad = face(landmarks_xy=[[math.nan, 1.0]] * 68)
    found = ingested(tmp_path, alignments({"a.png": [bad, face()]}), ["a"])
    assert [(row["face_id"], row["problem"] is None) for row in found.faces] == [
        ("film/a_0", False),
        ("film/a_1", True),
    ]


@pytest.mark.parametrize("points", [68, 98])
def test_a_face_partly_outside_its_frame_is_fine(tmp_path: Path, points: int) -> None:
    partly = face(x=-60, y=-70, landmarks_xy=landmarks(-60, -70, 120, points))
    assert ingested(tmp_path, alignments({"a.png": [partly]}), ["a"]).faces[0]["problem"] is None


def wild(value: float) -> list[list[float]]:
    """Good landmarks but for the tip of the nose."""
    points = landmarks(20, 10, 100)
    points[30] = [value, value]
    return points


def mask_with(value: float) -> dict[str, Any]:
    matrix = [[value, 0.0, 0.0], [0.0, 1.0, 0.0]]
    return {"mask": b"", "affine_matrix": matrix, "interpolator": 2, "stored_size": 128, "stored_centering": "face"}


BAD_FACES: list[tuple[dict[str, Any], str, str]] = [
    ({"landmarks_xy": wild(math.nan)}, "not_finite", "landmarks that are not numbers"),
    ({"landmarks_xy": wild(math.inf)}, "not_finite", "landmarks that are not numbers"),
    ({"landmarks_xy": wild(1e300)}, "not_finite", "landmarks that are not numbers"),
    ({"landmarks_xy": wild(1e7)}, "landmarks_far_outside", "landmarks far beyond its frame"),
    ({"landmarks_xy": landmarks(-5e6, -5e6, 1e7)}, "landmarks_far_outside", "landmarks far beyond its frame"),
    (
        {"landmarks_xy": [[-1e9, 0.0], *landmarks(20, 10, 100)[1:]]},
        "landmarks_far_outside",
        "landmarks far beyond its frame",
    ),
    ({"landmarks_xy": [[50.0, 60.0]] * 68}, "landmarks_in_one_place", "landmarks all in one place"),
    (
        {"landmarks_xy": landmarks(20, 10, 100, 4)},
        "too_few_landmarks",
        "too few landmarks to tell who it is (4)",
    ),
    ({"landmarks_xy": landmarks(-130, 10, 100)}, "outside_frame", "wholly outside its frame"),
    ({"landmarks_xy": landmarks(20, HEIGHT + 20, 100)}, "outside_frame", "wholly outside its frame"),
    ({"x": 2**40, "landmarks_xy": landmarks(20, 10, 100)}, "box_far_outside", "a box far beyond its frame"),
    *(
        (changes, "extras_not_finite", "a mask or an identity with numbers that are not finite")
        for changes in (
            {"mask": {"unet": mask_with(math.nan)}},
            {"mask": {"unet": mask_with(1e300)}},
            {"identity": {"vggface2": [0.0, math.inf]}},
        )
    ),
]


@pytest.mark.parametrize(("changes", "problem", "said"), BAD_FACES)
def test_a_face_that_can_not_be_used_is_marked_and_listed(
    tmp_path: Path, changes: dict[str, Any], problem: str, said: str
) -> None:
    found = ingested(tmp_path, alignments({"a.png": [face(**changes)]}), ["a"])
    assert found.faces[0]["problem"] == problem
    assert found.problems == [("bad_face", "a", f"face 0: {said}")]


def test_landmarks_beyond_what_a_matrix_can_hold_are_marked(tmp_path: Path) -> None:
    found = ingested(tmp_path, alignments({"a.png": [face(landmarks_xy=wild(1e20))]}), ["a"])
    # Which of the two it is depends on how the machine rounds.
    assert found.faces[0]["problem"] in ("landmarks_far_outside", "landmarks_in_one_place")
    assert [problem[:2] for problem in found.problems] == [("bad_face", "a")]


def test_every_problem_of_a_face_occurs_and_has_a_sentence_of_its_own() -> None:
    problems = get_args(FaceProblem)
    assert {problem for _, problem, _ in BAD_FACES} | {"frame_missing"} == set(problems)
    assert len({face_sentence(problem) for problem in problems}) == len(problems)


def test_every_kind_of_problem_occurs_and_is_told_by_its_columns(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", frames=100)
    cut = tmp_path / "film.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    write_frames(cut, tmp_path / "frames.parquet")
    left = len(read_table(tmp_path / "frames.parquet", FRAMES))
    bad = face(landmarks_xy=landmarks(20, 10, 100, 4))
    entries = {1: [face(), bad], 2: [], 999: [face(), face()], **{number: [face()] for number in range(4, left + 1)}}
    note = "a note: of (brackets), line 3"
    read = alignments({f"film_{number:06d}.mkv": faces for number, faces in entries.items()}, notes=(note,))
    ingested_of(tmp_path, read, tmp_path / "frames.parquet", cut)
    rows = read_table(tmp_path / "problems.parquet", PROBLEMS).to_pylist()
    details = [row.pop("detail") for row in rows]
    found = [Problem(**row) for row in rows]
    assert found == [
        Problem("bad_face", "000001", face_index=1, count=4, problem="too_few_landmarks"),
        Problem("entry_without_frame", "film_000999.mkv", count=2),
        Problem("footage_cut_short", count=100 - left, total=100),
        Problem("frame_without_entry", "000003"),
        Problem("no_faces", "000002"),
        Problem("note", note=note),
        Problem("several_faces", "000001", count=2),
    ]
    assert {problem.kind for problem in found} == set(get_args(ProblemKind))
    assert details == [problem_sentence(problem) for problem in found]
    assert details[5] == note


def test_whatever_is_not_marked_can_be_cropped(tmp_path: Path) -> None:
    points = landmarks(100, 60, 100)
    strange = {
        "huge": landmarks(-150, -200, 550),
        "tiny": landmarks(20, 10, 1e-3),
        "mirrored": [[300 - x, y] for x, y in points],
        "upside down": [[x, 200 - y] for x, y in points],
        "a line": [[100.0, y] for _, y in points],
        "shuffled": points[::-1],
        "far jaw": [[-1000.0, 1000.0], *points[1:]],
    }
    folder = write_pictures(tmp_path / "photos", ["a.png"], WIDTH, HEIGHT)
    write_frames(folder, tmp_path / "frames.parquet")
    read = alignments({"a.png": [face(landmarks_xy=points) for points in strange.values()]})
    found = ingested_of(tmp_path, read, tmp_path / "frames.parquet", folder)
    crop_into(tmp_path, folder, tmp_path / "frames.parquet", tmp_path / "faces.parquet")
    good = [row["face_id"] for row in found.faces if row["problem"] is None]
    assert len(good) >= 5
    assert read_table(tmp_path / "chips", CHIPS)["face_id"].to_pylist() == good
    assert read_table(tmp_path / "measures", MEASURES)["face_id"].to_pylist() == good


def test_alignments_of_other_footage_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"film\.fsa: none of its 1 frames .*'x\.png'.*'a'.* of other footage"):
        ingested(tmp_path, alignments({"x.png": [face()]}), ["a", "b"])


def test_alignments_partly_of_other_footage_are_used_and_the_rest_is_listed(tmp_path: Path) -> None:
    read = alignments({"a.png": [face()], "x.png": [face(), face()], "c.png": []}, notes=("a note",))
    found = ingested(tmp_path, read, ["a", "b", "c"])
    assert [(row["face_id"], row["problem"], row["position"]) for row in found.faces] == [
        ("film/a_0", None, 0),
        ("film/x_0", "frame_missing", None),
        ("film/x_1", "frame_missing", None),
    ]
    assert found.problems == [
        ("entry_without_frame", "x.png", "2 faces of a frame that is not in the footage"),
        ("frame_without_entry", "b", ""),
        ("no_faces", "c", ""),
        ("note", "", "a note"),
    ]


def test_problems_are_sorted_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    entries = {f"{name}.png": [face(), face()] for name in "dbca"}
    frames = list("abcdefghij")
    found = ingested(tmp_path, alignments(entries), frames)
    assert found.problems == sorted(found.problems)
    assert found.problems == ingested(tmp_path, alignments(dict(sorted(entries.items()))), frames).problems
    assert len(found.problems) == 10


def test_two_entries_of_one_frame_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"the entries 'a\.png' and 'a\.jpg' are both of frame a"):
        ingested(tmp_path, alignments({"a.png": [face()], "a.jpg": [face()]}), ["a"])


def test_a_video_may_have_been_renamed_since(tmp_path: Path) -> None:
    found = ingested(tmp_path, alignments({"old name_000002.mkv": [face()]}), ["000001", "000002"], Path("film.mp4"))
    assert found.faces[0]["face_id"] == "film/000002_0"
    assert found.faces[0]["position"] == 1


def test_footage_without_faces_is_no_mistake(tmp_path: Path) -> None:
    found = ingested(tmp_path, alignments({}), ["a", "b"])
    assert found.faces == []
    assert found.problems == [("frame_without_entry", "a", ""), ("frame_without_entry", "b", "")]


@pytest.mark.parametrize("file", ["photos/src/alignments.fsa", "video/video_alignments.fsa"])
def test_the_copy_loses_nothing(tmp_path: Path, file: str) -> None:
    read = read_alignments(GOLDEN / file)
    footage = GOLDEN / "video" / "video.mp4" if "video" in file else PHOTOS / "frames"
    write_frames(footage, tmp_path / "frames.parquet")
    found = ingested_of(tmp_path, read, tmp_path / "frames.parquet", footage)
    assert found.copy == msgpack_bytes(read.data)
    assert all(row["problem"] is None for row in found.faces)
    assert len(found.faces) == sum(len(entry["faces"]) for entry in read.frames.values())


def test_a_video_cut_short_is_listed_and_used(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "whole.mkv", frames=100)
    cut = tmp_path / "film.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    write_frames(cut, tmp_path / "frames.parquet")
    found = ingested_of(tmp_path, alignments({"film_000001.mkv": [face()]}), tmp_path / "frames.parquet", cut)
    count = len(read_table(tmp_path / "frames.parquet", FRAMES))
    assert ("footage_cut_short", "", f"{100 - count} of 100 frames cannot be decoded") in found.problems
    write_frames(whole, tmp_path / "frames.parquet")
    found = ingested_of(tmp_path, alignments({"film_000001.mkv": [face()]}), tmp_path / "frames.parquet", whole)
    assert {kind for kind, _, _ in found.problems} == {"frame_without_entry"}


@pytest.mark.parametrize("name", ["film.mp4", "film.ts", "film.avi"])
def test_a_video_of_one_frame_is_no_mistake(tmp_path: Path, name: str) -> None:
    video = write_video(tmp_path / name, frames=1)
    write_frames(video, tmp_path / "frames.parquet")
    read = alignments({name.replace(".", "_000001."): [face()]})
    found = ingested_of(tmp_path, read, tmp_path / "frames.parquet", video)
    assert found.problems == []
