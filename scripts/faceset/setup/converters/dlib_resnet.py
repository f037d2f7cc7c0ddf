"""dlib's face recognition ResNet (`.dat`) to ONNX.

The graph takes `image`, float32 (N, 3, 150, 150), RGB 0..255, and gives `embedding`, float32 (N, 128), dlib's own
descriptor, not of unit length. Mean and scale are inside the graph, batch normalisation is folded into the
convolutions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from faceset.arrays import Float32
from faceset.errors import FacesetError
from faceset.setup.converters.graph import GraphBuilder

INPUT_SCALE = 1 / 256
INPUT = "input_rgb_image_sized"
CONVOLUTION = "con_4"
AFFINE = "affine_"
RELU = "relu_"
MAX_POOL = "max_pool_2"
AVERAGE_POOL = "avg_pool_2"
ADD = "add_prev_"
FULLY_CONNECTED = "fc_2"
KINDS = (INPUT, CONVOLUTION, AFFINE, RELU, MAX_POOL, AVERAGE_POOL, ADD, FULLY_CONNECTED)


def _empty() -> Float32:
    return np.empty(0, np.float32)


@dataclass(frozen=True)
class Layer:
    """One layer of the file; sizes are (rows, columns), and what a kind has no use for stays empty."""

    kind: str
    weights: Float32 = field(default_factory=_empty)
    bias: Float32 = field(default_factory=_empty)
    kernel: tuple[int, int] = (0, 0)
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)

    def output_size(self, size: int) -> int:
        """Edge of what comes out of a convolution or pooling of a square of that edge."""
        return (size + 2 * self.padding[0] - self.kernel[0]) // self.stride[0] + 1


class _Reader:
    """dlib's portable serialisation.

    An integer is a control byte (bit 7: negative, low four bits: how many bytes follow) and little-endian bytes;
    a float is two integers, mantissa and binary exponent; a tensor is a version, four dimensions and raw float32.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def integer(self) -> int:
        control = self.data[self.position]
        start = self.position + 1
        self.position = start + (control & 0x0F)
        value = int.from_bytes(self.data[start : self.position], "little")
        return -value if control & 0x80 else value

    def real(self) -> float:
        mantissa, exponent = self.integer(), self.integer()
        return float(mantissa) * 2.0**exponent

    def pair(self) -> tuple[int, int]:
        return self.integer(), self.integer()

    def tensor(self) -> Float32:
        self._version(2, "tensor")
        shape = [self.integer() for _ in range(4)]
        values = np.frombuffer(self.data, "<f4", int(np.prod(shape)), self.position).reshape(shape)
        self.position += values.nbytes
        return values

    def view_shape(self) -> list[int]:
        """Shape of a part of a layer's one tensor of parameters."""
        self._version(1, "tensor view")
        return [self.integer() for _ in range(4)]

    def _version(self, expected: int, what: str) -> None:
        if (found := self.integer()) != expected:
            raise ValueError(f"{what} of version {found} where {expected} was expected")


def convert_dlib_resnet(data: bytes, name: str) -> bytes:
    """ONNX bytes of the network in a dlib `.dat` file; `name` is what messages call that file.

    Raises FacesetError where the file is not dlib's face recognition ResNet.
    """
    try:
        return _build(read_layers(data))
    except (IndexError, ValueError) as error:
        raise FacesetError(f"{name}: not dlib's face recognition ResNet ({error}).") from error


def read_layers(data: bytes) -> list[Layer]:
    """Layers in order of evaluation, which is the order of the file: dlib writes the innermost first.

    Between layers lies training state of no use here, so each layer is found by its tag, a length and a name.
    """
    reader = _Reader(data)
    tags = {kind: bytes([1, len(kind)]) + kind.encode() for kind in KINDS}
    layers: list[Layer] = []
    while True:
        places = [(data.find(tag, reader.position), kind) for kind, tag in tags.items()]
        found = [place for place in places if place[0] >= 0]
        if not found:
            return layers
        start, kind = min(found)
        reader.position = start + len(tags[kind])
        layers.append(_read_layer(reader, kind))


def _read_layer(reader: _Reader, kind: str) -> Layer:
    if kind == INPUT:
        mean = np.array([reader.real() for _ in range(3)], np.float32)
        return Layer(kind, bias=mean, kernel=reader.pair())
    if kind == CONVOLUTION:
        values = reader.tensor().ravel()
        reader.integer()  # number of filters, which the view's shape says again
        kernel, stride, padding = reader.pair(), reader.pair(), reader.pair()
        shape = reader.view_shape()
        count = int(np.prod(shape))
        return Layer(kind, values[:count].reshape(shape), values[count:], kernel, stride, padding)
    if kind == AFFINE:
        values = reader.tensor().ravel()
        count = int(np.prod(reader.view_shape()))
        return Layer(kind, values[:count], values[count:])
    if kind in (MAX_POOL, AVERAGE_POOL):
        return Layer(kind, kernel=reader.pair(), stride=reader.pair(), padding=reader.pair())
    if kind == FULLY_CONNECTED:
        reader.pair()  # numbers of outputs and inputs, which the tensor's shape says again
        values = reader.tensor()
        return Layer(kind, values.reshape(values.shape[0], -1))
    return Layer(kind)


@dataclass(frozen=True)
class _Value:
    """A value of the graph with its channels and its edge in pixels."""

    name: str
    channels: int
    size: int


def _build(layers: list[Layer]) -> bytes:
    graph = GraphBuilder()
    remaining = iter(layers)
    source = _next(remaining, INPUT)
    edge = source.kernel[0]
    centred = graph.node("Sub", "image", graph.constant(source.bias.reshape(1, 3, 1, 1)))
    value = _Value(graph.node("Mul", centred, graph.constant(INPUT_SCALE)), 3, edge)
    value = _relu(graph, _convolve(graph, value, remaining), remaining)
    value = _pool(graph, value, _next(remaining, MAX_POOL))
    for _ in range(sum(layer.kind == ADD for layer in layers)):
        value = _residual(graph, value, remaining)
    _next(remaining, AVERAGE_POOL)
    flat = graph.node("Flatten", graph.node("GlobalAveragePool", value.name), axis=1)
    weights = _next(remaining, FULLY_CONNECTED).weights
    graph.output(graph.node("MatMul", flat, graph.constant(weights)), "embedding", ["N", weights.shape[1]])
    if (left := next(remaining, None)) is not None:
        raise ValueError(f"a layer {left.kind} after the last one")
    return graph.model_bytes("dlib_face_recognition_resnet_v1", "image", ["N", 3, edge, edge])


def _next(layers: Iterator[Layer], kind: str) -> Layer:
    layer = next(layers, None)
    if layer is None or layer.kind != kind:
        raise ValueError(f"{layer.kind if layer else 'the end'} where a layer {kind} was expected")
    return layer


def _convolve(graph: GraphBuilder, value: _Value, layers: Iterator[Layer]) -> _Value:
    layer, affine = _next(layers, CONVOLUTION), _next(layers, AFFINE)
    weights = graph.constant(layer.weights * affine.weights[:, None, None, None])
    bias = graph.constant(layer.bias * affine.weights + affine.bias)
    rows, columns = layer.padding
    output = graph.node(
        "Conv",
        value.name,
        weights,
        bias,
        kernel_shape=layer.kernel,
        strides=layer.stride,
        pads=[rows, columns, rows, columns],
    )
    return _Value(output, len(layer.weights), layer.output_size(value.size))


def _relu(graph: GraphBuilder, value: _Value, layers: Iterator[Layer]) -> _Value:
    _next(layers, RELU)
    return _Value(graph.node("Relu", value.name), value.channels, value.size)


def _pool(graph: GraphBuilder, value: _Value, layer: Layer) -> _Value:
    if layer.padding != (0, 0):
        raise ValueError("padded pooling")
    operator = "MaxPool" if layer.kind == MAX_POOL else "AveragePool"
    output = graph.node(operator, value.name, kernel_shape=layer.kernel, strides=layer.stride)
    return _Value(output, value.channels, layer.output_size(value.size))


def _residual(graph: GraphBuilder, value: _Value, layers: Iterator[Layer]) -> _Value:
    """Two convolutions beside a shortcut, which is pooled where the convolutions halve the picture."""
    branch = _relu(graph, _convolve(graph, value, layers), layers)
    halved = branch.size < value.size
    branch = _convolve(graph, branch, layers)
    shortcut = _pool(graph, value, _next(layers, AVERAGE_POOL)) if halved else value
    _next(layers, ADD)
    channels, size = max(branch.channels, shortcut.channels), max(branch.size, shortcut.size)
    operands = [_extend(graph, operand, channels, size) for operand in (branch, shortcut)]
    return _relu(graph, _Value(graph.node("Add", *operands), channels, size), layers)


def _extend(graph: GraphBuilder, value: _Value, channels: int, size: int) -> str:
    """dlib adds tensors of unlike shapes as if the smaller went on with zeros."""
    if (value.channels, value.size) == (channels, size):
        return value.name
    margin = size - value.size
    pads = [0, 0, 0, 0, 0, channels - value.channels, margin, margin]
    return graph.node("Pad", value.name, graph.constant(pads, np.int64), graph.constant(0), mode="constant")
