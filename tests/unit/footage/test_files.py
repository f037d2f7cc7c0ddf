"""Promises of what footage is known by."""

import os
from pathlib import Path

import pytest

from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.footage.digests import FootageDigests, content_digest
from faceset.footage.files import frame_name, list_pictures
from factory import write_pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "photos", ["a.png", "b.png"])


def digests(footage: Path) -> FootageDigests:
    memory = footage.parent / "memory"
    memory.mkdir(exist_ok=True)
    return FootageDigests(memory, footage)


def swap(file: Path) -> None:
    """Give a file other bytes such that size, time and inode stand."""
    status = file.stat()
    file.write_bytes(file.read_bytes()[::-1])
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_was_never_hashed_is_not_known(folder: Path) -> None:
    assert digests(folder).known() is None
    learned = digests(folder).learn()
    assert learned == {folder / name: file_digest(folder / name) for name in ("a.png", "b.png")}
    assert digests(folder).known() == learned


def test_a_file_is_hashed_once_while_its_size_time_and_inode_stand(folder: Path) -> None:
    before = digests(folder).learn()
    swap(folder / "a.png")
    assert digests(folder).known() == digests(folder).learn() == before
    assert digests(folder).learn(paranoid=True) != before
    assert digests(folder).known() != before


@pytest.mark.parametrize("change", ["time", "size", "inode"])
def test_a_file_that_may_have_changed_is_hashed_again_and_no_other(folder: Path, change: str) -> None:
    before = digests(folder).learn()
    file = folder / "a.png"
    swap(folder / "b.png")
    if change == "time":
        os.utime(file, ns=(0, 0))
    elif change == "size":
        file.write_bytes(file.read_bytes() + b"\0")
    else:
        (folder / "new").write_bytes(file.read_bytes())
        os.utime(folder / "new", ns=(file.stat().st_mtime_ns, file.stat().st_mtime_ns))
        (folder / "new").replace(file)
    assert digests(folder).known() is None
    after = digests(folder).learn()
    assert after[file] == file_digest(file)
    assert after[folder / "b.png"] == before[folder / "b.png"]


def test_moved_and_renamed_footage_is_still_known(folder: Path) -> None:
    before = list(digests(folder).learn().values())
    moved = folder.rename(folder.with_name("elsewhere"))
    (moved / "a.png").rename(moved / "c.png")
    found = digests(moved).known()
    assert found is not None
    assert list(found.values()) == before[::-1]


def test_a_damaged_memory_is_none(folder: Path) -> None:
    learned = digests(folder).learn()
    (memory,) = (folder.parent / "memory").iterdir()
    for data in (b"", b"{}", b"[[1]]", b"[1]"):
        memory.write_bytes(data)
        assert digests(folder).known() is None
    assert digests(folder).learn() == learned


def test_content_is_pictures_with_their_names_and_a_video_s_bytes_alone() -> None:
    contents = [
        content_digest({Path("x/a.png"): "1", Path("x/b.png"): "2"}, video=False),
        content_digest({Path("x/a.png"): "2", Path("x/b.png"): "1"}, video=False),
        content_digest({Path("x/a.png"): "1", Path("x/c.png"): "2"}, video=False),
        content_digest({Path("a.mp4"): "1"}, video=False),
        content_digest({Path("a.mp4"): "1"}, video=True),
    ]
    assert len(set(contents)) == 5
    assert contents[0] == content_digest({Path("y/a.png"): "1", Path("y/b.png"): "2"}, video=False)
    assert contents[4] == content_digest({Path("b.mkv"): "1"}, video=True)


def test_a_frame_of_a_video_is_called_after_it() -> None:
    assert frame_name("my film.v2.mp4", "000012") == "my film.v2_000012.mp4"


def test_a_picture_whose_name_is_not_utf_8_is_named_and_other_files_may_be_called_anything(folder: Path) -> None:
    (folder / os.fsdecode(b"\xff.txt")).touch()
    assert [path.name for path in list_pictures(folder)] == ["a.png", "b.png"]
    (folder / os.fsdecode(b"\xff.png")).touch()
    with pytest.raises(FacesetError) as error:
        list_pictures(folder)
    assert str(error.value) == rf"{folder}: the file name b'\xff.png' is not UTF-8. Rename it."
