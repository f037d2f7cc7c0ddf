"""Promises of writing embeddings into cleaned alignments as identities."""

from pathlib import Path

import numpy as np
import pytest

from faceset.__main__ import make_parser
from faceset.alignments.files import read_alignments
from faceset.errors import FacesetError
from faceset.models.embeddings import read_embeddings

pytest_plugins = ("two_sources",)


def identities(*words: str) -> None:
    arguments = make_parser(["identities"]).parse_args(["identities", *words])
    arguments.run(arguments)


@pytest.mark.usefixtures("folder")
def test_each_face_has_its_own_embedding_and_all_else_stays(capsys: pytest.CaptureFixture[str]) -> None:
    identities("main", "photos", "out.fsa")
    cleaned = read_alignments(Path("results/facesets/main/photos/alignments.fsa")).frames
    written = read_alignments(Path("out.fsa")).frames
    found = read_embeddings(Path("results/photos/embeddings.parquet"))
    vectors = dict(zip(found.face_ids, found.vectors, strict=True))
    assert written.keys() == cleaned.keys()
    for name, entry in written.items():
        assert len(entry["faces"]) == len(cleaned[name]["faces"]) == 1
        (face,), (before,) = entry["faces"], cleaned[name]["faces"]
        (model, vector), *others = face["identity"].items()
        np.testing.assert_array_equal(vector, vectors[f"photos/{Path(name).stem}_0"])
        assert model == "dlib_resnet_v1"
        assert not others
        np.testing.assert_equal({**face, "identity": before["identity"]}, before)
    assert capsys.readouterr().out == f"out.fsa: {len(written)} faces with their dlib_resnet_v1 embedding.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("mian", "photos", "out.fsa"), r"there is no faceset 'mian'; did you mean main\?"),
        (("main", "foto", "out.fsa"), r"there is no source 'foto'; did you mean photos\?"),
        (("other", "photos", "out.fsa"), r"results/facesets/other/photos/clean\.json: not made yet"),
        (("main", "photos", "photos/a.png"), r"photos/a\.png: exists already, and is not overwritten"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_mistakes_are_told(words: tuple[str, ...], told: str) -> None:
    with pytest.raises(FacesetError, match=told):
        identities(*words)
