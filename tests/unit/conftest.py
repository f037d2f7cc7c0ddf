"""A finished project for the tests of what is done with its results."""

import shutil
from pathlib import Path

import pytest

import two_sources
from faceset.priming import prime


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_sources.make(tmp_path_factory.mktemp("finished") / "work")


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project, primed, as the current folder."""
    copy = tmp_path / "work"
    shutil.copytree(finished, copy, symlinks=True)
    monkeypatch.chdir(copy)
    prime(two_sources.current())
    return copy
