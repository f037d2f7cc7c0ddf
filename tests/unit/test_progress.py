"""Promises of progress lines."""

from itertools import count
from types import SimpleNamespace

import pytest

from faceset import progress
from faceset.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which every look takes two seconds."""
    seconds = count(0, 2)
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


def test_items_pass_unchanged() -> None:
    assert list(Progress(iter("abc"), "letters")) == ["a", "b", "c"]


@pytest.mark.usefixtures("clock")
def test_a_line_every_five_seconds_says_how_much_is_done_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    list(Progress(range(7), "things"))
    lines = capsys.readouterr().err.splitlines()
    # The third item ends at 6 s, the sixth at 12 s.
    assert lines == ["  things: 3 of 7 (42 %), 0 a second", "  things: 6 of 7 (85 %), 0 a second"]


@pytest.mark.usefixtures("clock")
def test_without_a_total_the_count_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    list(Progress(iter(range(3)), "things"))
    assert capsys.readouterr().err == "  things: 3, 0 a second\n"


def test_what_is_done_at_once_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    list(Progress(range(100), "things"))
    assert capsys.readouterr().err == ""
