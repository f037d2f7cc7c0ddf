"""Tell what has become of people between two clusterings: who merged, split, appeared, vanished or changed.

Then, which rows of the keep-lists reach other faces than before.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from faceset.alignments.tables import FACES
from faceset.console import say
from faceset.errors import FacesetError, is_machine_fault
from faceset.face_ids import split_face_id
from faceset.project.current import add_project_options, current_project
from faceset.stages.table import STAGES
from faceset.store.objects import Store
from faceset.workflow.records import read_record
from faceset.workflow.results import Results

if TYPE_CHECKING:
    import pandas as pd

    from faceset.decisions.keep_list import Row

HELP = "tell what has become of clusters, and of keep-list rows with them"
EXAMPLE = "faceset compare before.json results"

COLUMNS = ["face_id", "track", "cluster"]
CLUSTERS_FILE = STAGES["cluster"].outputs["clusters"]
RECORD_FILE = Path(STAGES["cluster"].record).name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the two clusterings."""
    tables = f"a {CLUSTERS_FILE}, the folder it is in, or its record {RECORD_FILE}"
    parser.add_argument("old", type=Path, help=tables)
    parser.add_argument("new", type=Path, help=tables)
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Compare the two, under the keep-lists that there are."""
    project = current_project(arguments.config, arguments.prefix)
    results = Results(project)
    keep_lists = {name: path for name in project.config.facesets if (path := project.existing_keep_list(name))}
    faces = {
        faceset: {name: results.get("ingest", "faces", source=name).path for name in project.faceset_sources(faceset)}
        for faceset in keep_lists
    }
    old, new = (find_table(path, project.store) for path in (arguments.old, arguments.new))
    compare(old, new, keep_lists, faces, say)


@dataclass(frozen=True)
class Share:
    """How many faces an old and a new cluster have in common."""

    old: str
    new: str
    faces: int


@dataclass(frozen=True)
class Comparison:
    """What has become of the clusters of an old table in a new one.

    Two clusters are linked if the new one holds most of what is left of the old one, or the old one gave the new one
    most of what it had before. `merged` holds the new clusters with several links, `split` the old ones with several,
    each with its links, the largest first; `continued` the links of one to one. `appeared` share no face with the old
    table, `vanished` none with the new one. `old_sizes` and `new_sizes` hold each cluster's number of faces. Clusters
    of most faces come first.
    """

    old_sizes: dict[str, int]
    new_sizes: dict[str, int]
    merged: dict[str, list[Share]]
    split: dict[str, list[Share]]
    continued: list[Share]
    appeared: list[str]
    vanished: list[str]


def find_table(path: Path, store: Store) -> Path:
    """The clusters table that a user means by `path`: the table itself, a folder of results, or a record.

    A record, the small `cluster.json`, is looked up in the project's store, that of a folder too.

    Raises FacesetError where there is none.
    """
    if path.is_dir():
        record = path / RECORD_FILE
        named = read_record(record).outputs.get("clusters") if record.is_file() else None
        path = record if named and store.has(named) else path / CLUSTERS_FILE
    if path.suffix == ".json" and path.is_file():
        artifact = read_record(path).outputs.get("clusters")
        if artifact is None:
            raise FacesetError(f"{path}: the record of another result. Name the record of clusters, cluster.json.")
        if not store.has(artifact):
            raise FacesetError(f"{path}: the store {store.root} no longer has the clusters that this record names.")
        return store.get(artifact)
    if not path.is_file():
        raise FacesetError(f"{path}: no such file. Name a {CLUSTERS_FILE}, the folder it is in, or its record.")
    return path


def read_clusters(path: Path) -> "pd.DataFrame":
    """Track and cluster of every face of a clusters table, by face id; also of a table of another version.

    Raises FacesetError where the file is not one.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path, columns=COLUMNS)
    except (OSError, pa.ArrowException) as error:
        if is_machine_fault(error):
            raise
        raise FacesetError(f"{path}: not a readable clusters table ({error}).") from error
    if table.column_names != COLUMNS:
        raise FacesetError(f"{path}: not a clusters table: expected the columns {', '.join(COLUMNS)} among others.")
    clusters: pd.DataFrame = table.to_pandas()
    return clusters.set_index("face_id")


def compare_clusters(old: "pd.DataFrame", new: "pd.DataFrame") -> Comparison:
    """What has become of the clusters of `old` in `new`, both as `read_clusters` gives them.

    Of equal shares, the one of the same id counts as the larger, then that of the least id.
    """
    import pandas as pd

    old_sizes, new_sizes = _sizes(old), _sizes(new)
    both = pd.DataFrame({"old": old["cluster"], "new": new["cluster"]}).dropna()
    counts = both.value_counts().reset_index(name="faces")
    shares = [Share(*values) for values in zip(counts["old"], counts["new"], counts["faces"].tolist(), strict=True)]
    shares.sort(key=lambda share: (-share.faces, share.old != share.new, share.old, share.new))
    first_of_old = {share.old: share for share in reversed(shares)}
    first_of_new = {share.new: share for share in reversed(shares)}
    links = [share for share in shares if share in (first_of_old[share.old], first_of_new[share.new])]
    from_old: dict[str, list[Share]] = {}
    into_new: dict[str, list[Share]] = {}
    for link in links:
        from_old.setdefault(link.old, []).append(link)
        into_new.setdefault(link.new, []).append(link)
    merged = [name for name, found in into_new.items() if len(found) > 1]
    split = [name for name, found in from_old.items() if len(found) > 1]
    single = {link.new: link for link in links if len(from_old[link.old]) == len(into_new[link.new]) == 1}
    return Comparison(
        old_sizes,
        new_sizes,
        {name: into_new[name] for name in _by_size(merged, new_sizes)},
        {name: from_old[name] for name in _by_size(split, old_sizes)},
        [single[name] for name in _by_size(single, new_sizes)],
        _by_size(new_sizes.keys() - into_new.keys(), new_sizes),
        _by_size(old_sizes.keys() - from_old.keys(), old_sizes),
    )


def row_reaches(rows: "Sequence[Row]", faces: "pd.DataFrame", clusters: "pd.DataFrame") -> dict[int, frozenset[str]]:
    """The faces that each row decides over in a clusters table, by the row's line; none for a row without effect.

    Parameters
    ----------
    rows
        A faceset's keep-list.
    faces
        The faces of its sources as they are now, see `read_faces`. A face that the clusters hold besides is known by
        its id alone, not by its box.
    clusters
        As `read_clusters` gives them.
    """
    import pandas as pd

    from faceset.decisions.reach import find_targets

    named = clusters.index.intersection([row.face for row in rows])
    gone = clusters.loc[named.difference(faces.index, sort=True)]
    places = [split_face_id(face) for face in gone.index]
    gone = gone.assign(source=[place[0] for place in places], frame=[place[1] for place in places])
    gone = gone[gone["source"].isin(set(faces["source"]))].assign(x=0, y=0, w=0, h=0, problem=None)
    table = pd.concat([faces.join(clusters).astype(object), gone.astype(object)])
    asked = [replace(row, box=None) if row.face in gone.index else row for row in rows]
    targets, _ = find_targets(asked, table.rename_axis("face_id").reset_index(), clusters["cluster"])
    reaches = {}
    for target in targets:
        scope = target.row.scope
        covered = [target.group] if scope == "face" else clusters.index[clusters[scope] == target.group]
        reaches[target.row.line] = frozenset(covered)
    return reaches


def read_faces(paths: Mapping[str, Path]) -> "pd.DataFrame":
    """Source, frame, box and problem of every face, by face id, from the `faces` tables by source."""
    import pandas as pd

    from faceset.tables.parquet import read_table

    columns = ["face_id", "frame", "x", "y", "w", "h", "problem"]
    tables: list[pd.DataFrame] = [
        read_table(path, FACES, columns).to_pandas().assign(source=name) for name, path in paths.items()
    ]
    return pd.concat(tables).set_index("face_id")


def compare(
    old: Path,
    new: Path,
    keep_lists: Mapping[str, Path],
    faces: Mapping[str, Mapping[str, Path]],
    say: Callable[[str], None],
) -> None:
    """Tell what has become of the clusters of a table in another, and which keep-list rows that touches.

    Parameters
    ----------
    old, new
        Two clusters tables, see `find_table`.
    keep_lists
        By faceset, where there is one.
    faces
        By faceset, the `faces` tables of its sources, by name, as they are now.

    Raises FacesetError for a file that cannot be read.
    """
    from faceset.decisions.keep_list import read_keep_list

    before, after = read_clusters(old), read_clusters(new)
    for line in describe_clusters(before, after):
        say(line)
    lines = []
    for faceset, path in keep_lists.items():
        rows, table = read_keep_list(path), read_faces(faces[faceset])
        lines += describe_rows(faceset, rows, row_reaches(rows, table, before), row_reaches(rows, table, after))
    say(f"Keep-list rows that reach other faces: {len(lines):,}")
    for line in lines:
        say(line)


def describe_clusters(old: "pd.DataFrame", new: "pd.DataFrame") -> list[str]:
    """What has become of the clusters, in lines of plain text."""
    found = compare_clusters(old, new)
    before, after = found.old_sizes, found.new_sizes
    changed, renamed = [], []
    for link in found.continued:
        if not before[link.old] == link.faces == after[link.new]:
            changed.append(link)
        elif link.old != link.new:
            renamed.append(link)
    common = len(old.index.intersection(new.index))
    lines = [
        f"{len(old):,} faces of {len(before):,} people before, {len(new):,} of {len(after):,} now; "
        f"{common:,} of these faces are the same."
    ]
    lines.append(f"Merged: {len(found.merged):,}")
    for name, links in found.merged.items():
        lines.append(f"  {name}, {_faces(after[name])} now, holds")
        lines += [f"    {link.faces:,} of {_faces(before[link.old])} of {link.old}" for link in links]
    lines.append(f"Split: {len(found.split):,}")
    for name, links in found.split.items():
        lines.append(f"  {name}, {_faces(before[name])} before, went into")
        lines += [f"    {link.new}, {_faces(after[link.new])} now, with {link.faces:,}" for link in links]
    lines.append(f"Appeared: {len(found.appeared):,}")
    lines += [f"  {name}, {_faces(after[name])}" for name in found.appeared]
    lines.append(f"Vanished: {len(found.vanished):,}")
    lines += [f"  {name}, {_faces(before[name])}" for name in found.vanished]
    lines.append(f"Changed: {len(changed):,}")
    for link in changed:
        gained, lost = after[link.new] - link.faces, before[link.old] - link.faces
        lines.append(f"  {_naming(link)}, {_faces(before[link.old])} before, {_change(after[link.new], gained, lost)}")
    lines.append(f"Of the same faces under another name: {len(renamed):,}")
    lines += [f"  {_naming(link)}, {_faces(link.faces)}" for link in renamed]
    lines.append(f"Unchanged: {len(found.continued) - len(changed) - len(renamed):,}")
    return lines


def describe_rows(
    faceset: str, rows: "Sequence[Row]", before: Mapping[int, frozenset[str]], after: Mapping[int, frozenset[str]]
) -> list[str]:
    """A line for each row of a faceset's keep-list that decides over other faces than before."""
    lines = []
    for row in rows:
        old, new = (found.get(row.line, frozenset()) for found in (before, after))
        if old != new:
            change = _change(len(new), len(new - old), len(old - new))
            said = f"  {faceset}, line {row.line} ({row.decision} {row.scope} {row.face})"
            lines.append(f"{said}: {_faces(len(old))} before, {change}")
    return lines


def _sizes(clusters: "pd.DataFrame") -> dict[str, int]:
    return {str(name): int(size) for name, size in clusters["cluster"].value_counts().items()}


def _by_size(names: Iterable[str], sizes: Mapping[str, int]) -> list[str]:
    return sorted(names, key=lambda name: (-sizes[name], name))


def _faces(count: int) -> str:
    return f"{count:,} face{'s' * (count != 1)}"


def _change(now: int, gained: int, lost: int) -> str:
    return f"{now:,} now (+{gained:,} -{lost:,})"


def _naming(link: Share) -> str:
    return link.old if link.old == link.new else f"{link.old} -> {link.new}"
