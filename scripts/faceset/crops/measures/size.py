"""The measure `size`: how large a face is in its frame."""

from typing import Final

from faceset.crops.measures.face import Face
from faceset.geometry.transforms import face_sizes

# The size that faceswap sorts by is that of its face-centred crop at this edge.
_CROP_SIZE_PX: Final = 64


def size(face: Face) -> float:
    """Return the edge of the face in its frame, in pixels."""
    return float(face_sizes(face.crop_matrix("face", _CROP_SIZE_PX)[None], _CROP_SIZE_PX)[0])
