"""Promises of digests."""

import hashlib
from pathlib import Path

import pytest

from faceset.digests import canonical_json, file_digest, path_digest


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_file_is_named_by_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert file_digest(path) == path_digest(path) == hashlib.sha256(b"abc").hexdigest()


def test_a_folder_is_named_by_names_and_bytes_of_its_files(tmp_path: Path) -> None:
    first = fill(tmp_path / "first", {"a": b"1", "b": b"2"})
    assert path_digest(first) == path_digest(fill(tmp_path / "second", {"b": b"2", "a": b"1"}))
    others = [{"a": b"2", "b": b"1"}, {"a": b"1", "c": b"2"}, {"a": b"1"}, {}]
    digests = {path_digest(fill(tmp_path / f"other{number}", files)) for number, files in enumerate(others)}
    assert len(digests | {path_digest(first)}) == 5


def test_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, None], "a": "ä"}) == '{"a":"ä","b":[1,null]}'
    with pytest.raises(ValueError):
        canonical_json(float("nan"))
