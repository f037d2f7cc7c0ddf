"""The pixels of an extracted face: cut from a frame, digested, and packed as a PNG holds them."""

import hashlib
from dataclasses import dataclass
from typing import Final

import cv2
import deflate
import numpy as np

from faceset.arrays import Float64, Image
from faceset.geometry.transforms import warp_face

_UP_FILTER: Final = 2
_FASTEST: Final = 1


@dataclass(frozen=True)
class FacePixels:
    """The pixels of one face: edge of the picture, their `pixel_digest`, and they themselves, packed."""

    size_px: int
    digest: str
    packed: bytes


def cut_face(frame: Image, matrix: Float64, size_px: int) -> FacePixels:
    """Cut a face from its frame, (H, W, 3) uint8 BGR, by the (2, 3) matrix of its crop."""
    image = warp_face(frame, matrix, size_px)
    return FacePixels(size_px, pixel_digest(image), pack(image))


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
