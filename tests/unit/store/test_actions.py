"""Promises of provenance: one spelling, a key that proves it, and one action for all who would make the same."""

import json
import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceset.digests import canonical_json, text_digest
from faceset.store.actions import Action, Artifact, DamagedActionError, Provenance, StoredAction
from faceset.store.objects import Store

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
digests = st.from_regex("[0-9a-f]{64}", fullmatch=True)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=6,
)
instances = st.dictionaries(st.sampled_from(["faceset", "source"]), names, max_size=2)
provenances = st.builds(
    Provenance,
    stage=names,
    outputs=st.lists(names, max_size=3).map(tuple),
    settings=st.dictionaries(names, values, max_size=3),
    inputs=st.dictionaries(names, st.lists(st.tuples(instances, digests), max_size=2).map(tuple), max_size=3),
    files=st.dictionaries(names, digests, max_size=2),
    code=st.dictionaries(names, digests, max_size=2),
    schemas=st.dictionaries(names, digests, max_size=2),
    libraries=st.dictionaries(names, names, max_size=2),
    models=st.dictionaries(names, st.dictionaries(names, values, max_size=2), max_size=2),
    part=st.none() | digests,
)
artifacts = st.builds(Artifact, digests, st.integers(0, 2**50))
actions = st.builds(Action, st.dictionaries(names, artifacts, max_size=3), st.sampled_from(["cpu", "CUDA"]))
MADE_FROM = Provenance("frames", ("frames",), {"content": "a"})
MADE = Action({"frames": Artifact("a" * 64, 7)}, "cpu")
FILM, COPY = {"source": "film"}, {"source": "copy"}


@given(provenances)
def test_provenance_is_read_back_from_the_one_spelling_that_its_key_is_of(provenance: Provenance) -> None:
    text = canonical_json(provenance.as_json())
    assert Provenance.from_json(json.loads(text)) == provenance
    assert canonical_json(json.loads(text)) == text
    assert provenance.key == text_digest(text)


@given(provenances)
def test_provenance_names_its_kind_and_everything_that_it_holds(provenance: Provenance) -> None:
    value = provenance.as_json()
    assert value["kind"] == "provenance"
    assert value.keys() - {"kind"} == {field.name for field in fields(Provenance)}


@pytest.mark.parametrize(
    "changes",
    [
        {"stage": "track"},
        {"outputs": ("frames", "more")},
        {"settings": {"content": "b"}},
        {"inputs": {"x": ((FILM, "a" * 64),)}},
        {"inputs": {"x": ((COPY, "a" * 64),)}},
        {"files": {"x": "a" * 64}},
        {"code": {"x": "a" * 64}},
        {"schemas": {"x": "a" * 64}},
        {"libraries": {"x": "1.0"}},
        {"models": {"x": {}}},
        {"part": "a" * 64},
    ],
    ids=str,
)
def test_whatever_a_result_was_made_from_is_part_of_its_key(changes: dict[str, Any]) -> None:
    assert replace(MADE_FROM, **changes).key != MADE_FROM.key


def test_a_part_depends_on_its_own_share_of_what_is_read_and_on_all_else() -> None:
    whole = replace(MADE_FROM, inputs={"x": ((FILM, "a" * 64),)}, files={"y": "b" * 64})
    other = replace(MADE_FROM, inputs={"x": ((FILM, "c" * 64),)})
    assert whole.of_part("1").key == other.of_part("1").key != whole.of_part("2").key
    assert replace(whole, settings={}).of_part("1").key != whole.of_part("1").key


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "action"},
        {"inputs": []},
        {"inputs": {"x": [["film", "a"]]}},
        {"inputs": {"x": [[{"source": 1}, "a"]]}},
        {"inputs": {"x": ["a"]}},
        {"outputs": None},
    ],
    ids=str,
)
def test_what_is_no_provenance_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
        Provenance.from_json({**MADE_FROM.as_json(), **damage})
    with pytest.raises(KeyError):
        Provenance.from_json({name: value for name, value in MADE_FROM.as_json().items() if name != "code"})


@given(actions, provenances, st.lists(instances, max_size=3))
def test_an_action_s_file_has_one_spelling_and_proves_its_key(
    action: Action, provenance: Provenance, used: list[dict[str, str]]
) -> None:
    provenance = replace(provenance, outputs=tuple(sorted(action.outputs)))
    stored = StoredAction(action, provenance, ())
    for instance in used:
        stored = stored.of(instance)
    data = stored.to_bytes()
    found = StoredAction.proven(provenance.key, data)
    assert found.to_bytes() == data
    assert (found.action, found.provenance) == (action, provenance)
    assert json.loads(data)["kind"] == "action"
    assert data == (canonical_json(json.loads(data)) + "\n").encode()
    backwards = StoredAction(action, provenance, ())
    for instance in reversed(used):
        backwards = backwards.of(instance)
    assert backwards.to_bytes() == data, "whoever came first"
    with pytest.raises(DamagedActionError):
        StoredAction.proven(text_digest("another"), data)


def test_instances_with_equal_provenance_share_one_action_and_each_is_noted_once(tmp_path: Path) -> None:
    store, action = Store(tmp_path / "store"), MADE
    store.remember(action, MADE_FROM, FILM)
    for instance in (COPY, FILM, COPY):
        store.note_use(MADE_FROM.key, instance)
    (path,) = store.root.glob("actions/*/*")
    assert re.fullmatch(r"[0-9a-f]{64}\.json", path.name)
    stored = store.read(MADE_FROM.key)
    assert stored is not None
    assert sorted(stored.instances, key=str) == sorted([FILM, COPY], key=str)
    assert stored.action == action
    before = path.read_bytes()
    store.remember(action, MADE_FROM, COPY)
    assert path.read_bytes() == before, "made again, as after damage, by one of them, the other is noted still"


@pytest.mark.parametrize("outputs", [{}, {"faces": {"sha256": "a" * 64, "size": 7}}], ids=str)
def test_an_action_has_the_outputs_of_its_provenance_and_no_others(outputs: dict[str, Any]) -> None:
    value = json.loads(StoredAction(MADE, MADE_FROM, ()).to_bytes())
    del value["digest"]
    value["outputs"] = outputs
    data = canonical_json({**value, "digest": text_digest(canonical_json(value))}).encode()
    with pytest.raises(DamagedActionError, match="other outputs"):
        StoredAction.proven(MADE_FROM.key, data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outputs", {"frames": {"sha256": "b" * 64, "size": 7}}),
        ("outputs", {"frames": {"sha256": "a" * 64, "size": 8}}),
        ("ran_on", "CUDA"),
        ("instances", [COPY]),
    ],
    ids=str,
)
def test_an_action_of_which_anything_was_changed_is_damaged(name: str, value: Any) -> None:
    data = StoredAction(MADE, MADE_FROM, (FILM,)).to_bytes()
    with pytest.raises(DamagedActionError, match="not what was written"):
        StoredAction.proven(MADE_FROM.key, canonical_json({**json.loads(data), name: value}).encode())


@pytest.mark.parametrize("size", ["Infinity", "-1", "1.5", "true", '"7"', "null"])
def test_a_size_is_a_number_of_bytes(size: str) -> None:
    data = MADE.to_bytes().replace(b":7", b":" + size.encode())
    with pytest.raises(ValueError, match="no size in bytes"):
        Action.from_bytes(data)


def test_noting_use_of_what_is_not_known_does_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.note_use(MADE_FROM.key, FILM)
    assert store.read(MADE_FROM.key) is None
