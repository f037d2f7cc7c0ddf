"""The measure `distance`: how far a face's landmarks are from the mean face's."""

from faceset.crops.measures.face import Face
from faceset.geometry.transforms import landmark_distances


def distance(face: Face) -> float:
    """Return the mean absolute difference of its landmarks from the mean face's, in mean-face units."""
    return float(landmark_distances(face.normalised)[0])
