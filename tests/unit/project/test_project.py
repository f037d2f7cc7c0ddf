"""Promises of a project's paths."""

import pytest

from faceset.errors import FacesetError
from faceset.project.project import prefix_of


@pytest.mark.parametrize("prefix", ["", "a/", "a/b/", "/tmp/x/", "x-"])
@pytest.mark.parametrize("result", ["results/film/crop.json", "results/{source}/crop.json"])
def test_the_prefix_is_what_stands_before_a_result_s_own_path(prefix: str, result: str) -> None:
    assert prefix_of(f"{prefix}{result}", result) == prefix


def test_a_result_in_another_place_is_refused() -> None:
    with pytest.raises(FacesetError, match=r"elsewhere\.json: expected results/film/crop\.json"):
        prefix_of("elsewhere.json", "results/film/crop.json")
