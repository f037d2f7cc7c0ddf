"""How Faceset 0.1 decoded and cut: its own functions, word for word, so that today's can be held against them."""

# ruff: noqa
from __future__ import annotations

import hashlib
import struct

import av
import cv2
import deflate
import numpy as np

_UP_FILTER = 2
_FASTEST = 1


def cut_key(frame_sha256: str, position: int | None, matrix: NDArray[np.float64], size_px: int) -> bytes:
    """Return the 32 bytes that tell a face's pixels from all others cut by the same code.

    Parameters
    ----------
    frame_sha256, position
        Digest of the picture file and None, or of the video and the frame's position in it.
    matrix
        (2, 3), from frame pixels to those of the crop.
    """
    digest = hashlib.sha256(bytes.fromhex(frame_sha256))
    digest.update(struct.pack("<qq", -1 if position is None else position, size_px))
    digest.update(np.ascontiguousarray(matrix, "<f8").tobytes())
    return digest.digest()


def pack(image: Image) -> bytes:
    """Return what the IDAT chunk of a PNG of a BGR image, (H, W, 3) uint8, holds.

    Rows are stored as differences to the row above, and deflated by libdeflate: its bytes depend neither on threads nor
    on the processor, unlike those of other fast packers.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ValueError(f"a face picture must be (H, W, 3) uint8, not {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    pixels = cv2.cvtColor(image, cv2.COLOR_BGR2RGB).reshape(height, width * 3)
    rows = np.empty((height, 1 + width * 3), np.uint8)
    rows[:, 0] = _UP_FILTER
    rows[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=rows[1:, 1:])
    return bytes(deflate.zlib_compress(rows.data, _FASTEST))


def pixel_digest(image: Image) -> str:
    """Return the SHA-256, in hexadecimal, of an image's shape and pixels, whatever file they come from."""
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def warp_face(frame: Image, matrix: ArrayLike, size_px: int) -> Image:
    """Return the `size_px` x `size_px` crop that one (2, 3) matrix cuts from a frame; black beyond its border.

    Cubic where the face is enlarged, linear where it is shrunk. Raises ValueError for a matrix that is not finite.
    """
    crop = np.asarray(matrix, dtype=np.float64)
    if not np.isfinite(crop).all():
        raise ValueError("a face whose matrix is not finite cannot be cut out")
    enlarged = np.hypot(crop[0, 0], crop[1, 0]) + np.hypot(crop[0, 1], crop[1, 1]) >= 2.0
    # OpenCV would take INTER_AREA for linear here; linear says what is done.
    interpolation = cv2.INTER_CUBIC if enlarged else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(frame, crop, (size_px, size_px), flags=interpolation), dtype=np.uint8)


def _open_video(path: Path) -> Any:
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise FacesetError(f"{path}: can not be opened as a video ({error}).") from error
    if not container.streams.video:
        raise FacesetError(f"{path}: there is no picture stream in this file.")
    # With threads, what a decoder makes of damaged frames would depend on the number of cores.
    container.streams.video[0].thread_type = "NONE"
    return container


def _decode(container: Any) -> Iterator[Any]:
    # A broken packet costs its own frames, not the rest of the film.
    stream = container.streams.video[0]
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except av.FFmpegError:
            continue


def _decoded(data: bytes, path: Path) -> Picture:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if picture is None:
        raise FacesetError(f"{path}: can not be decoded as a picture. Mend it, or move it out of the folder.")
    return np.asarray(picture, np.uint8)


def _to_picture(frame: Any, rotation: int) -> Picture:
    picture = frame.to_ndarray(format="bgr24")
    return np.ascontiguousarray(np.rot90(picture, rotation // 90)) if rotation else picture
