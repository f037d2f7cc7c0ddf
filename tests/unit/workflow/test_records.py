"""Promises of records and links."""

from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.project import Project
from faceset.stages.table import STAGES
from faceset.store.actions import Action, Artifact
from faceset.workflow.records import publish, read_record, retract
from factory import project, write_project

STAGE, INSTANCE = STAGES["track"], {"source": "film"}
RECORD, LINK = Path("results/film/track.json"), Path("results/film/tracks.parquet")


@pytest.fixture
def of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return project()


def made(of: Project, data: bytes) -> Action:
    with of.store.workspace() as folder:
        (folder / "tracks.parquet").write_bytes(data)
        return Action({"tracks": of.store.put(folder / "tracks.parquet")}, "cpu")


def test_a_published_target_is_read_back_and_its_plain_name_leads_to_the_bytes(of: Project) -> None:
    action = made(of, b"first")
    assert publish(of, STAGE, INSTANCE, action)
    assert read_record(RECORD) == action
    assert LINK.read_bytes() == b"first"
    publish(of, STAGE, INSTANCE, made(of, b"second"))
    assert LINK.read_bytes() == b"second"
    assert sorted(path.name for path in RECORD.parent.iterdir()) == ["track.json", "tracks.parquet"]


def test_what_is_right_already_is_left_alone(of: Project) -> None:
    action = made(of, b"data")
    publish(of, STAGE, INSTANCE, action)
    before = [path.lstat() for path in (RECORD, LINK)]
    assert not publish(of, STAGE, INSTANCE, action)
    assert [(s.st_ino, s.st_mtime_ns) for s in before] == [
        (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in (RECORD, LINK)
    ]


def test_a_link_that_is_gone_or_led_astray_is_mended(of: Project) -> None:
    action = made(of, b"data")
    publish(of, STAGE, INSTANCE, action)
    LINK.unlink()
    publish(of, STAGE, INSTANCE, action)
    assert LINK.read_bytes() == b"data"
    LINK.unlink()
    LINK.symlink_to("nowhere")
    publish(of, STAGE, INSTANCE, action)
    assert LINK.read_bytes() == b"data"


def test_a_working_directory_can_be_moved_as_a_whole(
    of: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(of, STAGE, INSTANCE, made(of, b"data"))
    moved = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}_moved"))
    monkeypatch.chdir(moved)
    assert LINK.read_bytes() == b"data"
    moved.rename(tmp_path)


def test_a_store_elsewhere_is_linked_to_as_well(of: Project, tmp_path: Path) -> None:
    assert of.store.root == Path("store")
    elsewhere = project(store=str(tmp_path / "elsewhere" / "store"))
    publish(elsewhere, STAGE, INSTANCE, made(elsewhere, b"data"))
    assert LINK.read_bytes() == b"data"


def test_a_retracted_target_is_gone_and_its_artifact_is_not(of: Project) -> None:
    action = made(of, b"data")
    publish(of, STAGE, INSTANCE, action)
    assert retract(of, STAGE, INSTANCE)
    assert list(RECORD.parent.iterdir()) == []
    assert of.store.get(action.outputs["tracks"]).read_bytes() == b"data"
    assert not retract(of, STAGE, INSTANCE)


def test_a_file_of_the_users_in_the_place_of_a_result_is_neither_replaced_nor_removed(of: Project) -> None:
    LINK.parent.mkdir(parents=True)
    LINK.write_bytes(b"mine")
    with pytest.raises(FacesetError, match=r"tracks\.parquet: something that Faceset did not make"):
        publish(of, STAGE, INSTANCE, made(of, b"data"))
    assert not RECORD.exists()
    with pytest.raises(FacesetError, match=r"tracks\.parquet: something that Faceset did not make"):
        retract(of, STAGE, INSTANCE)
    assert LINK.read_bytes() == b"mine"


@pytest.mark.usefixtures("of")
@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"outputs": {"tracks": {"sha256": "x", "size": 1}}}'])
def test_what_is_no_record_is_named(data: bytes) -> None:
    RECORD.parent.mkdir(parents=True)
    RECORD.write_bytes(data)
    with pytest.raises(FacesetError, match=r"results/film/track\.json: not a record of Faceset's"):
        read_record(RECORD)


@pytest.mark.usefixtures("of")
def test_a_missing_record_is_missing() -> None:
    with pytest.raises(FileNotFoundError):
        read_record(RECORD)


def test_a_record_is_a_function_of_what_was_made(of: Project) -> None:
    artifact = Artifact("a" * 64, 1)
    publish(of, STAGE, INSTANCE, Action({"tracks": artifact}, "cpu"))
    assert RECORD.read_text() == f'{{"outputs":{{"tracks":{{"sha256":"{"a" * 64}","size":1}}}},"ran_on":"cpu"}}\n'
