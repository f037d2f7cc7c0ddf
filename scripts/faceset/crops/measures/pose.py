"""The measures `yaw`, `pitch`, `roll`, `head_x` and `head_y`: one solution of the head's pose gives all of them."""

from faceset.crops.measures.face import Face


def yaw(face: Face) -> float:
    """Return the turn of the head to the side in degrees, positive towards the left edge of the picture."""
    return float(face.poses.yaw_deg[0])


def pitch(face: Face) -> float:
    """Return the turn of the head up or down in degrees, positive downwards."""
    return float(face.poses.pitch_deg[0])


def roll(face: Face) -> float:
    """Return the tilt of the head that alignment leaves in degrees, positive clockwise."""
    return float(face.poses.roll_deg[0])


def head_x(face: Face) -> float:
    """Return the shift to the right, in mean-face units, that puts the head in the middle of a crop."""
    return float(face.poses.offsets["head"][0, 0])


def head_y(face: Face) -> float:
    """Return the shift downwards, in mean-face units, that puts the head in the middle of a crop."""
    return float(face.poses.offsets["head"][0, 1])
