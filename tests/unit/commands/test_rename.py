"""Promises of giving face pictures their original names back."""

import os
import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from faceset.commands.rename import restore_names
from faceset.errors import FacesetError
from faceset.training.pictures.png import header_text, read_header
from factory import face, png

KILLED = 137


def write_face(path: Path, original: str) -> Path:
    """A face picture whose header remembers the name `original`."""
    source = {
        "alignments_version": 2.4,
        "original_filename": original,
        "face_index": 0,
        "source_filename": "frame.jpg",
        "source_is_video": False,
        "source_frame_dims": [64, 96],
    }
    path.write_bytes(png(np.zeros((4, 4, 3), np.uint8), header_text(face(), source)))
    return path


def write_faces(folder: Path, originals: dict[str, str]) -> None:
    for name, original in originals.items():
        write_face(folder / name, original)


def names(folder: Path) -> dict[str, str]:
    """The original name in the header of each file, by its name now."""
    return {
        path.name: read_header(path.read_bytes(), path.name)["source"]["original_filename"]
        for path in sorted(folder.iterdir())
    }


def all_right(originals: Iterable[str]) -> dict[str, str]:
    return {name: name for name in sorted(originals)}


def test_sorted_names_become_original_ones(tmp_path: Path) -> None:
    write_faces(tmp_path, {"00000.png": "b_1.png", "00001.PNG": "a_0.png", "c_0.png": "c_0.png"})
    said: list[str] = []
    assert restore_names(tmp_path, False, said.append) == 2
    assert names(tmp_path) == all_right(["a_0.png", "b_1.png", "c_0.png"])
    assert said == ["2 of 3 face pictures were renamed."]
    assert restore_names(tmp_path, False, said.append) == 0


def test_names_may_be_exchanged_in_circles_and_chains(tmp_path: Path) -> None:
    circle = {"a.png": "b.png", "b.png": "c.png", "c.png": "a.png"}
    swap = {"d.png": "e.png", "e.png": "d.png"}
    chain = {"z.png": "y.png", "y.png": "x.png"}
    write_faces(tmp_path, {**circle, **swap, **chain})
    restore_names(tmp_path, False, print)
    assert names(tmp_path) == all_right(["a.png", "b.png", "c.png", "d.png", "e.png", "x.png", "y.png"])


def test_a_hundred_shuffled_names_come_right(tmp_path: Path) -> None:
    originals = [f"frame_{number:06d}_0.png" for number in range(100)]
    shuffled = originals[:]
    random.Random(3).shuffle(shuffled)
    write_faces(tmp_path, dict(zip(originals, shuffled, strict=True)))
    restore_names(tmp_path, False, lambda _: None)
    assert names(tmp_path) == all_right(originals)


def test_two_files_of_one_original_name_stop_it_before_anything_is_renamed(tmp_path: Path) -> None:
    before = {"1.png": "z.png", "2.png": "a_0.png", "3.png": "a_0.png"}
    write_faces(tmp_path, before)
    with pytest.raises(FacesetError, match=r"2\.png and .*3\.png were both called a_0\.png"):
        restore_names(tmp_path, False, print)
    assert names(tmp_path) == before


def test_a_name_that_is_taken_is_not_overwritten(tmp_path: Path) -> None:
    write_faces(tmp_path, {"1.png": "a.png"})
    (tmp_path / "a.png").mkdir()
    with pytest.raises(FacesetError, match=r"1\.png: its original name, a\.png, is taken by something else"):
        restore_names(tmp_path, False, print)


@pytest.mark.parametrize("name", ["../a.png", "/tmp/a.png", "a.png/..", "a\\b.png", "a.exe", ".a.png", ""])
def test_a_header_can_not_send_a_file_elsewhere(tmp_path: Path, name: str) -> None:
    write_faces(tmp_path, {"1.png": name})
    with pytest.raises(FacesetError, match=r"1\.png: the original name in its header"):
        restore_names(tmp_path, False, print)


def test_a_broken_picture_stops_it_before_anything_is_renamed(tmp_path: Path) -> None:
    write_faces(tmp_path, {"1.png": "a.png"})
    (tmp_path / "2.png").write_bytes(b"")
    with pytest.raises(FacesetError, match=r"2\.png: an empty file"):
        restore_names(tmp_path, False, print)
    assert (tmp_path / "1.png").exists()


def test_a_dry_run_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    before = {"1.png": "2.png", "2.png": "a.png"}
    write_faces(tmp_path, before)
    said: list[str] = []
    assert restore_names(tmp_path, True, said.append) == 2
    assert said[:2] == ["1.png -> 2.png", "2.png -> a.png"]
    assert names(tmp_path) == before


def killed_at(step: int, folder: Path) -> bool:
    """Restore names in a process that is killed right before its renaming number `step`; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def die(event: str, _: tuple[Any, ...]) -> None:
            nonlocal left
            if event == "os.rename":
                left -= 1
                if left < 0:
                    os._exit(KILLED)

        sys.addaudithook(die)
        try:
            restore_names(folder, False, lambda _: None)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def test_killed_anywhere_no_picture_is_lost_and_a_second_run_finishes(tmp_path: Path) -> None:
    before = {"a.png": "b.png", "b.png": "a.png", "c.png": "d.png", "d.png": "e.png"}
    for step in range(20):
        folder = tmp_path / str(step)
        folder.mkdir()
        write_faces(folder, before)
        killed = killed_at(step, folder)
        assert sorted(names(folder).values()) == ["a.png", "b.png", "d.png", "e.png"]
        killed_at(1, folder)  # and the second run too
        restore_names(folder, False, lambda _: None)
        assert names(folder) == all_right(before.values())
        if not killed:
            assert step > 4
            return
