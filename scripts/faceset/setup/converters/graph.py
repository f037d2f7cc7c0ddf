"""Building an ONNX graph node by node, with names that depend on nothing but the order of building."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

# Old enough for every onnxruntime that runs on Python 3.11, new enough for every operator used here.
OPSET = 13
IR_VERSION = 8

Dimension = int | str


class GraphBuilder:
    """A graph in the making: values are known by the name that the call which made them gave back."""

    def __init__(self) -> None:
        """Begin an empty graph."""
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def constant(self, values: ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        """Add a constant tensor."""
        array: NDArray[Any] = np.array(values, dtype=dtype, order="C")
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(array, name))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator of one output."""
        name = f"{operator.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def output(self, value: str, name: str, shape: Sequence[Dimension]) -> None:
        """Declare `value` an output of the graph, float32 and called `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))

    def model_bytes(self, name: str, input_name: str, input_shape: Sequence[Dimension]) -> bytes:
        """The finished model of one float32 input, checked by onnx, as the bytes of its file."""
        picture = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, list(input_shape))
        graph = helper.make_graph(self._nodes, name, [picture], self._outputs, self._constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="faceset")
        onnx.checker.check_model(model, full_check=True)
        data: bytes = model.SerializeToString(deterministic=True)
        return data
