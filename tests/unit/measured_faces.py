"""Faces for tests of measures: those of faceswap's photos, cut from its own pixels by its matrices and offsets."""

import dataclasses
import functools

import cv2
import numpy as np
from numpy.typing import NDArray

from faceset.crops.measures.face import Face, face_of
from faceset.crops.measures.part import face_part
from golden_data import column, photo_figures, photo_frame, photo_pixels


@functools.cache
def photo_parts() -> list[NDArray[np.uint8]]:
    """Each face alone, (256, 256, 3)."""
    landmarks = column("landmarks_xy").astype(np.float32)
    matrices, offsets = column("crop_matrix", "legacy_256"), column("offset", "head")
    return [face_part(*each) for each in zip(photo_pixels(), landmarks, matrices, offsets, strict=True)]


@functools.cache
def any_face() -> Face:
    """The first of these faces, as a crop measures it."""
    return face_of(photo_frame(next(iter(photo_figures()))), column("landmarks_xy")[0].astype(np.float32))


def face_that_shows(picture: NDArray[np.uint8]) -> Face:
    """A face whose part is `picture`, (256, 256, 3) BGR."""
    return dataclasses.replace(any_face(), gray=np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8))
