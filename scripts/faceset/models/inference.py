"""Running ONNX models: on which device, from pictures to numbers, the same numbers for a face in any company."""

import contextlib
import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnxruntime

from faceset.arrays import Float32, Image
from faceset.errors import FacesetError
from faceset.models.catalogue import Model

Device = Literal["auto", "cpu", "cuda"]
Provider = Literal["cpu", "cuda"]

CUDA = "CUDAExecutionProvider"
CPU = "CPUExecutionProvider"
FATAL = 4

# Kernels may sum in another order for another batch size. On the CPU one picture at a time costs nothing; a GPU wants
# many, and always gets the same number, missing ones made up by zeros.
BATCH_SIZE: dict[Provider, int] = {"cpu": 1, "cuda": 32}


class Session:
    """A model ready to run. `provider` says what it runs on."""

    def __init__(self, session: onnxruntime.InferenceSession, provider: Provider, file: str) -> None:
        """Take an open session that computes on `provider`; `file` is what messages call the model."""
        self.provider = provider
        self._session = session
        self._file = file
        self._input = session.get_inputs()[0].name
        self._outputs = [output.name for output in session.get_outputs()]
        count, *_ = session.get_inputs()[0].shape
        self._batch_size = count if isinstance(count, int) else BATCH_SIZE[provider]

    def warm_up(self) -> None:
        """Run once on zeros, 64 px where the model leaves the size open; FacesetError where the device fails."""
        _, *shape = self._session.get_inputs()[0].shape
        sizes = (size if isinstance(size, int) else 64 for size in shape)
        self.run(np.zeros([self._batch_size, *sizes], np.float32))

    def run(self, batch: Float32) -> dict[str, Float32]:
        """Outputs by name for one batch, as it is; FacesetError where the model does not take its shape."""
        try:
            values = self._session.run(self._outputs, {self._input: batch})
        except Exception as error:  # onnxruntime's errors share no narrower base
            _pass_on_full_memory(error, self.provider)
            raise FacesetError(
                f"{self._file}: the model failed on {self.provider} for input of shape {batch.shape}: {error}"
            ) from error
        return dict(zip(self._outputs, values, strict=True))

    def run_each(self, batch: Float32) -> dict[str, Float32]:
        """Outputs by name for N > 0 pictures, each the same whatever other pictures the batch holds.

        Raises FacesetError where an output is not N values of one shape.
        """
        size = self._batch_size
        parts = []
        for start in range(0, len(batch), size):
            part = batch[start : start + size]
            missing = size - len(part)
            padded = np.pad(part, [(0, missing)] + [(0, 0)] * (batch.ndim - 1)) if missing else part
            outputs = self.run(padded)
            for name, values in outputs.items():
                if np.shape(values)[:1] != (size,):
                    raise FacesetError(
                        f"{self._file}: its output {name} is of shape {np.shape(values)} for {size} pictures; "
                        "expected something of each picture."
                    )
            parts.append({name: values[: len(part)] for name, values in outputs.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}


def open_session(model: Model, path: Path, device: Device, threads: int = 1) -> Session:
    """A session of the model's file on `device`; `auto` is CUDA where it works, else the CPU with that many threads.

    Raises FacesetError where the file is no model, where its input is not as the manifest says, or where `cuda` was
    asked for and does not work.
    """
    if device == "cpu":
        return _open(model, path, "cpu", threads)
    if CUDA not in onnxruntime.get_available_providers():
        if device == "auto":
            return _open(model, path, "cpu", threads)
        raise FacesetError(
            "device is cuda, but this onnxruntime is built without CUDA: install onnxruntime-gpu in its place, "
            "or set device to auto or cpu."
        )
    try:
        # The CUDA libraries may lie in pip packages, where the system's loader does not look; what it prints of those
        # it does not find is no news where the system has them.
        with contextlib.redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()
        session = _open(model, path, "cuda", threads)
        session.warm_up()
    except FacesetError as error:
        if device == "auto":
            return _open(model, path, "cpu", threads)
        raise FacesetError(
            f"device is cuda, but CUDA does not work here: fix that, or set device to cpu: {error}"
        ) from error
    return session


def network_input(images_bgr: Image, model: Model) -> Float32:
    """Pictures (N, H, W, 3), BGR, as the float32 input of `model`: its channels, mean, scale and layout."""
    images = images_bgr[..., ::-1] if model.channels == "rgb" else images_bgr
    values = (images.astype(np.float32) - np.array(model.mean, np.float32)) * np.float32(model.scale)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2) if model.layout == "nchw" else values)


def _open(model: Model, path: Path, provider: Provider, threads: int) -> Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL
    # TF32 would round to 10 bits; the search for the fastest convolution may end differently each time.
    cuda: tuple[str, dict[str, Any]] = (CUDA, {"use_tf32": 0, "cudnn_conv_algo_search": "DEFAULT"})
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=[cuda, CPU] if provider == "cuda" else [CPU]
        )
    except Exception as error:  # onnxruntime's errors share no narrower base
        _pass_on_full_memory(error, provider)
        raise FacesetError(f"{path}: cannot be opened as an ONNX model on {provider}: {error}") from error
    if provider == "cuda" and session.get_providers()[0] != CUDA:
        raise FacesetError(f"{path}: onnxruntime could not start CUDA (driver, CUDA or cuDNN libraries).")
    session.disable_fallback()
    _check_input(model, path, session)
    return Session(session, provider, path.name)


def _pass_on_full_memory(error: Exception, provider: Provider) -> None:
    """Raise MemoryError where the machine's memory, not the GPU's, is what failed: the model is a good one."""
    if isinstance(error, MemoryError):
        raise error
    if provider == "cpu" and ("Failed to allocate memory" in str(error) or "bad_alloc" in str(error)):
        raise MemoryError(str(error)) from error


def _check_input(model: Model, path: Path, session: onnxruntime.InferenceSession) -> None:
    """Raise FacesetError unless the file takes what `network_input` makes by the model's entry."""
    found = session.get_inputs()
    size = model.size_px
    expected = (3, size, size) if model.layout == "nchw" else (size, size, 3)
    said = f"{path}: its entry in the model catalogue says input {model.input}, {model.layout}, size_px {size}"
    if [entry.name for entry in found] != [model.input]:
        names = ", ".join(entry.name for entry in found)
        raise FacesetError(f"{said}, but the file's inputs are called: {names}. Correct the entry.")
    shape, kind = found[0].shape, found[0].type
    fits = len(shape) == 4 and all(
        not isinstance(there, int) or there == wanted for there, wanted in zip(shape[1:], expected, strict=True)
    )
    if not fits or kind != "tensor(float)":
        raise FacesetError(
            f"{said}, which makes float32 of shape {('N', *expected)}, but the file takes {kind} of shape "
            f"{tuple(shape)}. Correct the entry, or export the model again."
        )
