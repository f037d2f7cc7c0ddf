"""Promises of tables that people write."""

from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.tsv import TsvRow, read_rows


def read(folder: Path, content: bytes | str) -> tuple[TsvRow, ...] | None:
    path = folder / "table.tsv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(path, ("name", "size"), ("note",))


def test_a_file_without_a_header_and_one_without_rows_are_told_apart(tmp_path: Path) -> None:
    assert read(tmp_path, "\n# nothing\n \t\n") is None
    assert read(tmp_path, "# nothing\nname\tsize\n\n") == ()


def test_rows_come_with_their_lines_whatever_editors_did(tmp_path: Path) -> None:
    where = f"{tmp_path}/table.tsv, line"
    text = '\ufeff# mine\r\nsize\tname\tnote\t\r\n 3 \ta "b\t\x1c\u2028c\t\t\r\n\r\n  # next\r\n\td'
    assert read(tmp_path, text) == (
        TsvRow(3, f"{where} 3", {"name": 'a "b', "size": "3", "note": "c"}),
        TsvRow(6, f"{where} 6", {"name": "d", "size": "", "note": ""}),
    )
    assert read(tmp_path, text.replace("\r\n", "\r")) == read(tmp_path, text.replace("\r\n", "\n"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "# c\nname\tsise\n",
            ", line 2: unknown column 'sise'; did you mean size? (Tabs separate columns, not spaces.)",
        ),
        ("name size note\n", ", line 1: unknown column 'name size note'; "),
        ("name\t\tsize\n", ", line 1: unknown column ''; known here: name, size, note."),
        ("name\tsize\tname\n", ", line 1: the column 'name' is there twice."),
        ("name\tnote\n", ", line 1: no column 'size'; expected the header: name size note."),
        ("name\tsize\na\t1\n\nb\t2\t\tmore\n", ", line 4: 4 cells under a header of 2."),
        ("name\tsize\nthis one\n", ", line 2: a single cell, 'this one'. Tabs separate cells, not spaces."),
        (b"name\tsize\n\xff\t1\n", ": cannot be read as UTF-8 text ("),
    ],
)
def test_a_mistake_is_told_with_file_and_line(tmp_path: Path, content: bytes | str, told: str) -> None:
    with pytest.raises(FacesetError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path}/table.tsv{told}")


def test_a_long_cell_is_read(tmp_path: Path) -> None:
    rows = read(tmp_path, f"name\tsize\tnote\na\t1\t{'x' * 200_000}\n")
    assert rows is not None
    assert len(rows[0].cells["note"]) == 200_000
