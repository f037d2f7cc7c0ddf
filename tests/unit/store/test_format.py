"""Promises of the format: no code works on a store, or on a folder, that it does not know."""

from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.store.format import FORMAT, FORMAT_FILE, State, check_format, state_of


def store_of(root: Path, *names: str) -> Path:
    """A folder of these files and folders; a folder's name ends in a slash."""
    root.mkdir()
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(b"")
    return root


def test_a_store_is_begun_where_there_is_none_and_known_from_then_on(tmp_path: Path) -> None:
    root = tmp_path / "deep/store"
    assert state_of(root) == "none"
    check_format(root)
    assert state_of(root) == "current"
    assert (root / FORMAT_FILE).read_text() == f"{FORMAT}\n"


@pytest.mark.parametrize(
    ("names", "state"),
    [
        ((), "none"),
        (("lost+found/", ".hidden"), "none"),
        (("lock/", "locks"), "none"),
        (("footage/", "lock/use", "tmp/tmpabc_12x/frames"), "none"),
        (("actions/", "objects/", "lock"), "old"),
        (("objects/",), "old"),
        (("footage/", "lock"), "old"),
        (("locks/",), "old"),
        (("actions/", "lock/use", "locks"), "old"),
    ],
    ids=str,
)
def test_what_is_in_a_folder_without_a_number_tells_what_it_is(
    tmp_path: Path, names: tuple[str, ...], state: State
) -> None:
    assert state_of(store_of(tmp_path / "store", *names)) == state


@pytest.mark.parametrize(
    ("names", "stranger"),
    [
        (("film.mp4",), "film.mp4"),
        (("actions/", "objects/", "lock", "config/config.yaml"), "config"),
        (("tmp/mine.txt",), "mine.txt"),
        (("tmp/mine/",), "mine"),
    ],
    ids=str,
)
def test_a_folder_that_holds_other_things_is_no_store_and_nothing_is_written_there(
    tmp_path: Path, names: tuple[str, ...], stranger: str
) -> None:
    root = store_of(tmp_path / "store", *names)
    before = sorted(root.rglob("*"))
    for use in (state_of, check_format):
        with pytest.raises(FacesetError, match=rf"holds '{stranger}', so it is no store\. Name a folder of its own"):
            use(root)
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3", "a store of format 3, and this Faceset knows formats up to 2"),
        ("1", "expected the number 2, found 1, which was never written there"),
        ("0", "expected the number 2, found 0"),
        ("", "expected the number of a format, found ''"),
        ("-1", "expected the number of a format, found '-1'"),
        ("²", "cannot be read"),
        ("2\0", "expected the number of a format"),
        ("1" + "0" * 30, "expected the number of a format"),
    ],
)
def test_a_number_that_this_code_does_not_know_is_refused(tmp_path: Path, text: str, words: str) -> None:
    root = store_of(tmp_path / "store", "actions/", "objects/")
    (root / FORMAT_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(FacesetError) as refused:
        state_of(root)
    assert words in str(refused.value)


def test_a_format_that_is_no_file_is_refused(tmp_path: Path) -> None:
    root = store_of(tmp_path / "store", "actions/", f"{FORMAT_FILE}/")
    with pytest.raises(FacesetError, match="cannot be read"):
        state_of(root)
