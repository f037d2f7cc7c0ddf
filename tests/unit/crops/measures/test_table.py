"""Promises of the table of measures."""

from faceset.crops.measures.table import measure_face
from faceset.crops.tables import MEASURES
from golden_data import column, photo_figures, photo_frame


def test_every_measure_has_its_column_and_every_column_its_measure() -> None:
    measured = measure_face(photo_frame(next(iter(photo_figures()))), column("landmarks_xy")[0].astype("float32"))
    assert ["face_id", *measured] == MEASURES.names
