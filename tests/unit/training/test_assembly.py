"""Promises of the assembled folder."""

import hashlib
import json
import os
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from faceset.decisions.tables import MANIFEST
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.tables.parquet import read_table
from faceset.training.assembled_folder import sync_folder_with_index
from faceset.training.assembly import assembled_name, make_index
from faceset.training.tables import EXTRACTED, FACESET
from factory import write_rows

Pictures = Mapping[str, Mapping[str, bytes]]
"""By source, what is in each extracted file."""

FIRST: Pictures = {"a": {"x_0.png": b"ax0", "x_1.png": b"ax1"}, "b": {"x_0.png": b"bx0"}}
SECOND: Pictures = {"a": {"x_0.png": b"ax0", "x_1.png": b"another"}, "b": {"y_0.png": b"by0"}}


def names(pictures: Pictures) -> dict[str, bytes]:
    return {assembled_name(source, file): data for source, files in pictures.items() for file, data in files.items()}


class MissingError(Exception):
    """A picture cannot be had."""


@dataclass
class Assembled:
    """A folder assembled from pictures, and the names of those that were asked for."""

    root: Path
    asked: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.root / "main" / "faces"

    @property
    def ledger(self) -> Path:
        return self.root / "main" / ".faces.json"

    def index(self, pictures: Pictures) -> Path:
        """The index of some pictures."""
        place = self.root / hashlib.sha256(repr(pictures).encode()).hexdigest()
        place.mkdir(exist_ok=True)
        tables, faces = {}, []
        for source, files in pictures.items():
            rows = []
            for file, data in files.items():
                face = f"{source}/{Path(file).stem}"
                rows.append({"file": file, "face_id": face, "picture": hashlib.sha256(data).hexdigest()})
                faces.append({"face_id": face, "cluster": f"{face} and others"})
            tables[source] = write_rows(place / f"{source}.parquet", EXTRACTED, rows)
        make_index(tables, write_rows(place / "manifest.parquet", MANIFEST, faces), place / "index.parquet")
        return place / "index.parquet"

    def sync(self, pictures: Pictures, missing: Container[str] = ()) -> None:
        """Make the folder hold these pictures; those whose names are `missing` cannot be had, as from a full disk."""
        index = self.index(pictures)

        def made(source: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
            self.asked += wanted.values()
            for face, name in wanted.items():
                if name in missing:
                    raise MissingError
                yield name, pictures[source][f"{face.removeprefix(f'{source}/')}.png"]

        sync_folder_with_index(self.folder, index, file_digest(index), made)

    def holds(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def states(self) -> dict[str, tuple[int, int]]:
        return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in self.folder.iterdir()}


@pytest.fixture
def faces(tmp_path: Path) -> Assembled:
    assembled = Assembled(tmp_path)
    assembled.sync(FIRST)
    return assembled


def test_the_index_tells_source_face_and_cluster_of_every_picture(tmp_path: Path) -> None:
    index = Assembled(tmp_path).index({"b": {"x_0.png": b"1"}, "a": {"z_0.png": b"2", "x_1.png": b"3"}})
    rows = read_table(index, FACESET).to_pylist()
    assert [(row["file"], row["source"], row["face_id"]) for row in rows] == [
        ("a--x_1.png", "a", "a/x_1"),
        ("a--z_0.png", "a", "a/z_0"),
        ("b--x_0.png", "b", "b/x_0"),
    ]
    assert rows[0]["cluster"] == "a/x_1 and others"
    assert rows[0]["picture"] == hashlib.sha256(b"3").hexdigest()


def test_the_folder_holds_exactly_the_index(faces: Assembled) -> None:
    assert faces.holds() == names(FIRST)
    faces.sync(SECOND)
    assert faces.holds() == names(SECOND)
    faces.sync({"a": {}})
    assert faces.holds() == {}


def test_a_change_touches_only_files_that_differ(faces: Assembled) -> None:
    before = faces.states()
    faces.sync(SECOND)
    after = faces.states()
    assert sorted(faces.asked[3:]) == ["a--x_1.png", "b--y_0.png"]
    assert after["a--x_0.png"] == before["a--x_0.png"]
    assert after["a--x_1.png"] != before["a--x_1.png"]


def test_nothing_is_touched_while_nothing_changes(faces: Assembled) -> None:
    before = faces.states(), faces.ledger.stat().st_mtime_ns
    faces.sync(FIRST)
    assert (faces.states(), faces.ledger.stat().st_mtime_ns) == before


def test_its_files_are_the_users_own(faces: Assembled) -> None:
    for path in faces.folder.iterdir():
        assert not path.is_symlink()
        assert path.stat().st_mode & 0o200
        assert path.stat().st_nlink == 1


def remove(path: Path) -> None:
    path.unlink()


def rename(path: Path) -> None:
    path.rename(path.with_name("better name.png"))


def edit(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"edited")


def edit_in_place(path: Path) -> None:
    path.write_bytes(path.read_bytes().upper())
    os.utime(path, ns=(1, 1))


def add(path: Path) -> None:
    path.with_name("mine.png").write_bytes(b"mine")


def add_folder(path: Path) -> None:
    path.with_name("good ones").mkdir()


@pytest.mark.parametrize("by_hand", [remove, rename, edit, edit_in_place, add, add_folder])
@pytest.mark.parametrize("name", ["a--x_0.png", "b--x_0.png"])
def test_a_folder_changed_by_hand_is_refused_and_nothing_is_touched(
    faces: Assembled, by_hand: Callable[[Path], None], name: str
) -> None:
    by_hand(faces.folder / name)
    before = faces.states(), faces.ledger.read_bytes()
    with pytest.raises(FacesetError, match=r"faces: (1|2) files were added, removed, renamed or changed by hand"):
        faces.sync(SECOND)
    assert (faces.states(), faces.ledger.read_bytes()) == before
    faces.sync(FIRST)  # which it was made for: there is nothing to do
    assert faces.states() == before[0]


def test_a_folder_that_was_there_before_is_not_ours(tmp_path: Path) -> None:
    assembled = Assembled(tmp_path)
    assembled.folder.mkdir(parents=True)
    (assembled.folder / "a--x_0.png").write_bytes(b"mine")
    with pytest.raises(FacesetError, match=r"first: a--x_0\.png"):
        assembled.sync(FIRST)
    assert assembled.holds() == {"a--x_0.png": b"mine"}


def test_a_deleted_folder_is_made_again(faces: Assembled) -> None:
    for path in faces.folder.iterdir():
        path.unlink()
    faces.folder.rmdir()
    faces.sync(FIRST)
    assert faces.holds() == names(FIRST)


def test_a_folder_moved_away_stays_as_it_is(faces: Assembled) -> None:
    remove(faces.folder / "a--x_0.png")
    kept = faces.folder.rename(faces.root / "kept")
    faces.sync(SECOND)
    assert faces.holds() == names(SECOND)
    assert len(list(kept.iterdir())) == 2


@pytest.mark.parametrize("missing", ["a--x_1.png", "b--y_0.png"])
def test_a_run_that_was_broken_off_is_completed(faces: Assembled, missing: str) -> None:
    with pytest.raises(MissingError):
        faces.sync(SECOND, missing=[missing])
    assert json.loads(faces.ledger.read_bytes())["pending"]
    (faces.folder / f".faceset-{missing}").write_bytes(b"half")
    faces.sync(SECOND)
    assert faces.holds() == names(SECOND)


def test_a_run_that_was_broken_off_can_be_taken_back(faces: Assembled) -> None:
    with pytest.raises(MissingError):
        faces.sync(SECOND, missing=["a--x_1.png"])
    (faces.folder / "b--y_0.png").write_bytes(SECOND["b"]["y_0.png"])  # as if it had come that far
    faces.sync(FIRST)
    assert faces.holds() == names(FIRST)


def test_after_a_crash_a_change_by_hand_is_still_seen(faces: Assembled) -> None:
    with pytest.raises(MissingError):
        faces.sync(SECOND, missing=["b--y_0.png"])
    edit(faces.folder / "a--x_0.png")
    with pytest.raises(FacesetError, match=r"first: a--x_0\.png"):
        faces.sync(SECOND)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"index": null, "files": [1], "pending": []}',
        b'{"index": null, "files": {"a": ["b", 1, 2]}, "pending": []}',
    ],
)
def test_a_ledger_that_is_none_is_named(faces: Assembled, data: bytes) -> None:
    faces.ledger.write_bytes(data)
    with pytest.raises(FacesetError, match=r"\.faces\.json: not a ledger of ours"):
        faces.sync(SECOND)
    assert faces.holds() == names(FIRST)


def test_a_picture_of_a_face_that_the_manifest_lacks_is_refused(tmp_path: Path) -> None:
    rows = [{"file": f"x_{number}.png", "face_id": f"a/x_{number}"} for number in range(3)]
    extracted = {"a": write_rows(tmp_path / "a.parquet", EXTRACTED, rows)}
    for decided in ({"face_id": "a/x_0", "cluster": None}, {"face_id": "a/x_2", "cluster": "a/x_2"}):
        manifest = write_rows(tmp_path / "manifest.parquet", MANIFEST, [decided])
        with pytest.raises(FacesetError, match=r"^a/x_[01]: the table of face_id, cluster lacks this face \(2 of 3"):
            make_index(extracted, manifest, tmp_path / "index.parquet")
    manifest = write_rows(tmp_path / "manifest.parquet", MANIFEST, [{"face_id": row["face_id"]} for row in rows])
    make_index(extracted, manifest, tmp_path / "index.parquet")
    assert read_table(tmp_path / "index.parquet", FACESET)["cluster"].to_pylist() == [None] * 3
