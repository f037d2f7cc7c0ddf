"""Promises of face ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceset.face_ids import face_id, frame_of_key, split_face_id

names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1)


@given(names, names, st.integers(0, 10**6))
def test_an_id_gives_back_what_it_was_made_of(source: str, frame: str, index: int) -> None:
    assert split_face_id(face_id(source, frame, index)) == (source, frame, index)


@pytest.mark.parametrize("text", ["", "film", "film/", "film/000001", "film/_0", "/000001_0", "film/000001_x"])
def test_what_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no face id"):
        split_face_id(text)


def test_renaming_a_video_changes_no_frame() -> None:
    for key in ("film_000012.mp4", "my film_2_000012.mkv", "film_000012.png"):
        assert frame_of_key(key, is_video=True) == "000012"
    assert frame_of_key("film_1000000.mp4", is_video=True) == "1000000"


def test_frames_of_a_folder_are_file_stems_whatever_digits_they_end_in() -> None:
    assert frame_of_key("film_000012.jpg", is_video=False) == "film_000012"
    assert frame_of_key("a.b.png", is_video=False) == "a.b"


def test_a_video_key_without_number_matches_no_frame() -> None:
    assert not frame_of_key("film.mp4", is_video=True).isdecimal()
