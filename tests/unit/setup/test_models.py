from pathlib import Path

import pytest
import yaml

from faceset.errors import FacesetError
from faceset.setup.models import set_up_models

REPOSITORY = Path(__file__).parents[3]
MANIFEST = REPOSITORY / "config/models.yaml"
CACHE = REPOSITORY / ".cache/packages"


def write_manifest(folder: Path, sha256: str | None = None) -> Path:
    """The default manifest cut down to its smallest model."""
    content = yaml.safe_load(MANIFEST.read_text())
    content["models"] = {"mtcnn_pnet": content["models"]["mtcnn_pnet"]}
    if sha256:
        content["models"]["mtcnn_pnet"]["sha256"] = sha256
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def test_a_model_is_made_once_then_only_verified(tmp_path: Path) -> None:
    manifest, said = write_manifest(tmp_path), []
    set_up_models(CACHE, tmp_path / "models", manifest, said.append)
    made = (tmp_path / "models/mtcnn_pnet.onnx").stat()
    assert said[0].startswith("mtcnn_pnet: facenet-pytorch==2.6.0 -> ")
    no_cache = tmp_path / "nothing"
    set_up_models(no_cache, tmp_path / "models", manifest, said.append)
    assert said[1] == "mtcnn_pnet: verified"
    assert (tmp_path / "models/mtcnn_pnet.onnx").stat().st_mtime_ns == made.st_mtime_ns
    assert not no_cache.exists()


def test_a_damaged_model_is_made_anew(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path)
    set_up_models(CACHE, tmp_path / "models", manifest, lambda _: None)
    path = tmp_path / "models/mtcnn_pnet.onnx"
    good = path.read_bytes()
    path.write_bytes(good[:-1])
    set_up_models(CACHE, tmp_path / "models", manifest, lambda _: None)
    assert path.read_bytes() == good


def test_a_conversion_with_another_result_is_refused_and_not_written(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match=r"mtcnn_pnet: converting .* expects 0{64}"):
        set_up_models(CACHE, tmp_path / "models", write_manifest(tmp_path, "0" * 64), lambda _: None)
    assert not list(tmp_path.glob("models/*"))
