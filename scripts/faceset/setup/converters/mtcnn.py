"""The three networks of MTCNN (Zhang et al. 2016), from facenet-pytorch's weights, to ONNX.

Each takes `image`, float32 NCHW, RGB, (pixel - 127.5) / 128, and gives `probability` (not a face, face) and `offsets`
of the box's left, top, right and bottom in units of its size; O-Net also `points`, five x and then five y, in units
of the box. P-Net slides over a picture of any size with a window of 12 px and a stride of 2.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from faceset.errors import FacesetError
from faceset.setup.converters.graph import Dimension, GraphBuilder
from faceset.setup.converters.torch_weights import read_weights


def convert_pnet(data: bytes, name: str) -> bytes:
    """ONNX bytes of the proposal network in the `.pt` file `data`; FacesetError where it is another file."""
    net = _Net(data, name)
    net.convolution("conv1", "prelu1")
    net.pool(2)
    net.convolution("conv2", "prelu2")
    net.convolution("conv3", "prelu3")
    net.head("conv4_1", "probability", ["N", 2, "rows", "columns"], softmax=True)
    net.head("conv4_2", "offsets", ["N", 4, "rows", "columns"])
    return net.graph.model_bytes("mtcnn_pnet", "image", ["N", 3, "height", "width"])


def convert_rnet(data: bytes, name: str) -> bytes:
    """ONNX bytes of the refinement network in the `.pt` file `data`; FacesetError where it is another file."""
    net = _Net(data, name)
    net.convolution("conv1", "prelu1")
    net.pool(3)
    net.convolution("conv2", "prelu2")
    net.pool(3)
    net.convolution("conv3", "prelu3")
    net.dense("dense4", "prelu4")
    net.head("dense5_1", "probability", ["N", 2], softmax=True)
    net.head("dense5_2", "offsets", ["N", 4])
    return net.graph.model_bytes("mtcnn_rnet", "image", ["N", 3, 24, 24])


def convert_onet(data: bytes, name: str) -> bytes:
    """ONNX bytes of the output network in the `.pt` file `data`; FacesetError where it is another file."""
    net = _Net(data, name)
    net.convolution("conv1", "prelu1")
    net.pool(3)
    net.convolution("conv2", "prelu2")
    net.pool(3)
    net.convolution("conv3", "prelu3")
    net.pool(2)
    net.convolution("conv4", "prelu4")
    net.dense("dense5", "prelu5")
    net.head("dense6_1", "probability", ["N", 2], softmax=True)
    net.head("dense6_2", "offsets", ["N", 4])
    net.head("dense6_3", "points", ["N", 10])
    return net.graph.model_bytes("mtcnn_onet", "image", ["N", 3, 48, 48])


class _Net:
    """A stack of layers, named as in the weights, ending in heads."""

    def __init__(self, data: bytes, name: str) -> None:
        self.graph = GraphBuilder()
        self._file = name
        self._weights: Mapping[str, NDArray[np.float32]] = read_weights(data, name)
        self._value = "image"

    def convolution(self, layer: str, activation: str) -> None:
        value = self.graph.node("Conv", self._value, *self._parameters(layer))
        slope = self.graph.constant(self._weight(f"{activation}.weight").reshape(-1, 1, 1))
        self._value = self.graph.node("PRelu", value, slope)

    def pool(self, edge: int) -> None:
        self._value = self.graph.node("MaxPool", self._value, kernel_shape=[edge, edge], strides=[2, 2], ceil_mode=1)

    def dense(self, layer: str, activation: str) -> None:
        # The weights expect the order width, height, channels, that of the network's first, column-major form.
        flat = self.graph.node("Flatten", self.graph.node("Transpose", self._value, perm=[0, 3, 2, 1]), axis=1)
        value = self.graph.node("Gemm", flat, *self._parameters(layer), transB=1)
        self._value = self.graph.node("PRelu", value, self.graph.constant(self._weight(f"{activation}.weight")))

    def head(self, layer: str, output: str, shape: list[Dimension], softmax: bool = False) -> None:
        if len(shape) == 4:
            value = self.graph.node("Conv", self._value, *self._parameters(layer))
        else:
            value = self.graph.node("Gemm", self._value, *self._parameters(layer), transB=1)
        self.graph.output(self.graph.node("Softmax", value, axis=1) if softmax else value, output, shape)

    def _parameters(self, layer: str) -> tuple[str, str]:
        weight, bias = self._weight(f"{layer}.weight"), self._weight(f"{layer}.bias")
        return self.graph.constant(weight), self.graph.constant(bias)

    def _weight(self, key: str) -> NDArray[np.float32]:
        if key not in self._weights:
            raise FacesetError(f"{self._file}: holds no {key}, so it is not this network of MTCNN.")
        return self._weights[key]
