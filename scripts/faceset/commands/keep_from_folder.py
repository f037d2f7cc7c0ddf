"""Keep-list rows from a folder of a faceset's pictures that somebody sorted, renamed or thinned out.

What is looked for is the faceset as the folder shows it: a picture that is still there keeps its face, one that is
gone drops it. The rows say so as shortly as they can, a whole person or track in one row, and stand alone: put in
place of the keep-list that the pictures came from, they need nothing of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from faceset.decisions.keep_list import HEADER, Decision, Scope, format_row
from faceset.decisions.tables import MANIFEST
from faceset.errors import FacesetError
from faceset.people.tables import CLUSTERS
from faceset.progress import Progress
from faceset.tables.parquet import read_table
from faceset.training.pictures.folders import list_face_files
from faceset.training.pictures.recognition import Recogniser, read_boxes
from faceset.training.tables import FACESET

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
    boxes = read_boxes(faces)
    index = read_table(faceset_index, FACESET, ["file", "face_id", "source", "pixels"]).to_pylist()
    found = Recogniser(index, boxes)
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
