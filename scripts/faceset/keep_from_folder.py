"""Keep-list rows from a folder of a faceset's pictures that somebody sorted, renamed or thinned out.

What is looked for is the faceset as the folder shows it: a picture that is still there keeps its face, one that is
gone drops it. The rows say so as shortly as they can, a whole person or track in one row, and stand alone: put in
place of the keep-list that the pictures came from, they need nothing of it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from faceset.assembly import assembled_name
from faceset.errors import FacesetError
from faceset.face_folder import FacePicture, list_face_files, read_face_picture, read_pixel_digest
from faceset.keep_list import HEADER, Box, Decision, Scope, format_row
from faceset.progress import Progress
from faceset.schemas import CLUSTERS, FACES, FACESET, MANIFEST
from faceset.tables import read_table

_Row = tuple[Decision, Scope, str]

# How the manifest says that a row keeps a face by itself: filters do not act on it then.
_KEPT_ALONE = r"keep-list line \d+: keep face\b"


def keep_from_folder(
    folder: Path,
    faceset_index: Path,
    manifest: Path,
    clusters: Path,
    faces: Mapping[str, Path],
    say: Callable[[str], None],
    pass_over_unknown: bool = False,
) -> str:
    """The keep-list that gives the faceset of the pictures in `folder` and its subfolders.

    A picture is known by its pixels, else by what its header says: frame, index and box. Two pictures of one face are
    fine if their pixels are equal.

    Parameters
    ----------
    folder
        Pictures of the faceset, by whatever names.
    faceset_index, manifest
        The faceset's `faceset` and `manifest` tables, of the run that made the pictures.
    clusters, faces
        The project's `clusters` table, and its `faces` tables by source.
    say
        Told in a few lines what was found.
    pass_over_unknown
        Report pictures that are of no face of the faceset instead of refusing the folder.

    Raises FacesetError for a picture that is broken, unknown or could be of several faces, and if none is known.
    """
    boxes = _boxes(faces)
    index = read_table(faceset_index, FACESET, ["file", "face_id", "source", "pixels"]).to_pylist()
    found = _Recogniser(index, boxes)
    for path in Progress(list_face_files(folder, subfolders=True), "pictures looked at"):
        found.look_at(path)
    found.settle(say, pass_over_unknown)
    if not found.pictures:
        raise FacesetError(f"{folder}: none of its pictures is of this faceset. Is it the folder of another one?")
    table = _decided(manifest, [row["face_id"] for row in index], found.pictures.keys())
    gone = len(index) - len(found.pictures)
    say(
        f"{len(found.pictures):,} of the faceset's {len(index):,} faces are there ({found.by_pixels:,} known by their "
        f"pixels, {found.by_header:,} by their headers), {gone:,} are gone."
    )
    rows = list(_rows(table, at_least_a_track=False))
    if not any(decision == "keep" and scope != "face" for decision, scope, _ in rows):
        # Without a row that keeps a cluster or track, the policy would decide over all others.
        rows = list(_rows(table, at_least_a_track=True))
    groups = read_table(clusters, CLUSTERS, ["track", "cluster"]).to_pandas()
    reach = {scope: groups[scope].value_counts().to_dict() for scope in ("track", "cluster")}
    say(f"Rows that say so: {_counted(rows)}.")
    lines = [
        format_row(decision, scope, name, boxes.get(name), reach[scope][name] if scope in reach else 1)
        for decision, scope, name in rows
    ]
    return "\n".join([HEADER, *lines]) + "\n"


def write_keep_list(path: Path, text: str) -> None:
    """Write a keep-list to a new file. Raises FacesetError if there is one already: decisions are not overwritten."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise FacesetError(
            f"{path}: exists already, and a person's decisions are never overwritten. Name a new file, compare the "
            "two, and put it in place yourself."
        ) from error
    except OSError as error:
        raise FacesetError(f"{path}: can not be written ({error.strerror}).") from error


def _boxes(faces: Mapping[str, Path]) -> dict[str, Box]:
    boxes: dict[str, Box] = {}
    for path in faces.values():
        table = read_table(path, FACES, ["face_id", "x", "y", "w", "h"])
        names, *sides = (table[name].to_pylist() for name in table.column_names)
        boxes.update(zip(names, zip(*sides, strict=True), strict=True))
    return boxes


@dataclass
class _Recogniser:
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


def _decided(manifest: Path, index: list[str], there: Collection[str]) -> pd.DataFrame:
    """The faces of persons who have pictures in the faceset, in manifest order.

    Columns face_id, track, cluster; `wanted`: 1 where the face's picture is there, 0 where it is gone or a row or the
    policy dropped the face, NaN where nothing is said: the face was filtered out, or not extracted; `alone`: whether
    it is wanted and was kept by a row of its own.
    """
    table = read_table(manifest, MANIFEST, ["face_id", "track", "cluster", "kept", "decided_by", "reason"]).to_pandas()
    has_picture = table["face_id"].isin(index)
    missing = len(index) - int(has_picture.sum())
    if missing:
        raise FacesetError(f"{manifest}: {missing:,} pictures of the faceset are of faces it does not have. Run again.")
    unsaid = ~has_picture & (table["kept"] | table["decided_by"].isin(["filter", "problem"]))
    wanted = np.where(unsaid, np.nan, table["face_id"].isin(list(there)).to_numpy(np.float64))
    alone = (wanted == 1) & table["reason"].str.match(_KEPT_ALONE)
    table = table.assign(wanted=wanted, alone=alone)
    persons: pd.DataFrame = table[table["cluster"].isin(table["cluster"][has_picture])]
    return persons


def _rows(table: pd.DataFrame, at_least_a_track: bool) -> Iterator[_Row]:
    """The decisions over `_decided` faces: over each cluster what most of its faces want, then over what differs.

    With `at_least_a_track`, a track of which anything is wanted is kept by a row of its own, whatever most want.
    """
    persons = sorted(table.groupby("cluster", sort=False), key=lambda group: (-len(group[1]), str(group[0])))
    for cluster, of_cluster in persons:
        share = of_cluster["wanted"].mean()
        keeps_cluster = share >= 0.5
        if keeps_cluster or share == 0:
            yield "keep" if keeps_cluster else "drop", "cluster", str(cluster)
        for track, of_track in of_cluster.groupby("track", sort=False):
            decided = of_track.dropna(subset="wanted")
            share = decided["wanted"].mean() if len(decided) else float(keeps_cluster)
            keeps_track = share > 0.5 or (share == 0.5 and keeps_cluster) or (share > 0 and at_least_a_track)
            if keeps_track != keeps_cluster:
                yield "keep" if keeps_track else "drop", "track", str(track)
            for face, wanted, alone in zip(decided["face_id"], decided["wanted"] > 0, decided["alone"], strict=True):
                if wanted != keeps_track or alone:
                    yield "keep" if wanted else "drop", "face", face


def _counted(rows: list[_Row]) -> str:
    kinds = [f"{decision} {scope}" for decision, scope, _ in rows]
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in sorted(set(kinds)))
