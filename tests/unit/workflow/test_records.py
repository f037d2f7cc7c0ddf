"""Promises of records and links."""

from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.stages.table import STAGES
from faceset.store.objects import Action, Artifact, Store
from faceset.workflow.records import publish, read_record, retract

STAGE, WHERE = STAGES["track"], {"source": "film"}
RECORD, LINK = Path("results/film/track.json"), Path("results/film/tracks.parquet")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.chdir(tmp_path)
    return Store(Path("store"))


def made(store: Store, data: bytes) -> Action:
    with store.workspace() as folder:
        (folder / "tracks.parquet").write_bytes(data)
        return Action({"tracks": store.put(folder / "tracks.parquet")}, "cpu")


def test_a_published_target_is_read_back_and_its_plain_name_leads_to_the_bytes(store: Store) -> None:
    action = made(store, b"first")
    assert publish(store, STAGE, WHERE, action)
    assert read_record(str(RECORD)) == action
    assert LINK.read_bytes() == b"first"
    publish(store, STAGE, WHERE, made(store, b"second"))
    assert LINK.read_bytes() == b"second"
    assert sorted(path.name for path in RECORD.parent.iterdir()) == ["track.json", "tracks.parquet"]


def test_what_is_right_already_is_left_alone(store: Store) -> None:
    action = made(store, b"data")
    publish(store, STAGE, WHERE, action)
    before = [path.lstat() for path in (RECORD, LINK)]
    assert not publish(store, STAGE, WHERE, action)
    assert [(s.st_ino, s.st_mtime_ns) for s in before] == [
        (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in (RECORD, LINK)
    ]


def test_a_link_that_is_gone_or_led_astray_is_mended(store: Store) -> None:
    action = made(store, b"data")
    publish(store, STAGE, WHERE, action)
    LINK.unlink()
    publish(store, STAGE, WHERE, action)
    assert LINK.read_bytes() == b"data"
    LINK.unlink()
    LINK.symlink_to("nowhere")
    publish(store, STAGE, WHERE, action)
    assert LINK.read_bytes() == b"data"


def test_a_working_directory_can_be_moved_as_a_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, STAGE, WHERE, made(store, b"data"))
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}_moved"))
    monkeypatch.chdir(moved)
    assert LINK.read_bytes() == b"data"
    moved.rename(tmp_path)


def test_a_store_elsewhere_is_linked_to_as_well(store: Store, tmp_path: Path) -> None:
    assert store.root == Path("store")
    elsewhere = Store(tmp_path / "elsewhere" / "store")
    publish(elsewhere, STAGE, WHERE, made(elsewhere, b"data"))
    assert LINK.read_bytes() == b"data"


def test_a_retracted_target_is_gone_and_its_artifact_is_not(store: Store) -> None:
    action = made(store, b"data")
    publish(store, STAGE, WHERE, action)
    assert retract(STAGE, WHERE)
    assert list(RECORD.parent.iterdir()) == []
    assert store.get(action.outputs["tracks"]).read_bytes() == b"data"
    assert not retract(STAGE, WHERE)


def test_a_file_of_the_users_in_the_place_of_a_result_is_neither_replaced_nor_removed(store: Store) -> None:
    LINK.parent.mkdir(parents=True)
    LINK.write_bytes(b"mine")
    with pytest.raises(FacesetError, match=r"tracks\.parquet: something that Faceset did not make"):
        publish(store, STAGE, WHERE, made(store, b"data"))
    assert not RECORD.exists()
    with pytest.raises(FacesetError, match=r"tracks\.parquet: something that Faceset did not make"):
        retract(STAGE, WHERE)
    assert LINK.read_bytes() == b"mine"


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"outputs": {"tracks": {"sha256": "x", "size": 1}}}'])
def test_what_is_no_record_is_named(data: bytes) -> None:
    RECORD.parent.mkdir(parents=True)
    RECORD.write_bytes(data)
    with pytest.raises(FacesetError, match=r"results/film/track\.json: not a record of ours"):
        read_record(str(RECORD))


@pytest.mark.usefixtures("store")
def test_a_missing_record_is_missing() -> None:
    with pytest.raises(FileNotFoundError):
        read_record(str(RECORD))


def test_a_record_is_a_function_of_what_was_made(store: Store) -> None:
    artifact = Artifact("a" * 64, 1)
    publish(store, STAGE, WHERE, Action({"tracks": artifact}, "cpu"))
    assert RECORD.read_text() == f'{{"outputs":{{"tracks":{{"sha256":"{"a" * 64}","size":1}}}},"ran_on":"cpu"}}\n'
