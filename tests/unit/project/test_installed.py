"""Promises of putting an alignments file in an original's place: at every moment old or new, and the way back."""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from faceset.errors import FacesetError
from faceset.project.installed import LEDGER, backup_name, installed_original, installed_over, put_back, put_in_place

NOON = datetime(2026, 5, 4, 12, 0, 0)
LATER = datetime(2026, 5, 4, 13, 30, 5)
ORIGINAL, CLEANED, OTHER = b"the original", b"cleaned", b"cleaned in another way"
KILLED = 137


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "film_alignments.fsa"
    path.write_bytes(ORIGINAL)
    return path


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def original(path: Path) -> bytes | None:
    """What ingest would read for `path`."""
    found = installed_original(path) if path.exists() else None
    return found.read_bytes() if found else None


def test_the_original_is_kept_beside_and_goes_on_being_read(path: Path) -> None:
    os.utime(path, ns=(5, 7_000_000_000))
    backup = put_in_place(path, CLEANED, NOON)
    assert backup == path.with_name("film_alignments_backup_20260504_120000.fsa")
    assert (path.read_bytes(), backup.read_bytes()) == (CLEANED, ORIGINAL)
    assert installed_original(path) == backup
    assert installed_over(backup) == path
    assert backup.stat().st_mtime_ns == 7_000_000_000  # nothing made from it looks out of date
    assert put_back(path) == backup
    assert path.read_bytes() == ORIGINAL
    assert path.stat().st_mtime_ns == 7_000_000_000
    assert names(path.parent) == [path.name]


def test_the_ledger_holds_both_digests_and_the_name(path: Path) -> None:
    backup = put_in_place(path, CLEANED, NOON)
    assert backup
    assert json.loads((path.parent / LEDGER).read_text()) == {
        path.name: {
            "original": hashlib.sha256(ORIGINAL).hexdigest(),
            "backup": backup.name,
            "installed": [hashlib.sha256(CLEANED).hexdigest()],
        }
    }


def test_installing_again_keeps_the_first_original_once(path: Path) -> None:
    backup = put_in_place(path, CLEANED, NOON)
    assert put_in_place(path, OTHER, LATER) == put_in_place(path, OTHER, LATER) == backup
    assert (path.read_bytes(), original(path)) == (OTHER, ORIGINAL)
    assert len(names(path.parent)) == 3
    put_back(path)
    assert path.read_bytes() == ORIGINAL


def test_what_the_user_makes_of_an_installed_file_is_the_next_original(path: Path) -> None:
    put_in_place(path, CLEANED, NOON)
    path.write_bytes(b"edited")
    assert installed_original(path) == path
    with pytest.raises(FacesetError, match=r"changed since it was installed, so it is left as it is.*120000\.fsa"):
        put_back(path)
    assert path.read_bytes() == b"edited"
    backup = put_in_place(path, OTHER, LATER)
    assert backup == path.with_name(backup_name(path, LATER))
    assert original(path) == b"edited"
    assert path.with_name(backup_name(path, NOON)).read_bytes() == ORIGINAL
    put_back(path)
    assert path.read_bytes() == b"edited"


def test_where_nothing_was_before_undo_removes(tmp_path: Path) -> None:
    path = tmp_path / "film_alignments.fsa"
    assert installed_original(path) == path
    assert put_in_place(path, CLEANED, NOON) is None
    assert installed_original(path) is None
    assert put_in_place(path, OTHER, LATER) is None
    assert put_back(path) is None
    assert names(tmp_path) == []


def test_a_file_that_holds_it_already_is_left_alone(path: Path) -> None:
    before = path.stat()
    put_in_place(path, ORIGINAL, NOON)
    assert path.stat() == before
    assert installed_original(path) == path


def test_going_back_to_the_original_by_installing_it_is_no_trap(path: Path) -> None:
    put_in_place(path, CLEANED, NOON)
    put_in_place(path, ORIGINAL, LATER)
    assert original(path) == ORIGINAL
    put_in_place(path, OTHER, LATER)
    assert original(path) == ORIGINAL
    put_back(path)
    assert original(path) == ORIGINAL


def test_several_files_of_one_folder_have_their_own_originals(path: Path) -> None:
    other = path.with_name("other_alignments.fsa")
    other.write_bytes(b"another original")
    put_in_place(path, CLEANED, NOON)
    put_in_place(other, OTHER, NOON)
    put_back(path)
    assert original(other) == b"another original"
    assert original(path) == ORIGINAL


def test_a_link_stays_a_link(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere" / "alignments.fsa"
    link.parent.mkdir()
    link.symlink_to(path)
    put_in_place(link, CLEANED, NOON)
    assert link.is_symlink()
    assert (path.read_bytes(), original(link), original(path)) == (CLEANED, ORIGINAL, ORIGINAL)
    put_back(link)
    assert (link.is_symlink(), path.read_bytes()) == (True, ORIGINAL)


def test_a_backup_that_is_gone_or_changed_is_said_and_nothing_is_touched(path: Path) -> None:
    backup = put_in_place(path, CLEANED, NOON)
    assert backup
    for damage in (lambda: backup.write_bytes(b"changed"), backup.unlink):
        damage()
        for act in (lambda: installed_original(path), lambda: put_back(path), lambda: put_in_place(path, OTHER, LATER)):
            with pytest.raises(FacesetError, match=backup.name):
                act()
        assert path.read_bytes() == CLEANED


def test_a_backups_name_that_is_taken_stops_before_anything_is_changed(path: Path) -> None:
    taken = path.with_name(backup_name(path, NOON))
    taken.write_bytes(b"somebody's")
    with pytest.raises(FacesetError, match="Nothing was replaced"):
        put_in_place(path, CLEANED, NOON)
    assert (path.read_bytes(), taken.read_bytes()) == (ORIGINAL, b"somebody's")


def test_undoing_what_was_never_done_is_an_error(path: Path) -> None:
    with pytest.raises(FacesetError, match="nothing was installed here"):
        put_back(path)


ENTRIES_NOT_OURS = (
    '{"a.fsa": 1}',
    '{"a.fsa": {"original": 1, "backup": null, "installed": []}}',
    '{"a.fsa": {"original": "0", "backup": "../x", "installed": []}}',
)


@pytest.mark.parametrize("text", ["", "[]", *ENTRIES_NOT_OURS])
def test_a_ledger_that_is_not_ours_is_named(path: Path, text: str) -> None:
    (path.parent / LEDGER).write_text(text)
    with pytest.raises(FacesetError, match=r"\.faceset-install\.json: not a ledger of ours"):
        installed_original(path)


def killed_at(step: int, act: Callable[[], Any]) -> bool:
    """Do something in a process that is killed right before its file operation number `step`; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def die(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            if event.startswith("os.") or (event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)):
                left -= 1
                if left < 0:
                    os._exit(KILLED)

        sys.addaudithook(die)
        try:
            act()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


def every_kill(act: Callable[[], Any], reset: Callable[[], None]) -> Iterator[int]:
    """Do something again and again, killed one file operation later each time."""
    for step in range(100):
        reset()
        if not killed_at(step, act):
            assert step >= 2
            return
        yield step


def wipe(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def test_an_install_killed_anywhere_leaves_old_or_new_and_can_be_finished(path: Path) -> None:
    def reset() -> None:
        wipe(path.parent)
        path.write_bytes(ORIGINAL)

    seen = set()
    for _ in every_kill(lambda: put_in_place(path, CLEANED, NOON), reset):
        seen.add(path.read_bytes())
        assert original(path) == ORIGINAL
        put_in_place(path, CLEANED, LATER)
        assert (path.read_bytes(), original(path)) == (CLEANED, ORIGINAL)
        put_back(path)
        assert path.read_bytes() == ORIGINAL
    assert seen <= {ORIGINAL, CLEANED}


def test_a_second_install_killed_anywhere_never_forgets_the_first_original(path: Path) -> None:
    def reset() -> None:
        wipe(path.parent)
        path.write_bytes(ORIGINAL)
        put_in_place(path, CLEANED, NOON)

    for _ in every_kill(lambda: put_in_place(path, OTHER, LATER), reset):
        assert path.read_bytes() in (CLEANED, OTHER)
        assert original(path) == ORIGINAL
        put_back(path)
        assert path.read_bytes() == ORIGINAL


def test_an_install_over_an_edited_file_killed_anywhere_loses_neither_original(path: Path) -> None:
    def reset() -> None:
        wipe(path.parent)
        path.write_bytes(ORIGINAL)
        put_in_place(path, CLEANED, NOON)
        path.write_bytes(b"edited")

    for _ in every_kill(lambda: put_in_place(path, OTHER, LATER), reset):
        assert path.read_bytes() in (b"edited", OTHER)
        assert original(path) == b"edited"
        assert path.with_name(backup_name(path, NOON)).read_bytes() == ORIGINAL


def test_an_undo_killed_anywhere_leaves_old_or_new_and_can_be_finished(path: Path) -> None:
    def reset() -> None:
        wipe(path.parent)
        path.write_bytes(ORIGINAL)
        put_in_place(path, CLEANED, NOON)

    seen = set()
    for _ in every_kill(lambda: put_back(path), reset):
        seen.add(path.read_bytes())
        assert original(path) == ORIGINAL
        put_in_place(path, OTHER, LATER)  # also what comes after may be another install
        assert (path.read_bytes(), original(path)) == (OTHER, ORIGINAL)
        put_back(path)
        assert path.read_bytes() == ORIGINAL
        assert not (path.parent / LEDGER).exists()
    assert seen == {ORIGINAL, CLEANED}


def test_an_undo_killed_after_the_original_is_back_can_be_undone_again(path: Path) -> None:
    put_in_place(path, CLEANED, NOON)
    ledger = (path.parent / LEDGER).read_bytes()
    put_back(path)
    (path.parent / LEDGER).write_bytes(ledger)
    assert original(path) == ORIGINAL
    put_back(path)
    assert names(path.parent) == [path.name]


def test_an_install_where_nothing_was_killed_anywhere_is_never_taken_for_an_original(tmp_path: Path) -> None:
    path = tmp_path / "film_alignments.fsa"
    for _ in every_kill(lambda: put_in_place(path, CLEANED, NOON), lambda: wipe(tmp_path)):
        assert original(path) is None
        put_in_place(path, CLEANED, LATER)
        put_back(path)
        assert not path.exists()


@pytest.mark.parametrize("operation", ["fsync", "replace", "utime", "open"])
def test_a_disk_that_fails_at_any_operation_leaves_an_alignments_file(
    path: Path, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = getattr(os, operation)
    failures = 0
    for step in range(20):
        wipe(path.parent)
        path.write_bytes(ORIGINAL)
        left = step

        def fail(*arguments: Any, **options: Any) -> Any:
            nonlocal left
            left -= 1
            if left == -1:
                raise OSError(28, "No space left on device")
            return real(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(os, operation, fail)
            try:
                put_in_place(path, CLEANED, NOON)
            except OSError:
                failures += 1
        assert path.read_bytes() in (ORIGINAL, CLEANED)
        assert original(path) == ORIGINAL
        if left >= 0:
            break
    assert failures > 0
