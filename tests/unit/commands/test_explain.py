"""Promises of explain: the whole chain from a picture to its frame, with digests that are those of the files."""

import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.commands.explain import explain
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.training.pictures.png import header_text, read_header
from faceset.workflow.priming import prime
from factory import png
from two_sources import current, run_all

pytest_plugins = ("two_sources",)

FACES = Path("results/facesets/main/faces")


def run(face: str | Path, faceset: str | None = None) -> str:
    return explain(current(), str(face), faceset)


def keep_list(text: str) -> None:
    Path("config/keep").mkdir(exist_ok=True)
    Path("config/keep/main.tsv").write_text(f"decision\tscope\tface\tbox\treach\tnote\n{text}")
    prime(current())
    run_all()


@pytest.mark.usefixtures("folder")
def test_the_chain_names_every_step_and_its_digests_are_right() -> None:
    text = run("photos/b_0")
    for line in (
        "photos/b_0 in the faceset main",
        "picture     results/facesets/main/faces/photos--b_0.png",
        "decision    kept by policy: the policy keeps all faces",
        "policy      all, from the config",
        "face        face 0 of its frame as the alignments came in, box 20,10,40,40",
        f"alignments  photos/alignments.fsa, sha256 {file_digest(Path('photos/alignments.fsa'))}",
        "frame       b.png, at position 1 from 0",
        f"footage     photos/b.png, sha256 {file_digest(Path('photos/b.png'))} when it was read",
    ):
        assert line in text
    links = re.findall(r"from (\S+), sha256 (\w+) \(record (\S+)\)", text)
    assert len(links) == 8
    for shown, digest, record in links:
        assert file_digest(Path(shown)) == digest
        assert digest in Path(record).read_text()
    assert "Made before" not in text


@pytest.mark.usefixtures("folder")
def test_a_renamed_picture_is_known_by_its_pixels_and_an_edited_one_by_its_header() -> None:
    expected = run("photos/b_0")
    renamed = FACES / "photos--b_0.png"
    shutil.copyfile(renamed, "best of all.png")
    assert run("best of all.png") == expected
    image = cv2.imread(str(renamed))
    assert image is not None
    cv2.imwrite("bare.png", image)
    assert run("bare.png") == expected
    header = read_header(renamed.read_bytes(), "")
    text = header_text({**header["alignments"], "thumb": None}, header["source"])
    Path("edited.png").write_bytes(png(np.asarray(255 - image, np.uint8), text))
    assert run("edited.png") == expected


@pytest.mark.usefixtures("folder")
def test_a_face_of_several_facesets_is_explained_for_each_or_for_one() -> None:
    text = run("more/d_0")
    assert "more/d_0 in the faceset main" in text
    assert "more/d_0 in the faceset other" in text
    assert "in the faceset main" not in run("more/d_0", "other")
    picture = Path("results/facesets/other/faces/more--d_0.png")
    assert run(picture) == text


@pytest.mark.usefixtures("folder")
def test_the_row_that_decided_is_shown_also_for_a_face_that_is_dropped() -> None:
    keep_list("# looked at in spring\ndrop\tface\tphotos/b_0\t20,10,40,40\t\thand over mouth\n")
    text = run("photos/b_0", "main")
    assert "picture     none: it is not in the faceset" in text
    assert "decision    dropped by row: keep-list line 3: drop face (hand over mouth)" in text
    assert "keep-list   line 3: drop face photos/b_0 20,10,40,40 hand over mouth" in text
    assert f"config/keep/main.tsv, sha256 {file_digest(Path('config/keep/main.tsv'))}" in text


@pytest.mark.usefixtures("folder")
def test_rows_that_contradict_each_other_are_shown_whatever_their_notes_say() -> None:
    note = "see line 7: or (3), keep-list lines 5 and 6"
    rows = ["keep\tcluster\tphotos/a_0", "drop\tcluster\tphotos/b_0"]
    keep_list("".join(f"{row}\t\t\t{note}\n" for row in rows))
    text = run("photos/b_0", "main")
    assert "decision    dropped by undecided: keep-list lines 2 and 3 contradict each other" in text
    shown = [line for line in text.splitlines() if note in line]
    assert shown == [
        f"keep-list   line 2: keep cluster photos/a_0 {note}",
        f"            line 3: drop cluster photos/b_0 {note}",
    ]


@pytest.mark.usefixtures("folder")
def test_a_note_with_colons_and_brackets_is_part_of_no_number() -> None:
    note = "line 3: (9)"
    keep_list(f"drop\tface\tphotos/b_0\t\t\t{note}\n")
    text = run("photos/b_0", "main")
    assert f"decision    dropped by row: keep-list line 2: drop face ({note})" in text
    assert f"keep-list   line 2: drop face photos/b_0 {note}\n            from config/keep/main.tsv" in text


@pytest.mark.usefixtures("folder")
def test_results_older_than_what_they_are_made_from_are_told() -> None:
    Path("config/keep").mkdir()
    Path("config/keep/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/b_0\n")
    assert "Made before a change of what it is made from (manifest main): run again to be sure." in run("photos/b_0")


@pytest.mark.parametrize(
    ("face", "faceset", "told"),
    [
        ("photos/z_0", None, "photos has no such face"),
        ("film/a_0", None, "there is no source 'film'; known here: photos, more"),
        ("photos/a_0", "other", "other: does not draw on photos"),
        ("photos/a_0", "mine", r"there is no faceset 'mine'; did you mean main\?"),
        ("nothing.png", None, "is no face id; .* or the path of a picture"),
        ("photos/a.png", None, "photos/a.png: not a picture of any face of main, other"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistakes_are_told(face: str, faceset: str | None, told: str) -> None:
    with pytest.raises(FacesetError, match=told):
        run(face, faceset)


@pytest.mark.usefixtures("folder")
def test_before_a_run_it_says_to_run() -> None:
    shutil.rmtree("results")
    with pytest.raises(FacesetError, match=r"not made yet\. Run the workflow first"):
        run("photos/a_0")
