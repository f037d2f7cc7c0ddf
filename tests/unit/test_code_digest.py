"""Promises of the digest of code."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faceset import code_digest
from faceset.code_digest import code_digests, reachable_modules
from faceset.digests import file_digest

MODULES = {
    "first": "import json\nfrom faceset.second import thing\n",
    "second": "def later():\n    from faceset import third\n",
    "third": "import faceset.inner.fourth\nDATA = 'numbers.json'\n",
    "inner/fourth": "from faceset.first import x\n",
    "alone": "import os\n",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A made-up library in place of ours."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "numbers.json").write_text("[1]")
    (tmp_path / "others.json").write_text("[2]")
    monkeypatch.setattr(code_digest, "PACKAGE", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    code_digests.cache_clear()
    code_digest._imports.cache_clear()


def test_imports_are_followed_at_any_remove_and_in_any_spelling(package: Path) -> None:
    assert package.is_dir()
    assert reachable_modules("faceset.first") == [
        f"faceset.{name}" for name in ("first", "inner.fourth", "second", "third")
    ]
    assert reachable_modules("faceset.alone") == ["faceset.alone"]


def test_every_module_and_the_data_it_names_counts(package: Path) -> None:
    before = code_digests("faceset.first")
    assert before["faceset.third"] == file_digest(package / "third.py")
    assert before["numbers.json"] == file_digest(package / "numbers.json")
    for changed in ("inner/fourth.py", "numbers.json"):
        (package / changed).write_text("# another\n")
        forget()
        after = code_digests("faceset.first")
        assert after != before
        before = after


def test_what_is_not_reached_does_not_count(package: Path) -> None:
    before = code_digests("faceset.first")
    (package / "alone.py").write_text("# another\n")
    (package / "others.json").write_text("[3]")
    forget()
    assert code_digests("faceset.first") == before
