"""Promises of Ward: faceswap's own groups and order."""

import json

import numpy as np
import pytest

from faceset.errors import FacesetError
from faceset.people import ward
from faceset.people.ward import ward_groups
from golden_data import GOLDEN

MADE_BY_FACESWAP = json.loads((GOLDEN / "ward.json").read_text())["order_bin_at_threshold"]


@pytest.mark.pixels
@pytest.mark.parametrize("cut", MADE_BY_FACESWAP)
def test_order_and_groups_are_faceswap_s(cut: str) -> None:
    labels, order = ward_groups(np.load(GOLDEN / "ward_embeddings.npy"), float(cut))
    shown = np.argsort(order)
    assert np.column_stack([shown, labels[shown]]).tolist() == MADE_BY_FACESWAP[cut]


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_are_ordered_too(count: int) -> None:
    labels, order = ward_groups(np.zeros((count, 4)))
    assert labels.tolist() == order.tolist() == [0] * count


def test_one_vector_repeated_is_one_group() -> None:
    labels, order = ward_groups(np.ones((1100, 4)))
    assert sorted(order) == list(range(1100))
    assert len(labels) == 1100


def test_too_many_faces_are_refused_with_the_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ward, "MOST_FACES", 3)
    with pytest.raises(FacesetError, match="more than 3 faces; here are 4"):
        ward_groups(np.zeros((4, 2)))
