"""Promises of sources.tsv."""

from pathlib import Path

import pytest
from snakemake.io import PeriodicityDetector

from faceset.errors import FacesetError
from faceset.project.sources import Source, check_name, read_sources

HEADER = "source\tframes\talignments\trights\n"


@pytest.fixture(autouse=True)
def footage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for name in ("film.mp4", "film_alignments.fsa", "other.mp4", "hand.json"):
        (tmp_path / name).write_bytes(b"")


def read(text: str) -> tuple[Source, ...]:
    Path("sources.tsv").write_text(text, encoding="utf-8")
    found = read_sources(Path("sources.tsv"))
    for source in found:
        source.check()
    return found


def test_sources_stand_in_the_order_of_the_file() -> None:
    found = read(f"{HEADER}b\tfilm.mp4\thand.json\tmine\n\n# a remark\na\tphotos\t\t\n")
    assert [(source.name, source.frames, source.alignments, source.rights) for source in found] == [
        ("b", Path("film.mp4"), Path("hand.json"), "mine"),
        ("a", Path("photos"), None, ""),
    ]


def test_what_a_row_names_is_looked_for_when_it_is_asked_for_and_not_before() -> None:
    Path("sources.tsv").write_text(f"{HEADER}a\tfilm.mp4\tgone.fsa\nb\tgone.mp4\n")
    one, other = read_sources(Path("sources.tsv"))
    with pytest.raises(FacesetError, match=r"line 2: gone\.fsa: no such alignments file"):
        _ = one.alignments
    with pytest.raises(FacesetError, match=r"line 3: gone\.mp4: no such video or folder"):
        other.check()


def test_what_editors_and_spreadsheets_do_to_the_file_does_no_harm() -> None:
    plain = read(f"{HEADER}a\tfilm.mp4\t\tmine, all mine\n")
    assert read("\ufeff" + f"{HEADER}a\tfilm.mp4\t\tmine, all mine\n".replace("\n", "\r\n")) == plain
    assert read("rights\tnote\tframes\tsource\talignments\nmine, all mine\tx\tfilm.mp4\ta\n") == plain
    assert read(f"{HEADER} a \t film.mp4\t\t mine, all mine") == plain


def test_an_empty_cell_means_the_default_place_else_detection() -> None:
    sources = {source.name: source.alignments for source in read(f"{HEADER}a\tfilm.mp4\nb\tother.mp4\nc\tphotos\n")}
    assert sources == {"a": Path("film_alignments.fsa"), "b": None, "c": None}
    Path("photos/alignments.fsa").write_bytes(b"")
    assert read(f"{HEADER}c\tphotos\n")[0].alignments == Path("photos/alignments.fsa")


def test_detect_overrules_the_default_place() -> None:
    assert read(f"{HEADER}a\tfilm.mp4\tdetect\n")[0].alignments is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty. Expected the header"),
        ("source\tframe\talignments\trights\n", "unknown column 'frame'; did you mean frames?"),
        ("source\tframes\talignments\n", "no column 'rights'"),
        ("source\tframes\talignments\trights\tframes\n", "line 1: the column 'frames' is there twice"),
        (HEADER, "no sources under the header"),
        (f"{HEADER}a\tfilm.mp4\n\na\tother.mp4\n", "line 4: the source 'a' is there twice"),
        (f"{HEADER}a\tgone.mp4\n", "line 2: gone.mp4: no such video or folder"),
        (f"{HEADER}a\tfilm.mp4\tgone.fsa\n", "line 2: gone.fsa: no such alignments file"),
        (f"{HEADER}a\t\n", "line 2: the column `frames` is empty"),
        (f"{HEADER}a\tfilm.mp4\t\t\t\tx\n", "line 2: 6 cells under a header of 4"),
        (f"{HEADER}a\t~nobodyxx/a.mp4\n", "line 2: frames is '~nobodyxx/a.mp4': there is no home folder for ~nobodyxx"),
        (f"{HEADER}a\t{'a' * 5000}\n", "line 2: frames is 'aaa"),
        (f"{HEADER}a\tb\0.mp4\n", "line 2: frames is 'b\\x00.mp4': a path cannot hold the character NUL"),
        (f"{HEADER}a\tfilm.mp4\t~nobodyxx/a.fsa\n", "alignments is '~nobodyxx/a.fsa': there is no home folder"),
        (f"{HEADER}a\tfilm.mp4\t{'a' * 5000}\n", "line 2: alignments is 'aaa"),
        (f"{HEADER}a b\tfilm.mp4\n", "'a b' cannot be the name of a source"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(FacesetError) as error:
        read(text)
    assert str(error.value).startswith("sources.tsv")
    assert message in str(error.value)


def test_a_missing_file_is_explained() -> None:
    with pytest.raises(FacesetError, match=r"gone\.tsv: no such file\. It lists your footage"):
        read_sources(Path("gone.tsv"))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", ".hidden", "-x", "a.", "ä", "a\n", "faces", "facesets", "Ab.3" * 26]
)
def test_a_name_that_could_not_be_part_of_a_path_or_id_is_refused(name: str) -> None:
    with pytest.raises(FacesetError, match="cannot be the name of a source"):
        check_name(name, "sources.tsv, line 2", "source")


@pytest.mark.parametrize("name", ["a", "0", "film-1_b.x", "A1_b-C2d.3" * 5])
def test_other_names_are_fine(name: str) -> None:
    check_name(name, "sources.tsv, line 2", "source")


@pytest.mark.parametrize("before", ["", "film"])
@pytest.mark.parametrize("after", ["", "x"])
@pytest.mark.parametrize("piece", ["a", "ab", "1_2"])
@pytest.mark.parametrize("times", [19, 20, 21, 31])
def test_a_name_is_refused_that_snakemake_takes_for_a_loop_and_no_other(
    before: str, piece: str, times: int, after: str
) -> None:
    name = f"{before}{piece * times}{after}"
    refused = PeriodicityDetector().is_periodic(name) is not None
    assert refused == (times >= 20 and not after)
    if not refused:
        check_name(name, "sources.tsv, line 2", "source")
    else:
        with pytest.raises(FacesetError, match=r"cannot be the name of a faceset: it ends in '.*' 20 times or more"):
            check_name(name, "config.yaml", "faceset")


def test_duplicates_are_allowed_where_the_cell_says_so_and_other_words_are_refused() -> None:
    header = HEADER.replace("\n", "\tduplicates\n")
    found = read(f"{header}a\tfilm.mp4\t\t\tallowed\nb\tphotos\t\t\t\n")
    assert [source.duplicates for source in found] == [True, False]
    with pytest.raises(FacesetError, match=r"line 2: duplicates is 'yes'; expected allowed, or nothing"):
        read(f"{header}a\tfilm.mp4\t\t\tyes\n")


def test_shards_are_a_number_and_one_where_nothing_is_said() -> None:
    header = HEADER.replace("\n", "\tshards\n")
    found = read(f"{header}a\tphotos\t\t\t7\nb\tphotos\t\t\t\n")
    assert [source.shards for source in found] == [7, 1]
    for cell in ("0", "-1", "2.5", "many", "1000"):
        with pytest.raises(FacesetError, match=r"line 2: shards is '.*'; expected a number from 1 to 999, or nothing"):
            read(f"{header}a\tphotos\t\t\t{cell}\n")
