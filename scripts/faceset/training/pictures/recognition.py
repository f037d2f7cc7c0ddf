"""Which face of a faceset a picture is of, whatever it is called now."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from faceset.errors import FacesetError
from faceset.geometry.boxes import Box
from faceset.training.assembly import assembled_name
from faceset.training.pictures.folders import FacePicture, read_face_picture, read_pixel_digest


@dataclass
class Recogniser:
    """Which faces of a faceset's index pictures are of.

    `pictures` holds, by face id, the first file of each face that is there, with the digest of its pixels.
    """

    index: list[dict[str, Any]]
    boxes: dict[str, Box]
    pictures: dict[str, tuple[Path, str]] = field(default_factory=dict)
    by_pixels: int = 0
    by_header: int = 0
    unknown: list[tuple[Path, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._of_pixels: defaultdict[str, list[str]] = defaultdict(list)
        self._of_name: defaultdict[str, list[str]] = defaultdict(list)
        for row in self.index:
            self._of_pixels[row["pixels"]].append(row["face_id"])
            self._of_name[row["file"].removeprefix(assembled_name(row["source"], ""))].append(row["face_id"])

    def look_at(self, path: Path) -> None:
        """Find out which face a picture is of."""
        digest = read_pixel_digest(path)
        faces = self._of_pixels.get(digest, [])
        if len(faces) == 1:
            self.by_pixels += 1
            return self._add(faces[0], path, digest)
        try:
            named = self._named(read_face_picture(path))
        except FacesetError as error:
            if not faces:
                return self.unknown.append((path, str(error)))
            named = []
        if faces:  # a still in the footage gives equal pictures: the header tells them apart, where there is one
            self.by_pixels += 1
            for face in [face for face in faces if face in named] or faces:
                self._add(face, path, digest)
            return None
        if not named:
            return self.unknown.append((path, f"{path}: not a picture of any face of this faceset. Move it away."))
        if len(named) > 1:
            raise FacesetError(
                f"{path}: its header could mean {' or '.join(named)}, and its pixels are of neither. Put the picture "
                "as it was made in its place, or remove it and decide in the keep-list yourself."
            )
        self.by_header += 1
        return self._add(named[0], path, digest)

    def _named(self, picture: FacePicture) -> list[str]:
        """The faces that a header can mean: of that frame, index and box."""
        box = tuple(picture.face[side] for side in "xywh")
        names = self._of_name.get(f"{PurePosixPath(picture.frame).stem}_{picture.index}.png", [])
        return [face for face in names if self.boxes.get(face) == box]

    def _add(self, face: str, path: Path, digest: str) -> None:
        other, pixels = self.pictures.setdefault(face, (path, digest))
        if pixels != digest:
            raise FacesetError(
                f"{other} and {path} are two different pictures of one face, {face}. Remove one of them."
            )

    def settle(self, say: Callable[[str], None], pass_over_unknown: bool) -> None:
        """Refuse the folder, or only say so, if pictures in it are of no face of the faceset."""
        if not self.unknown:
            return
        path, why = self.unknown[0]
        if not pass_over_unknown:
            more = f" ({len(self.unknown) - 1:,} more files are unknown too.)" if len(self.unknown) > 1 else ""
            raise FacesetError(f"{why}{more}")
        say(f"{len(self.unknown):,} pictures are of no face of the faceset and were passed over (first: {path}).")
