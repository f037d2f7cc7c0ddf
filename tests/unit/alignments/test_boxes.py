"""Promises of where faces lie."""

from pathlib import Path

import pytest

from faceset.alignments.boxes import read_boxes
from faceset.alignments.tables import FACES
from faceset.errors import FacesetError
from factory import write_rows

BOXES = {"film/1_0": (1, 2, 3, 4), "film/1_1": (-5, 6, 7, 8), "photos/a_0": (9, 10, 11, 12)}


@pytest.fixture
def faces(tmp_path: Path) -> dict[str, Path]:
    tables = {}
    for source in ("film", "photos"):
        boxes = {face: box for face, box in BOXES.items() if face.startswith(source)}
        rows = [{"face_id": face, **dict(zip("xywh", box, strict=True))} for face, box in boxes.items()]
        tables[source] = write_rows(tmp_path / source, FACES, rows)
    return tables


def test_boxes_of_all_faces_or_of_those_wanted_come_from_all_sources(faces: dict[str, Path]) -> None:
    assert read_boxes(faces) == BOXES
    wanted = ["photos/a_0", "film/1_1", "photos/a_0"]
    assert read_boxes(faces, wanted) == {face: BOXES[face] for face in wanted}
    assert read_boxes(faces, []) == {}


def test_a_face_that_no_table_has_is_named(faces: dict[str, Path]) -> None:
    with pytest.raises(FacesetError, match=r"^film/9_0: not in any table of faces \(2 of 3 faces are not\)"):
        read_boxes(faces, ["film/1_0", "film/9_0", "film/7_0", "film/9_0"])
