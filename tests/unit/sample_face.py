"""One canonical face, made up, for tests of what is read and written."""

import zlib
from typing import Any

from faceset.alignments.entries import plain


def face(**changes: Any) -> dict[str, Any]:
    """A face with everything in it; `changes` replace or add keys."""
    mask = {
        "mask": zlib.compress(bytes(16)),
        "affine_matrix": [[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]],
        "interpolator": 1,
        "stored_size": 4,
        "stored_centering": "head",
    }
    plain = {
        "x": 10,
        "w": 20,
        "y": -3,
        "h": 25,
        "landmarks_xy": [[float(number), 0.5] for number in range(68)],
        "mask": {"bisenet": mask},
        "identity": {"vggface2": [0.25, -1.0]},
        "thumb": [255, 216, 0],
    }
    return plain | changes


def as_in_file(data: dict[str, Any]) -> dict[str, Any]:
    """Canonical alignments with lists where a file has lists, to be compared."""
    frames = {}
    for name, frame in plain(data["__data__"]).items():
        faces = [face if face["thumb"] is None else face | {"thumb": list(face["thumb"])} for face in frame["faces"]]
        frames[name] = frame | {"faces": faces}
    return data | {"__data__": frames}
