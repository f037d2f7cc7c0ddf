"""Reading the weights in a legacy PyTorch `.pt` file without PyTorch, and without unpickling freely."""

import collections
import io
import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faceset.errors import FacesetError

MAGIC = 0x1950A86A20F9469CFC6C


@dataclass(frozen=True)
class _Tensor:
    """A tensor as the pickle names it: a strided view of a storage; offset and strides count elements."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage: str, offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    return _Tensor(str(storage), int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


class _WeightsUnpickler(pickle.Unpickler):
    """Admits what a dictionary of float tensors needs; every other global is refused."""

    _ADMITTED = {  # noqa: RUF012 - read only
        ("collections", "OrderedDict"): collections.OrderedDict,
        ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        ("torch", "FloatStorage"): "float32",
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ADMITTED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return self._ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> str:
        kind, _, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"it refers to a {kind}")
        return str(key)


def read_weights(data: bytes, name: str) -> dict[str, NDArray[np.float32]]:
    """The tensors of a legacy `.pt` file (magic, protocol, system, state, keys, storages) by name.

    `name` is what messages call the file. Raises FacesetError where it holds anything but float32 tensors.
    """
    file = io.BytesIO(data)
    try:
        if _load(file) != MAGIC:
            raise ValueError("no legacy PyTorch file")
        _load(file), _load(file)
        state = _load(file)
        storages = {key: _read_storage(file) for key in _load(file)}
        return {key: _materialise(tensor, storages) for key, tensor in state.items()}
    except (pickle.UnpicklingError, ValueError, TypeError, KeyError, AttributeError, EOFError, IndexError) as error:
        raise FacesetError(f"{name}: not a file of PyTorch weights that can be read safely ({error}).") from error


def _load(file: io.BytesIO) -> Any:
    return _WeightsUnpickler(file).load()


def _read_storage(file: io.BytesIO) -> NDArray[np.float32]:
    count = int.from_bytes(file.read(8), "little")
    return np.frombuffer(file.read(4 * count), "<f4", count)


def _materialise(tensor: _Tensor, storages: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    values = storages[tensor.storage]
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.strides, strict=True))
    if min(tensor.offset, last, *tensor.strides, *tensor.shape) < 0 or last >= len(values):
        raise ValueError("a tensor reaches beyond its storage")
    strides = [4 * stride for stride in tensor.strides]
    return np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.shape, strides).copy()
