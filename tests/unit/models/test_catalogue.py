import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from faceset.errors import FacesetError
from faceset.models.catalogue import (
    IdentityEntry,
    identity_entry,
    load_catalogue,
    load_stored_identities,
    stored_identity,
    verified_model_path,
)

MANIFEST = Path(__file__).parents[3] / "config/models.yaml"
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def entry(**changes: Any) -> dict[str, Any]:
    """An identity model's entry, with changes; None takes a key away."""
    values = {
        "role": "identity",
        "file": "mine.onnx",
        "sha256": EMPTY_SHA256,
        "input": "data",
        "size_px": 112,
        "alignment": "arcface",
        "channels": "rgb",
        "mean": [127.5, 127.5, 127.5],
        "scale": 0.0078,
        "layout": "nchw",
        "dimensions": 512,
        "metric": "cosine",
        "threshold": 0.6,
        "licence": "unknown",
        "source": "somewhere",
    } | changes
    return {key: value for key, value in values.items() if value is not None}


def write(folder: Path, *entries: dict[str, Any]) -> Path:
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"models": {f"mine{number}": value for number, value in enumerate(entries)}}))
    return path


def test_the_default_manifest_holds_what_detection_and_identity_need() -> None:
    models = load_catalogue(MANIFEST)
    assert [model.name for model in models.values() if model.role == "detector"] == [
        "mtcnn_pnet",
        "mtcnn_rnet",
        "mtcnn_onet",
    ]
    assert models["mediapipe_mesh"].role == "landmarks"
    identity = identity_entry(models, "dlib_resnet_v1")
    assert (identity.alignment, identity.metric, identity.threshold) == ("dlib", "euclidean", 0.6)
    assert all(model.build is not None for model in models.values())


def test_a_model_of_the_users_needs_no_build(tmp_path: Path) -> None:
    model = load_catalogue(write(tmp_path, entry()))["mine0"]
    assert isinstance(model, IdentityEntry)
    assert model.build is None
    assert model.mean == (127.5, 127.5, 127.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"treshold": 0.5, "threshold": None}, "model mine0: unknown key treshold; did you mean threshold?"),
        ({"metric": None}, "model mine0: the key metric is missing"),
        ({"dimensions": None}, "model mine0: the key dimensions is missing"),
        ({"metric": "manhattan"}, "model mine0: metric is 'manhattan'"),
        ({"scale": 0}, "model mine0: scale is 0"),
        ({"mean": float("nan")}, "model mine0: mean"),
        ({"threshold": float("inf")}, "model mine0: threshold is inf"),
        ({"sha256": "abc"}, "model mine0: sha256 is 'abc'"),
        ({"file": "../mine.onnx"}, "model mine0: file is '../mine.onnx'"),
        ({"role": "landmarks"}, "model mine0: unknown key alignment"),
        ({"build": {"package": "mediapip"}}, "model mine0: build.package 'mediapip' is not under `packages`"),
    ],
)
def test_a_fault_names_file_model_and_key(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    path = write(tmp_path, entry(**changes))
    with pytest.raises(FacesetError) as error:
        load_catalogue(path)
    assert str(error.value).startswith(f"{path}: {message}")


@pytest.mark.parametrize("text", ["", "models: []", "- a", "models: {a: 1}", "modles: {}", "a: [", "models: {}\nx: 1"])
def test_a_file_of_another_shape_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(text)
    with pytest.raises(FacesetError, match=str(path)):
        load_catalogue(path)


def test_an_unknown_identity_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(FacesetError, match="did you mean dlib_resnet_v1"):
        identity_entry(load_catalogue(MANIFEST), "dlib_resnet")


def test_what_alignments_may_bring_is_known_by_its_name_or_is_of_a_model() -> None:
    models, identities = load_catalogue(MANIFEST), load_stored_identities(MANIFEST)
    assert stored_identity(models, identities, "vggface2").dimensions == 512
    assert stored_identity(models, identities, "dlib_resnet_v1") is models["dlib_resnet_v1"]
    with pytest.raises(
        FacesetError, match=r"identities of 'vggface' are compared; did you mean vggface2\? Else add it"
    ):
        stored_identity(models, identities, "vggface")


@pytest.mark.parametrize(
    ("identities", "message"),
    [
        ({"mine": {"dimensions": 9, "metric": "cosine"}}, "identity mine: the key threshold is missing"),
        ({"mine": {"dimension": 9}}, "identity mine: unknown key dimension; did you mean dimensions?"),
        ([1], "identities: expected a mapping"),
    ],
)
def test_a_fault_in_an_identity_names_it(identities: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(yaml.safe_dump({"models": {}, "identities": identities}))
    with pytest.raises(FacesetError) as error:
        load_stored_identities(path)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_detector_is_no_identity_model() -> None:
    with pytest.raises(FacesetError, match="no identity model 'mtcnn_pnet'"):
        identity_entry(load_catalogue(MANIFEST), "mtcnn_pnet")


def test_an_absent_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="run `make setup`"):
        verified_model_path(load_catalogue(MANIFEST)["mtcnn_pnet"], tmp_path)


def test_only_the_file_that_the_manifest_names_is_used(tmp_path: Path) -> None:
    model = load_catalogue(write(tmp_path, entry()))["mine0"]
    (tmp_path / "mine.onnx").write_bytes(b"")
    assert verified_model_path(model, tmp_path) == tmp_path / "mine.onnx"
    (tmp_path / "mine.onnx").write_bytes(b"altered")
    with pytest.raises(FacesetError, match=EMPTY_SHA256):
        verified_model_path(model, tmp_path)


def test_reading_the_manifest_loads_no_heavy_library() -> None:
    code = "import sys, faceset.models; print([name for name in ('cv2', 'onnx', 'onnxruntime') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
