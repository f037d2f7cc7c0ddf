from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from faceset import inference
from faceset.errors import FacesetError
from faceset.inference import CUDA, network_input, open_session
from faceset.models import Model
from faceset.setup.converters.graph import GraphBuilder


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that doubles its input, (N, 2)."""
    graph = GraphBuilder()
    graph.output(graph.node("Mul", "x", graph.constant(2)), "twice", ["N", 2])
    path = tmp_path / "doubling.onnx"
    path.write_bytes(graph.model_bytes("doubling", "x", ["N", 2]))
    return path


def model(**changes: Any) -> Model:
    values: dict[str, Any] = {
        "name": "some",
        "role": "detector",
        "file": "some.onnx",
        "sha256": "0" * 64,
        "input": "x",
        "size_px": 1,
        "channels": "rgb",
        "mean": 0,
        "scale": 1,
        "layout": "nchw",
        "licence": "none",
        "source": "none",
    }
    return Model.model_validate(values | changes)


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_batches_filled_up_with_zeros_give_every_result_once(
    count: int, doubling: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inference.BATCH_SIZE, "cpu", 4)
    batch = np.arange(2 * count, dtype=np.float32).reshape(count, 2)
    outputs = open_session(doubling, "cpu").run_each(batch)
    assert np.array_equal(outputs["twice"], batch * 2)


def test_cuda_computes_on_cuda_or_fails_loudly(doubling: Path) -> None:
    if CUDA in onnxruntime.get_available_providers() and open_session(doubling, "auto").provider == "cuda":
        assert open_session(doubling, "cuda").provider == "cuda"
    else:
        with pytest.raises(FacesetError, match="device is cuda, but"):
            open_session(doubling, "cuda")


def test_auto_computes_somewhere(doubling: Path) -> None:
    outputs = open_session(doubling, "auto").run(np.ones((1, 2), np.float32))
    assert outputs["twice"].tolist() == [[2, 2]]


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(FacesetError, match=r"broken\.onnx: can not be opened"):
        open_session(path, "cpu")


def test_an_input_of_the_wrong_shape_is_refused(doubling: Path) -> None:
    with pytest.raises(FacesetError, match=r"\(1, 3\)"):
        open_session(doubling, "cpu").run(np.ones((1, 3), np.float32))


def test_pictures_become_input_by_channels_mean_scale_and_layout() -> None:
    picture = np.array([[[[10, 20, 30]]]], np.uint8)
    assert network_input(picture, model()).ravel().tolist() == [30, 20, 10]
    assert network_input(picture, model(channels="bgr")).ravel().tolist() == [10, 20, 30]
    assert network_input(picture, model(mean=[30, 10, 0], scale=0.5)).ravel().tolist() == [0, 5, 5]
    tall = np.zeros((2, 4, 3, 3), np.uint8)
    assert network_input(tall, model()).shape == (2, 3, 4, 3)
    assert network_input(tall, model(layout="nhwc")).shape == (2, 4, 3, 3)
    assert network_input(tall, model()).dtype == np.float32
