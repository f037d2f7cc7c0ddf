"""Promises of digests."""

import hashlib
from pathlib import Path

import pytest

from faceset.digests import canonical_json, file_digest


def test_a_file_is_named_by_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert file_digest(path) == hashlib.sha256(b"abc").hexdigest()


def test_json_has_one_spelling() -> None:
    assert canonical_json({"b": [1, None], "a": "ä"}) == '{"a":"ä","b":[1,null]}'
    with pytest.raises(ValueError):
        canonical_json(float("nan"))
