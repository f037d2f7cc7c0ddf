"""A folder of face pictures, sorted, renamed or thinned out by anybody: its files, and what each says of its face."""

import os
from dataclasses import dataclass
from pathlib import Path

from faceset.alignments.entries import Face
from faceset.errors import FacesetError
from faceset.footage.decoding import read_picture
from faceset.footage.files import PICTURE_SUFFIXES
from faceset.training.pictures.png import read_header
from faceset.training.pixels import pixel_digest

SUFFIX = ".png"


@dataclass(frozen=True)
class FacePicture:
    """What the header of a face picture says.

    `face` is the canonical face without its thumb. It was entry `index` of the frame named `frame`, which measures
    `frame_size_px` (height, width); the picture was called `original_name` then.
    """

    path: Path
    face: Face
    frame: str
    index: int
    is_video: bool
    frame_size_px: tuple[int, int]
    original_name: str


def list_face_files(folder: Path, subfolders: bool) -> list[Path]:
    """The PNGs of a folder, by path, whatever the case of their suffix; hidden files and folders are passed over.

    Raises FacesetError where there is no such folder or no PNG in it, and for a picture of another format, since it
    may be a face whose data was lost in converting it.
    """
    if not folder.is_dir():
        raise FacesetError(f"{folder}: no such folder. Name the folder that holds the face pictures.")
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if subfolders and not name.startswith(".")]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    pictures = sorted(path for path in found if path.suffix.lower() in PICTURE_SUFFIXES)
    for path in pictures:
        if path.suffix.lower() != SUFFIX:
            raise FacesetError(
                f"{path}: a picture, but no PNG, so it cannot hold face data. Move it out of the folder, or put the "
                "PNG in its place."
            )
    if not pictures:
        raise FacesetError(f"{folder}: no face pictures (.png) in it. Is it the right folder?")
    return pictures


def read_face_picture(path: Path) -> FacePicture:
    """Read the header of a face picture; its pixels are not looked at.

    Raises FacesetError naming the file if it cannot be read, is no whole header of a PNG, or has no face data.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FacesetError(f"{path}: cannot be read ({error.strerror}).") from error
    header = read_header(data, str(path))
    source = header["source"]
    height, width = source["source_frame_dims"]
    return FacePicture(
        path,
        header["alignments"],
        source["source_filename"],
        source["face_index"],
        source["source_is_video"],
        (height, width),
        source["original_filename"],
    )


def read_pixel_digest(path: Path) -> str:
    """The digest of a picture's pixels (`face_pixels.pixel_digest`), whatever its name and header.

    Raises FacesetError for a file that is empty, cut short or damaged.
    """
    return pixel_digest(read_picture(path))
