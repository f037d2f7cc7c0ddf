"""Promises of the content store."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceset.digests import text_digest
from faceset.errors import FacesetError
from faceset.store.actions import Action, Artifact, Provenance
from faceset.store.objects import Store

MADE_FROM = Provenance("made up", ("result",), {"name": "Zoë", "size": 0.1})
KEY = MADE_FROM.key
FILM = {"source": "film"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def put_file(store: Store, data: bytes) -> Artifact:
    with store.workspace() as folder:
        (folder / "result").write_bytes(data)
        return store.put(folder / "result")


def remembered(store: Store, artifact: Artifact) -> Action:
    action = Action({"result": artifact}, "cpu")
    store.remember(action, MADE_FROM, FILM)
    return action


def damage(store: Store, artifact: Artifact) -> None:
    path = store.object_path(artifact)
    path.chmod(0o644)
    path.write_bytes(b"damaged")


def test_a_file_comes_back_read_only(store: Store) -> None:
    artifact = put_file(store, b"data")
    path = store.get(artifact)
    assert path.read_bytes() == b"data"
    assert artifact.size == 4
    assert path.stat().st_mode & 0o777 == 0o444


def test_the_same_bytes_are_kept_once_and_left_alone(store: Store) -> None:
    first = put_file(store, b"x")
    inode = store.get(first).stat().st_ino
    assert put_file(store, b"x") == first
    assert store.get(first).stat().st_ino == inode
    assert len(list(store.root.glob("objects/*/*"))) == 1


def test_a_damaged_object_is_set_aside_and_named_and_no_longer_known(store: Store) -> None:
    artifact = put_file(store, b"data")
    remembered(store, artifact)
    damage(store, artifact)
    with pytest.raises(FacesetError, match=artifact.sha256) as error:
        store.get(artifact)
    (aside,) = store.root.glob("quarantine/*/*")
    assert str(aside) in str(error.value)
    assert aside.read_bytes() == b"damaged"
    assert store.find(KEY) is None
    with pytest.raises(FacesetError, match="gone from the store"):
        store.get(artifact)


def test_putting_it_again_heals_a_damaged_object(store: Store) -> None:
    artifact = put_file(store, b"data")
    damage(store, artifact)
    assert put_file(store, b"data") == artifact
    assert store.get(artifact).read_bytes() == b"data"


def test_what_a_crash_left_behind_is_no_object(store: Store) -> None:
    with store.workspace() as folder:
        (folder / "half").write_bytes(b"half")
        leftover = folder.rename(folder.with_name("left"))
    artifact = put_file(store, b"whole")
    assert leftover.is_dir()
    assert [path.name for path in store.root.glob("objects/*/*")] == [artifact.sha256]


def test_a_workspace_is_gone_afterwards_also_on_a_failure(store: Store) -> None:
    with pytest.raises(TypeError), store.workspace() as folder:
        (folder / "half").write_bytes(None)  # type: ignore[arg-type]
    assert list((store.root / "tmp").iterdir()) == []


def test_an_action_is_found_again(store: Store) -> None:
    assert store.find(KEY) is None
    action = remembered(store, put_file(store, b"data"))
    assert store.find(KEY) == action
    assert store.find(KEY[::-1]) is None


def test_an_action_whose_object_is_gone_is_not_known(store: Store) -> None:
    artifact = put_file(store, b"data")
    remembered(store, artifact)
    store.object_path(artifact).unlink()
    assert store.find(KEY) is None


def with_entry(**changes: object) -> bytes:
    entry = {"sha256": "ab" * 32, "size": 1, **changes}
    about = {"kind": "action", "made_from": MADE_FROM.as_json(), "instances": [FILM]}
    return json.dumps({**about, "outputs": {"result": entry}, "ran_on": "cpu"}).encode()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"[]", b"{}", b'{"outputs": [], "ran_on": ""}', with_entry(sha256=None), with_entry(sha256="ab"),
     with_entry(sha256="../" * 21 + "a"), with_entry(size=None), with_entry(size="many")],
)  # fmt: skip
def test_a_damaged_action_is_no_action(store: Store, data: bytes) -> None:
    remembered(store, put_file(store, b"data"))
    (path,) = store.root.glob("actions/*/*")
    path.write_bytes(data)
    assert store.find(KEY) is None


def test_an_action_proves_what_it_was_made_from(store: Store) -> None:
    remembered(store, put_file(store, b"data"))
    (path,) = store.root.glob("actions/*/*")
    other = text_digest("another")
    copy = path.parents[1] / other[:2] / f"{other}.json"
    copy.parent.mkdir()
    copy.write_bytes(path.read_bytes())
    assert store.find(other) is None
    path.write_text(path.read_text().replace("0.1", "0.2"))
    assert store.find(KEY) is None


def test_an_action_tells_when_it_was_last_of_use(store: Store) -> None:
    remembered(store, put_file(store, b"data"))
    (path,) = store.root.glob("actions/*/*")
    os.utime(path, (1, 1))
    store.find(KEY)
    assert path.stat().st_mtime == 1, "looking is not using"
    store.note_use(KEY, FILM)
    assert path.stat().st_mtime > 1


artifacts = st.builds(Artifact, st.from_regex("[0-9a-f]{64}", fullmatch=True), st.integers(0, 2**50))


@given(st.dictionaries(st.text("abc", min_size=1), artifacts, max_size=3), st.sampled_from(["cpu", "CUDA"]))
def test_an_action_has_one_spelling(outputs: dict[str, Artifact], ran_on: str) -> None:
    data = Action(outputs, ran_on).to_bytes()
    assert Action.from_bytes(data) == Action(outputs, ran_on)
    assert Action(dict(reversed(outputs.items())), ran_on).to_bytes() == data


def test_a_store_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"a file")
    with pytest.raises(FacesetError, match=r"store/tmp: cannot be written .* Set `store` in the config"):
        put_file(Store(tmp_path / "store"), b"data")
