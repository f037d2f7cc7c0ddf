"""Promises of keep-lists."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faceset.decisions.keep_list import HEADER, Box, Decision, Row, Scope, format_row, read_keep_list
from faceset.errors import FacesetError


def write(folder: Path, text: str) -> Path:
    path = folder / "main.tsv"
    path.write_bytes(text.encode())
    return path


def test_no_file_and_a_file_without_rows_decide_nothing(tmp_path: Path) -> None:
    assert read_keep_list(None) == ()
    assert read_keep_list(write(tmp_path, "")) == ()
    assert read_keep_list(write(tmp_path, "# who shall be in it\n\n")) == ()
    assert read_keep_list(write(tmp_path, f"{HEADER}\n")) == ()


def test_every_cell_is_read_and_lines_are_counted_as_in_the_file(tmp_path: Path) -> None:
    text = (
        f"# made by hand\n\n{HEADER}\n"
        "keep\tcluster\tfilm1/000123_0\t412,96,180,220\t1204\tthe lead, most scenes\n"
        "  # next: who is not\n"
        "drop\tface\tfilm1/000999_0\t\t\thand over mouth\n"
        "drop\ttrack\tphotos/my_frame_01_2\t-4,0,88,150\n"
    )
    assert read_keep_list(write(tmp_path, text)) == (
        Row(4, "keep", "cluster", "film1/000123_0", (412, 96, 180, 220), 1204, "the lead, most scenes"),
        Row(6, "drop", "face", "film1/000999_0", None, None, "hand over mouth"),
        Row(7, "drop", "track", "photos/my_frame_01_2", (-4, 0, 88, 150), None, ""),
    )


def test_what_spreadsheets_and_windows_editors_do_to_a_file_does_no_harm(tmp_path: Path) -> None:
    text = (
        "\ufeffface\tnote\tdecision\tscope\tbox\t\r\n"
        'film1/000123_0\ta\u2028b\tkeep\tcluster\t"412, 96, 180, 220"\t\t\r\n'
        "\t\t\t\r\n"
        " film1/000124_0 \t\tdrop\tface\r\n"
    )
    assert read_keep_list(write(tmp_path, text)) == (
        Row(2, "keep", "cluster", "film1/000123_0", (412, 96, 180, 220), None, "a\u2028b"),
        Row(4, "drop", "face", "film1/000124_0"),
    )


@given(
    decision=st.sampled_from(["keep", "drop"]),
    scope=st.sampled_from(["cluster", "track", "face"]),
    box=st.none() | st.tuples(st.integers(), st.integers(), st.integers(min_value=0), st.integers(min_value=0)),
    reach=st.none() | st.integers(min_value=1),
    note=st.text(),
)
def test_a_row_that_is_copied_is_read_as_it_was_meant(
    tmp_path_factory: pytest.TempPathFactory,
    decision: Decision,
    scope: Scope,
    box: Box | None,
    reach: int | None,
    note: str,
) -> None:
    line = format_row(decision, scope, "film1/000123_0", box, reach, note)
    assert len(line.splitlines()) == 1
    path = write(tmp_path_factory.getbasetemp(), f"{HEADER}\n{line}\n")
    expected = Row(2, decision, scope, "film1/000123_0", box, reach, " ".join(note.split()))
    assert read_keep_list(path) == (expected,)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("decision scope face\n", "line 1: unknown column 'decision scope face'.*Tabs separate"),
        ("# c\ndecision\tscop\tface\n", "line 2: unknown column 'scop'; did you mean scope?"),
        ("decision\tscope\tnote\n", "line 1: no column 'face'; expected the header: decision scope face"),
        ("decision\tscope\tface\tscope\n", "line 1: the column 'scope' is there twice"),
        ("decision\tscope\tface\nkeep\tface\ta/1_0\t\tnote\n", "line 2: 5 cells under a header of 3"),
        (f"{HEADER}\nKeep\tface\ta/1_0\n", "line 2: the decision is 'Keep'; did you mean keep?"),
        (f"{HEADER}\n\n\tface\ta/1_0\n", "line 3: the decision is ''; known here: keep, drop"),
        (f"{HEADER}\nkeep\tclutser\ta/1_0\n", "line 2: the scope is 'clutser'; did you mean cluster?"),
        (f"{HEADER}\nkeep\tface\ta_1\n", "line 2: 'a_1' is no face id; expected {source}/{frame}_{index}"),
        (f"{HEADER}\nkeep\tface\ta/1_0\t1,2,3\n", "line 2: the box is '1,2,3'; expected left,top,width,height"),
        (f"{HEADER}\nkeep\tface\ta/1_0\t1,2,-3,4\n", "line 2: the box is"),
        (f"{HEADER}\nkeep\tface\ta/1_0\t1,2,3,1{'0' * 400}\n", "line 2: the box is"),
        (f"{HEADER}\nkeep\tface\ta/1_0\t\tmany\n", "line 2: the reach is 'many'; expected a number of faces"),
        (f"{HEADER}\nkeep\tface\ta/1_0\t\t0\n", "line 2: the reach is '0'"),
        (
            f"{HEADER}\nkeep\ttrack\ta/1_0\ndrop\tface\ta/1_0\ndrop\ttrack\ta/1_0\n",
            "main.tsv: line 2 says keep and line 4 says drop of the same track, a/1_0",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FacesetError, match=complaint.replace("?", r"\?").replace("{", r"\{")) as caught:
        read_keep_list(path)
    assert str(caught.value).startswith(str(path))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "main.tsv"
    path.write_bytes(b"decision\tscope\tface\nkeep\tface\t\xff\xfe\n")
    with pytest.raises(FacesetError, match="cannot be read as UTF-8"):
        read_keep_list(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="cannot be read"):
        read_keep_list(tmp_path / "no_such.tsv")


def test_the_same_row_twice_is_no_mistake(tmp_path: Path) -> None:
    row = format_row("keep", "cluster", "a/1_0")
    assert len(read_keep_list(write(tmp_path, f"{HEADER}\n{row}\n{row}\n"))) == 2
