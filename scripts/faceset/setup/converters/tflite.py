"""TFLite models of MediaPipe's face mesh kind to ONNX: float convolutions, pooling, padding, sums and PReLU.

Pictures are NCHW in the ONNX model, in the TFLite file NHWC. Each output is flattened to (N, numbers) in the file's
order and keeps its name. Numbers of operators, fields and enumerations: TensorFlow Lite's schema, version 3.
"""

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceset.errors import FacesetError
from faceset.setup.converters.flatbuffer import Table
from faceset.setup.converters.graph import GraphBuilder

IDENTIFIER = b"TFL3"
SAME_PADDING = 0
NO_ACTIVATION = 0
DEQUANTIZE = 6
TENSOR_TYPES = {0: "<f4", 1: "<f2", 2: "<i4"}
NHWC_TO_NCHW = (0, 3, 1, 2)


def convert_tflite(data: bytes, name: str) -> bytes:
    """ONNX bytes of a TFLite model; `name` is what messages call the file.

    Raises FacesetError where it is not a TFLite model, or needs an operator that is not known here.
    """
    if data[4:8] != IDENTIFIER:
        raise FacesetError(f"{name}: not a TFLite model.")
    try:
        return _Conversion(Table.root(data)).run()
    except (struct.error, ValueError, IndexError, KeyError) as error:
        raise FacesetError(f"{name}: not a TFLite model that can be converted ({error}).") from error


class _Conversion:
    """The graph, and what is known of each tensor by its number: name of its value, or its constant."""

    def __init__(self, model: Table) -> None:
        self._codes = [max(code.integer(0, "b"), code.integer(3)) for code in model.tables(1)]
        buffers = model.tables(4)
        (self._subgraph,) = model.tables(2)
        self._tensors = self._subgraph.tables(0)
        self._graph = GraphBuilder()
        self._values: dict[int, str] = {}
        self._constants: dict[int, NDArray[Any]] = {}
        for number, tensor in enumerate(self._tensors):
            values = buffers[tensor.integer(2, "I")].array(0, TENSOR_TYPES[tensor.integer(1, "b")])
            if values.size:
                self._constants[number] = values.reshape(self._shape(number))
        self._operators: dict[int, Callable[[list[int], Table], str]] = {
            0: self._add,
            3: self._convolution,
            4: self._depthwise_convolution,
            17: self._max_pool,
            34: self._pad,
            54: self._prelu,
        }

    def run(self) -> bytes:
        (source,) = self._subgraph.integers(1)
        self._values[source] = self._tensors[source].text(3)
        for operator in self._subgraph.tables(3):
            self._convert(operator)
        for number in self._subgraph.integers(2):
            flat = self._graph.node("Flatten", self._graph.node("Transpose", self._values[number], perm=[0, 2, 3, 1]))
            self._graph.output(flat, self._tensors[number].text(3), ["N", int(np.prod(self._shape(number)[1:]))])
        _, height, width, channels = self._shape(source)
        return self._graph.model_bytes("tflite", self._values[source], ["N", channels, height, width])

    def _convert(self, operator: Table) -> None:
        code = self._codes[operator.integer(0, "I")]
        inputs, (output,) = operator.integers(1), operator.integers(2)
        if code == DEQUANTIZE:
            # Half precision weights: the only use of this operator in float models.
            self._constants[output] = self._constants[inputs[0]].astype(np.float32)
        elif code in self._operators:
            self._values[output] = self._operators[code](inputs, operator.table(4) or Table.empty())
        else:
            raise ValueError(f"operator {code} is not known")

    def _shape(self, number: int) -> list[int]:
        return self._tensors[number].integers(0)

    def _edges(self, number: int) -> tuple[int, int]:
        _, height, width, _ = self._shape(number)
        return height, width

    def _add(self, inputs: list[int], options: Table) -> str:
        self._refuse_activation(options.integer(0, "b"))
        return self._graph.node("Add", self._values[inputs[0]], self._values[inputs[1]])

    def _convolution(self, inputs: list[int], options: Table) -> str:
        self._refuse_activation(options.integer(3, "b"))
        weights = self._constants[inputs[1]].transpose(NHWC_TO_NCHW)
        dilations = (options.integer(5, default=1), options.integer(4, default=1))
        return self._convolve(inputs, options, weights, dilations, 1)

    def _depthwise_convolution(self, inputs: list[int], options: Table) -> str:
        self._refuse_activation(options.integer(4, "b"))
        weights = self._constants[inputs[1]].transpose(3, 0, 1, 2)
        dilations = (options.integer(6, default=1), options.integer(5, default=1))
        return self._convolve(inputs, options, weights, dilations, self._shape(inputs[0])[3])

    def _convolve(
        self, inputs: list[int], options: Table, weights: NDArray[Any], dilations: tuple[int, int], group: int
    ) -> str:
        if dilations != (1, 1):
            raise ValueError("a dilated convolution")
        kernel = weights.shape[2:]
        strides = (options.integer(2, default=1), options.integer(1, default=1))
        return self._graph.node(
            "Conv",
            self._values[inputs[0]],
            self._graph.constant(weights),
            self._graph.constant(self._constants[inputs[2]]),
            group=group,
            kernel_shape=kernel,
            strides=strides,
            pads=_pads(self._edges(inputs[0]), kernel, strides, options.integer(0, "b")),
        )

    def _max_pool(self, inputs: list[int], options: Table) -> str:
        self._refuse_activation(options.integer(5, "b"))
        strides = (options.integer(2, default=1), options.integer(1, default=1))
        kernel = (options.integer(4, default=1), options.integer(3, default=1))
        pads = _pads(self._edges(inputs[0]), kernel, strides, options.integer(0, "b"))
        return self._graph.node("MaxPool", self._values[inputs[0]], kernel_shape=kernel, strides=strides, pads=pads)

    def _pad(self, inputs: list[int], _: Table) -> str:
        before_after = self._constants[inputs[1]][list(NHWC_TO_NCHW)].T.ravel()
        pads = self._graph.constant(before_after, np.int64)
        return self._graph.node("Pad", self._values[inputs[0]], pads, self._graph.constant(0))

    def _prelu(self, inputs: list[int], _: Table) -> str:
        slope = self._constants[inputs[1]]
        if slope.size != slope.shape[-1]:
            raise ValueError("a PReLU whose slope differs from place to place")
        return self._graph.node("PRelu", self._values[inputs[0]], self._graph.constant(slope.reshape(-1, 1, 1)))

    @staticmethod
    def _refuse_activation(activation: int) -> None:
        if activation != NO_ACTIVATION:
            raise ValueError(f"fused activation {activation} is not known")


def _pads(edges: tuple[int, int], kernel: tuple[int, ...], strides: tuple[int, int], padding: int) -> list[int]:
    """ONNX's pads for TensorFlow's padding: SAME keeps ceil(edge / stride), the odd pixel at the far side."""
    if padding != SAME_PADDING:
        return [0, 0, 0, 0]
    totals = [
        max((-(-edge // stride) - 1) * stride + window - edge, 0)
        for edge, window, stride in zip(edges, kernel, strides, strict=True)
    ]
    before = [total // 2 for total in totals]
    return before + [total - start for total, start in zip(totals, before, strict=True)]
