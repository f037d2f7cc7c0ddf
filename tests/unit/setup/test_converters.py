import collections
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.signal import correlate

from faceset.errors import FacesetError
from faceset.setup.converters.dlib_resnet import convert_dlib_resnet
from faceset.setup.converters.graph import GraphBuilder
from faceset.setup.converters.mtcnn import convert_pnet
from faceset.setup.converters.tflite import convert_tflite
from faceset.setup.converters.torch_weights import MAGIC, read_weights
from golden_data import Record, assert_near
from real_models import MODELS_DIR

PNET_SHAPES = {
    "conv1": (10, 3, 3, 3),
    "conv2": (16, 10, 3, 3),
    "conv3": (32, 16, 3, 3),
    "conv4_1": (2, 32, 1, 1),
    "conv4_2": (4, 32, 1, 1),
}


def random_pnet() -> dict[str, np.ndarray]:
    random = np.random.default_rng(7)
    weights = {f"{name}.weight": random.normal(0, 0.3, shape) for name, shape in PNET_SHAPES.items()}
    weights |= {f"{name}.bias": random.normal(0, 0.3, shape[0]) for name, shape in PNET_SHAPES.items()}
    weights |= {f"prelu{n}.weight": random.uniform(0, 0.5, PNET_SHAPES[f"conv{n}"][0]) for n in (1, 2, 3)}
    return {name: values.astype(np.float32) for name, values in weights.items()}


def torch_file(weights: dict[str, np.ndarray], tensor_function: str = "torch._utils\n_rebuild_tensor_v2") -> bytes:
    """A legacy PyTorch file of float tensors, each its own storage, spelt out in pickle's opcodes."""

    def text(value: str) -> bytes:
        return b"X" + struct.pack("<I", len(value)) + value.encode()

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    state = b"\x80\x02ccollections\nOrderedDict\n)R("
    for key, (name, values) in enumerate(weights.items()):
        shape = b"(" + b"".join(map(number, values.shape)) + b"t"
        strides = b"(" + b"".join(number(stride // 4) for stride in values.strides) + b"t"
        storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(str(key)) + text("cpu")
        storage += number(values.size) + b"NtQ"
        state += text(name) + f"c{tensor_function}\n(".encode() + storage + number(0) + shape + strides + b"tR"
    file = io.BytesIO()
    for header in (MAGIC, 1001, {"little_endian": True}):
        pickle.dump(header, file, 2)
    file.write(state + b"u.")
    pickle.dump([str(key) for key in range(len(weights))], file, 2)
    for values in weights.values():
        file.write(struct.pack("<q", values.size) + values.tobytes())
    return file.getvalue()


def convolve(image: np.ndarray, weight: np.ndarray, bias: np.ndarray) -> np.ndarray:
    return np.stack([correlate(image, kernel, "valid")[0] for kernel in weight]) + bias[:, None, None]


def prelu(image: np.ndarray, slope: np.ndarray) -> np.ndarray:
    return np.where(image > 0, image, image * slope[:, None, None])


def test_weights_of_a_torch_file_are_read_as_they_are() -> None:
    weights = random_pnet()
    found = read_weights(torch_file(weights), "pnet.pt")
    assert list(found) == list(weights)
    assert all(np.array_equal(found[name], weights[name]) for name in weights)


def test_a_torch_file_that_names_anything_else_is_refused_and_does_nothing(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "made"),)

    file = io.BytesIO()
    for part in (MAGIC, 1001, {}, collections.OrderedDict(a=Malicious())):
        pickle.dump(part, file, 2)
    with pytest.raises(FacesetError, match=r"bad\.pt: .*mkdir"):
        read_weights(file.getvalue(), "bad.pt")
    assert not (tmp_path / "made").exists()


def test_a_tensor_beyond_its_storage_is_refused() -> None:
    data = torch_file({"a": np.zeros(4, np.float32)})
    with pytest.raises(FacesetError, match=r"pnet\.pt"):
        read_weights(data.replace(struct.pack("<iBB", 4, *b"t("), struct.pack("<iBB", 9, *b"t(")), "pnet.pt")


def test_a_converted_pnet_computes_what_its_weights_say(record_property: Record) -> None:
    weights = random_pnet()
    session = onnxruntime.InferenceSession(convert_pnet(torch_file(weights), "pnet.pt"))
    image = np.random.default_rng(1).normal(size=(3, 12, 12)).astype(np.float32)
    outputs = dict(zip(("probability", "offsets"), session.run(None, {"image": image[None]}), strict=True))

    value = prelu(convolve(image, weights["conv1.weight"], weights["conv1.bias"]), weights["prelu1.weight"])
    value = value.reshape(10, 5, 2, 5, 2).max(axis=(2, 4))
    for layer in (2, 3):
        value = convolve(value, weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"])
        value = prelu(value, weights[f"prelu{layer}.weight"])
    scores = np.exp(convolve(value, weights["conv4_1.weight"], weights["conv4_1.bias"]))
    # Of these two probabilities one is 0, the other 1. Offsets are rounded: 8.6e-6 without AVX-512.
    assert_near(outputs["probability"][0], scores / scores.sum(axis=0), 1e-12, "probability", record_property)
    expected = convolve(value, weights["conv4_2.weight"], weights["conv4_2.bias"])
    assert_near(outputs["offsets"][0], expected, 9e-6, "offsets of a box", record_property)


def test_a_conversion_gives_the_same_bytes_each_time() -> None:
    data = torch_file(random_pnet())
    assert convert_pnet(data, "pnet.pt") == convert_pnet(data, "pnet.pt")


def test_weights_of_another_network_are_named() -> None:
    with pytest.raises(FacesetError, match=r"other\.pt: holds no conv1\.weight"):
        convert_pnet(torch_file({"a": np.zeros(3, np.float32)}), "other.pt")


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 100, bytes([1, 5]) + b"con_4", bytes([1, 21]) + b"input_rgb_image_sized"]
)
def test_what_is_no_dlib_resnet_is_named(data: bytes) -> None:
    with pytest.raises(FacesetError, match=r"face\.dat: not dlib's face recognition ResNet"):
        convert_dlib_resnet(data, "face.dat")


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"\x08\0\0\0TFL3", b"\x08\0\0\0TFL3" + b"\xff" * 40])
def test_what_is_no_tflite_model_is_named(data: bytes) -> None:
    with pytest.raises(FacesetError, match=r"face\.tflite: not a TFLite model"):
        convert_tflite(data, "face.tflite")


def test_the_graph_is_checked_when_it_is_finished() -> None:
    graph = GraphBuilder()
    graph.output(graph.node("Relu", "nowhere"), "out", ["N"])
    with pytest.raises(onnx.checker.ValidationError):
        graph.model_bytes("broken", "image", ["N"])


def test_converted_models_say_how_large_their_inputs_are() -> None:
    shapes = {}
    for path in sorted(MODELS_DIR.glob("*.onnx")):
        (source,) = onnxruntime.InferenceSession(path).get_inputs()
        shapes[path.stem] = [size if isinstance(size, int) else None for size in source.shape]
    assert shapes["dlib_resnet_v1"] == [None, 3, 150, 150]
    assert shapes["mediapipe_mesh"] == [None, 3, 192, 192]
    assert shapes["mtcnn_onet"] == [None, 3, 48, 48]
    assert shapes["mtcnn_pnet"] == [None, 3, None, None]
