"""Promises of hints."""

import pytest

from faceset.hints import hint


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("strictnes", ["method", "strictness"], "did you mean strictness?"),
        ("MAIN", ["other", "main"], "did you mean main?"),
        ("main", ["other", "Main"], "did you mean Main?"),
        ("zebra", ["keep", "drop"], "known here: keep, drop."),
        ("", ["keep"], "known here: keep."),
        ("keep", [], "known here: none."),
    ],
)
def test_the_nearest_name_is_said_or_all_that_there_are(word: str, known: list[str], said: str) -> None:
    assert hint(word, known) == said
    assert hint(word, iter(known)) == said
