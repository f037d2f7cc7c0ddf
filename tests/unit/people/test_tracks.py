"""Promises of tracks."""

import itertools
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceset.alignments.tables import FACES
from faceset.geometry.boxes import overlaps
from faceset.models.embeddings import Metric
from faceset.people.tables import TRACKS
from faceset.people.tracks import DISTANCE_SHARE, MAX_GAP_FRAMES, MIN_OVERLAP, link_tracks, make_tracks
from faceset.tables.parquet import read_table
from factory import ids, write_rows, write_vectors

THRESHOLD = 0.6
SURE = THRESHOLD * DISTANCE_SHARE
BOX = (100, 50, 60, 80)


def person(number: int, away: float = 0.0) -> NDArray[np.float32]:
    """An embedding of a person, `away` from that person's middle; people are 1.4 apart."""
    vector = np.zeros(8, np.float32)
    vector[number] = 1.0
    vector[7] = away
    return vector


def tracks(
    faces: list[tuple[int, tuple[int, int, int, int], NDArray[np.float32]]], metric: Metric = "euclidean"
) -> list[int]:
    """The track of each face (position, box, embedding), as the number of its first face."""
    names = [str(number) for number in range(len(faces))]
    positions, boxes, vectors = zip(*faces, strict=True)
    found = link_tracks(names, np.array(positions), np.array(boxes), np.array(vectors), metric, THRESHOLD)
    return [int(name) for name in found]


def moved(box: tuple[int, int, int, int], x: int = 0, y: int = 0) -> tuple[int, int, int, int]:
    return box[0] + x, box[1] + y, box[2], box[3]


def test_a_face_that_moves_on_is_followed() -> None:
    assert tracks([(frame, moved(BOX, 10 * frame), person(0)) for frame in range(20)]) == [0] * 20


def test_a_shot_change_ends_a_track() -> None:
    assert tracks([(0, BOX, person(0)), (1, BOX, person(0)), (2, BOX, person(1)), (3, BOX, person(1))]) == [0, 0, 2, 2]
    assert tracks([(0, BOX, person(0)), (1, moved(BOX, 300), person(0))]) == [0, 1]


def test_a_face_may_be_missed_in_a_few_frames_but_no_more() -> None:
    assert tracks([(0, BOX, person(0)), (MAX_GAP_FRAMES, BOX, person(0))]) == [0, 0]
    assert tracks([(0, BOX, person(0)), (MAX_GAP_FRAMES + 1, BOX, person(0))]) == [0, 1]


def test_where_there_is_doubt_a_track_ends() -> None:
    assert tracks([(0, BOX, person(0)), (1, BOX, person(0, SURE - 0.01))]) == [0, 0]
    assert tracks([(0, BOX, person(0)), (1, BOX, person(0, SURE + 0.01))]) == [0, 1]


def test_it_is_the_mean_of_the_track_that_counts() -> None:
    # Each step is small, but the last face is too far from what the track was.
    drift = [(frame, BOX, person(0, away)) for frame, away in enumerate((0.0, 0.3, 0.45, 0.8))]
    assert tracks(drift) == [0, 0, 0, 3]
    settled = [(frame, BOX, person(0, away)) for frame, away in enumerate((0.0, 0.4, 0.4, 0.6))]
    assert tracks(settled) == [0, 0, 0, 0]


def test_two_people_who_cross_keep_their_tracks() -> None:
    steps = range(0, 200, 20)
    faces = [
        face
        for frame, x in enumerate(steps)
        for face in ((frame, moved(BOX, x), person(0)), (frame, moved(BOX, 180 - x), person(1)))
    ]
    assert tracks(faces) == [0, 1] * len(steps)


def test_two_likenesses_in_one_frame_take_the_nearer_track_each() -> None:
    # The greedy choice, the first face to the first track, would leave the second face without one.
    faces = [(0, BOX, person(0, 0.0)), (0, moved(BOX, 15), person(0, 0.4)),
             (1, moved(BOX, 8), person(0, 0.15)), (1, moved(BOX, 8), person(0, -0.1))]  # fmt: skip
    assert tracks(faces) == [0, 1, 1, 0]


def test_cosine_distance_does_not_depend_on_length() -> None:
    faces = [(0, BOX, person(0)), (1, BOX, 5 * person(0)), (2, BOX, person(1))]
    assert tracks(faces, "cosine") == [0, 0, 2]


some_faces = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(0, 2)), min_size=1, max_size=25)


@given(some_faces)
def test_a_track_takes_one_face_a_frame_and_only_faces_that_fit(drawn: list[tuple[int, int, int]]) -> None:
    faces = [(frame, moved(BOX, 20 * place), person(who)) for frame, place, who in sorted(drawn)]
    found = tracks(faces)
    for track in set(found):
        members = [face for face, name in zip(faces, found, strict=True) if name == track]
        assert found[track] == track
        for (before, old, one), (after, new, two) in itertools.pairwise(members):
            assert 0 < after - before <= MAX_GAP_FRAMES
            assert overlaps([old], [new])[0, 0] >= MIN_OVERLAP
            assert np.array_equal(one, two)


def test_faces_without_an_embedding_are_in_no_track(tmp_path: Path) -> None:
    names = ids("film", 4)
    box = dict(zip("xywh", BOX, strict=True))
    rows = [{"face_id": name, "position": place, **box} for place, name in enumerate(names)]
    rows[1] |= {"position": None, "problem": "frame_missing"}
    faces = write_rows(tmp_path / "faces.parquet", FACES, rows[::-1])
    kept = [names[3], names[0], names[2]]
    vectors = write_vectors(tmp_path / "embeddings.parquet", kept, np.stack([person(0), person(0), person(1)]))
    make_tracks(faces, vectors, tmp_path / "tracks.parquet", THRESHOLD)
    assert read_table(tmp_path / "tracks.parquet", TRACKS).to_pylist() == [
        {"face_id": names[0], "track": names[0]},
        {"face_id": names[2], "track": names[2]},
        {"face_id": names[3], "track": names[0]},
    ]


def test_no_faces_make_no_tracks(tmp_path: Path) -> None:
    faces = write_rows(tmp_path / "faces.parquet", FACES, [])
    vectors = write_vectors(tmp_path / "embeddings.parquet", [], np.empty((0, 8)))
    make_tracks(faces, vectors, tmp_path / "tracks.parquet", THRESHOLD)
    assert len(read_table(tmp_path / "tracks.parquet", TRACKS)) == 0
