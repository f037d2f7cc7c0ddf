import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from faceset.errors import FacesetError
from faceset.models import inference
from faceset.models.catalogue import Model
from faceset.models.inference import CUDA, network_input, open_session
from faceset.setup.converters.graph import GraphBuilder


@pytest.fixture
def doubling(tmp_path: Path) -> Path:
    """A model that doubles pictures of one pixel."""
    return write_doubling(tmp_path / "doubling.onnx", ["N", 3, 1, 1])


def write_doubling(path: Path, shape: Sequence[int | str]) -> Path:
    graph = GraphBuilder()
    graph.output(graph.node("Mul", "x", graph.constant(2)), "twice", shape)
    path.write_bytes(graph.model_bytes("doubling", "x", shape))
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
    batch = np.arange(3 * count, dtype=np.float32).reshape(count, 3, 1, 1)
    outputs = open_session(model(), doubling, "cpu").run_each(batch)
    assert np.array_equal(outputs["twice"], batch * 2)


def test_cuda_computes_on_cuda_or_fails_loudly(doubling: Path) -> None:
    if CUDA in onnxruntime.get_available_providers() and open_session(model(), doubling, "auto").provider == "cuda":
        assert open_session(model(), doubling, "cuda").provider == "cuda"
    else:
        with pytest.raises(FacesetError, match="device is cuda, but"):
            open_session(model(), doubling, "cuda")


def test_auto_computes_somewhere(doubling: Path) -> None:
    outputs = open_session(model(), doubling, "auto").run(np.ones((1, 3, 1, 1), np.float32))
    assert outputs["twice"].ravel().tolist() == [2, 2, 2]


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(FacesetError, match=r"broken\.onnx: cannot be opened"):
        open_session(model(), path, "cpu")


def test_an_input_of_the_wrong_shape_is_refused(doubling: Path) -> None:
    with pytest.raises(FacesetError, match=r"doubling\.onnx.*\(1, 4\)"):
        open_session(model(), doubling, "cpu").run(np.ones((1, 4), np.float32))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_model_of_a_fixed_batch_gets_batches_of_that_size(size: int, tmp_path: Path) -> None:
    path = write_doubling(tmp_path / "fixed.onnx", [size, 3, 1, 1])
    batch = np.arange(15, dtype=np.float32).reshape(5, 3, 1, 1)
    assert np.array_equal(open_session(model(), path, "cpu").run_each(batch)["twice"], batch * 2)


@pytest.mark.parametrize(
    ("changes", "shape", "told"),
    [
        ({"input": "data"}, ["N", 3, 1, 1], "input data.* but the file's inputs are called: x"),
        (
            {"size_px": 2},
            ["N", 3, 1, 1],
            r"size_px 2.*\('N', 3, 2, 2\).*takes tensor\(float\) of shape \('N', 3, 1, 1\)",
        ),
        ({"layout": "nhwc"}, ["N", 3, 1, 1], r"nhwc.*\('N', 1, 1, 3\)"),
        ({}, ["N", 3], r"takes tensor\(float\) of shape \('N', 3\)"),
    ],
)
def test_a_file_that_is_not_as_its_entry_says_is_refused_on_opening(
    changes: dict[str, Any], shape: list[int | str], told: str, tmp_path: Path
) -> None:
    path = write_doubling(tmp_path / "mine.onnx", shape)
    with pytest.raises(FacesetError, match=rf"mine\.onnx: its entry.*{told}.*Correct the entry"):
        open_session(model(**changes), path, "cpu")


def test_an_open_size_takes_what_the_entry_says(tmp_path: Path) -> None:
    path = write_doubling(tmp_path / "open.onnx", ["N", 3, "height", "width"])
    assert open_session(model(size_px=7), path, "cpu").run_each(np.ones((2, 3, 7, 7), np.float32))["twice"].sum() == 588


def test_an_output_that_is_not_of_each_picture_is_refused(tmp_path: Path) -> None:
    graph = GraphBuilder()
    graph.output(graph.node("ReduceMean", "x", axes=[0], keepdims=0), "mean", [3, 1, 1])
    path = tmp_path / "mean.onnx"
    path.write_bytes(graph.model_bytes("mean", "x", ["N", 3, 1, 1]))
    with pytest.raises(FacesetError, match=r"mean\.onnx: its output mean is of shape \(3, 1, 1\) for 1 pictures"):
        open_session(model(), path, "cpu").run_each(np.ones((2, 3, 1, 1), np.float32))


OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from faceset.models.inference import open_session
from faceset.models.catalogue import Model
session = open_session(Model.model_validate_json(sys.argv[1]), Path(sys.argv[2]), "cpu")
batch = np.zeros((1, 3, 1, 40_000_000), np.float32)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
try:
    session.run(batch)
except MemoryError as error:
    print("MemoryError", error)
"""


def test_full_memory_is_said_to_be_full_memory_and_no_fault_of_the_model(tmp_path: Path) -> None:
    graph = GraphBuilder()
    turned = graph.node("Transpose", "x", perm=[0, 1, 3, 2])
    graph.output(graph.node("Transpose", turned, perm=[0, 1, 3, 2]), "again", ["N", 3, "a", "b"])
    path = tmp_path / "turn.onnx"
    path.write_bytes(graph.model_bytes("turn", "x", ["N", 3, "a", "b"]))
    command = [sys.executable, "-c", OUT_OF_MEMORY, model().model_dump_json(), str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("MemoryError")


def test_pictures_become_input_by_channels_mean_scale_and_layout() -> None:
    picture = np.array([[[[10, 20, 30]]]], np.uint8)
    assert network_input(picture, model()).ravel().tolist() == [30, 20, 10]
    assert network_input(picture, model(channels="bgr")).ravel().tolist() == [10, 20, 30]
    assert network_input(picture, model(mean=[30, 10, 0], scale=0.5)).ravel().tolist() == [0, 5, 5]
    tall = np.zeros((2, 4, 3, 3), np.uint8)
    assert network_input(tall, model()).shape == (2, 3, 4, 3)
    assert network_input(tall, model(layout="nhwc")).shape == (2, 4, 3, 3)
    assert network_input(tall, model()).dtype == np.float32
