"""Turn a folder of a faceset's pictures that somebody sorted, renamed or thinned out into keep-list rows.

What is looked for is the faceset as the folder shows it: a picture that is still there keeps its face, one that is
gone drops it. The rows say so as shortly as they can, a whole person or track in one row, and stand alone: put in
place of the keep-list that the pictures came from, they need nothing of it.
"""

import argparse
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from faceset.console import tell
from faceset.decisions.tables import MANIFEST
from faceset.errors import FacesetError
from faceset.people.tables import CLUSTERS
from faceset.progress import Progress
from faceset.project.current import add_project_options, check_faceset, current_project
from faceset.training.tables import FACESET
from faceset.workflow.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from faceset.decisions.kinds import Decision, Scope

    _Row = tuple[Decision, Scope, str]

HELP = "turn a thinned out folder of faces into keep-list rows"
EXAMPLE = "faceset keep-from-folder main sorted --output new-rows.tsv"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the faceset and the folder."""
    parser.add_argument("faceset", help="the faceset that the pictures are of")
    parser.add_argument("folder", type=Path, help="pictures of it, by any names, in any subfolders")
    parser.add_argument("--output", type=Path, help="a new file for the rows; without it they are printed")
    parser.add_argument("--pass-over-unknown", action="store_true", help="report pictures of no face of the faceset")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the rows to a new file, or print them."""
    project, faceset = current_project(arguments.config, arguments.prefix), arguments.faceset
    check_faceset(project, faceset)
    results = Results(project)
    text = keep_from_folder(
        arguments.folder,
        results.get("assemble", "faceset", faceset=faceset).path,
        results.get("manifest", "manifest", faceset=faceset).path,
        results.get("cluster", "clusters").path,
        {source: results.get("ingest", "faces", source=source).path for source in project.sources},
        tell,
        arguments.pass_over_unknown,
    )
    if not arguments.output:
        sys.stdout.write(text)
        return
    write_keep_list(arguments.output, text)
    keep_list = project.keep_list(faceset)
    move = "" if arguments.output == keep_list else f"compare it with {keep_list} if there is one, move it there and "
    tell(f"{arguments.output}: written. To use it, {move}run the workflow again.")


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
    from faceset.alignments.boxes import read_boxes
    from faceset.decisions.keep_list import HEADER, format_row
    from faceset.tables.parquet import read_table
    from faceset.training.pictures.folders import list_face_files
    from faceset.training.pictures.recognition import Recogniser

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
    say(f"Rows that say so: {_counted(rows)}.")
    reach = _reach(clusters)
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
        raise FacesetError(f"{path}: cannot be written ({error.strerror}).") from error


def _decided(manifest: Path, index: list[str], there: Collection[str]) -> "pd.DataFrame":
    """The faces of persons who have pictures in the faceset, in manifest order.

    Columns face_id, track, cluster; `wanted`: 1 where the face's picture is there, 0 where it is gone or a row or the
    policy dropped the face, NaN where nothing is said: the face was filtered out, or not extracted; `alone`: whether
    it is wanted and was kept by a row of its own.
    """
    import numpy as np

    from faceset.tables.parquet import read_table

    table = read_table(manifest, MANIFEST, ["face_id", "track", "cluster", "kept", "decided_by", "rule"]).to_pandas()
    has_picture = table["face_id"].isin(index)
    missing = len(index) - int(has_picture.sum())
    if missing:
        raise FacesetError(f"{missing:,} pictures of the faceset are of faces that its manifest lacks. Run again.")
    unsaid = ~has_picture & (table["kept"] | table["decided_by"].isin(["filter", "problem"]))
    wanted = np.where(unsaid, np.nan, table["face_id"].isin(list(there)).to_numpy(np.float64))
    # Filters do not act on a face that a row keeps by itself.
    alone = (wanted == 1) & table["kept"] & (table["decided_by"] == "row") & (table["rule"] == "face")
    table = table.assign(wanted=wanted, alone=alone)
    persons: pd.DataFrame = table[table["cluster"].isin(table["cluster"][has_picture])]
    return persons


def _rows(table: "pd.DataFrame", at_least_a_track: bool) -> "Iterator[_Row]":
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


def _reach(clusters: Path) -> dict[str, dict[str, int]]:
    """How many faces each track and each cluster has."""
    from faceset.tables.parquet import read_table

    groups = read_table(clusters, CLUSTERS, ["track", "cluster"]).to_pandas()
    return {scope: groups[scope].value_counts().to_dict() for scope in ("track", "cluster")}


def _counted(rows: "list[_Row]") -> str:
    kinds = [f"{decision} {scope}" for decision, scope, _ in rows]
    return ", ".join(f"{kinds.count(kind):,} {kind}" for kind in sorted(set(kinds)))
