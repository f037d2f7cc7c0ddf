"""Promises of digests."""

import hashlib
import os
from pathlib import Path

import pytest

from faceset.digests import canonical_json, file_digest, remembered_file_digest


def test_a_file_is_named_by_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert file_digest(path) == hashlib.sha256(b"abc").hexdigest()


def test_a_digest_is_remembered_until_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    os.utime(path, ns=(1, 1))
    first = remembered_file_digest(path)
    assert first == file_digest(path)
    with path.open("r+b") as file:
        file.write(b"xyz")
    os.utime(path, ns=(1, 1))
    assert remembered_file_digest(path) == first  # not read again
    os.utime(path, ns=(1, 2))
    assert remembered_file_digest(path) == hashlib.sha256(b"xyz").hexdigest()
    (tmp_path / "longer").write_bytes(b"longer")
    (tmp_path / "longer").replace(path)
    assert remembered_file_digest(path) == hashlib.sha256(b"longer").hexdigest()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        remembered_file_digest(path)


def test_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, None], "a": "ä"}) == '{"a":"ä","b":[1,null]}'
    with pytest.raises(ValueError):
        canonical_json(float("nan"))
