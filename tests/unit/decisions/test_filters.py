"""Promises of the filters: each has one setting, one measure, and words of its own."""

from typing import get_args

from faceset.crops.tables import MEASURES
from faceset.decisions.filters import FILTERS, FilterRule
from faceset.project.config import Filters


def test_every_filter_has_its_setting_and_every_setting_its_filter() -> None:
    assert list(FILTERS) == list(get_args(FilterRule)) == list(vars(Filters()))


def test_a_filter_that_is_not_set_has_no_limit() -> None:
    assert not any(vars(Filters()).values())


def test_every_filter_goes_by_a_column_of_the_measures() -> None:
    assert {one.measure for one in FILTERS.values()} <= set(MEASURES.names) - {"face_id"}


def test_a_sentence_tells_the_limit_and_where_it_is_of_one_face_the_value() -> None:
    sentences = [one.sentence(1.5, None) for one in FILTERS.values()]
    assert len(set(sentences)) == len(sentences)
    for filter_, of_all in zip(FILTERS.values(), sentences, strict=True):
        of_one = filter_.sentence(1.5, 0.25)
        assert "1.5" in of_all
        assert of_one.startswith(of_all)
        assert "0.25" in of_one.removeprefix(of_all)
