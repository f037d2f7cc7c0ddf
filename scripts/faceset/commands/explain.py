"""Tell how a training face came to be: from its picture back to its frame, and to the decision that kept it."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceset.alignments.tables import FACES
from faceset.console import say
from faceset.decisions.tables import MANIFEST
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.face_ids import split_face_id
from faceset.footage.files import frame_name
from faceset.footage.tables import FRAMES
from faceset.hints import hint
from faceset.people.tables import CLUSTERS, TRACKS
from faceset.project.current import add_project_options, check_faceset, current_project
from faceset.project.project import Project
from faceset.stages.table import STAGES
from faceset.tables.schema import Schema
from faceset.training.tables import EXTRACTED, FACESET, KEPT
from faceset.workflow.results import Results

HELP = "tell how a training face came to be, back to its frame"
EXAMPLE = "faceset explain film1/000123_0"

TITLE_WIDTH = 12
Chapter = tuple[str, list[str]]
"""One step of the chain: its title, and its lines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the face."""
    parser.add_argument("face", help="a face id, as film1/000123_0, or a face picture, renamed or not")
    parser.add_argument("--faceset", help="whose training face; without it, of each faceset that knows it")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Explain the face."""
    say(explain(current_project(arguments.config, arguments.prefix), arguments.face, arguments.faceset))


@dataclass(frozen=True)
class _Table:
    """One table of the results: where it is, its record and its digest."""

    path: Path
    sha256: str
    shown: str
    record: str
    schema: Schema

    @property
    def origin(self) -> str:
        return f"from {self.shown}, sha256 {self.sha256} (record {self.record})"

    def rows(self, column: str, value: str) -> list[dict[str, Any]]:
        """The rows with this value in this column; but for columns with landmarks."""
        import pyarrow.compute as pc

        from faceset.tables.parquet import read_table

        names = [name for name in self.schema.names if name != "landmarks"]
        table = read_table(self.path, self.schema, names)
        rows: list[dict[str, Any]] = table.filter(pc.equal(table[column], value)).to_pylist()
        return rows


def explain(project: Project, face: str, faceset: str | None) -> str:
    """How a face came to be, as plain text, for each faceset that draws on its source, or for one.

    `face` is a face id, or the path of an extracted picture, which is known by its pixels, else by its header.

    Raises FacesetError for a face or faceset that is not known, and for results that are not made yet.
    """
    if faceset is not None:
        check_faceset(project, faceset)
    chosen = [faceset] if faceset else list(project.config.facesets)
    if Path(face).is_file():
        found = {name: _recognise(project, Path(face), name) for name in chosen}
        chains = [_chain(project, face_id, name) for name, face_ids in found.items() for face_id in face_ids]
        if not chains:
            raise FacesetError(f"{face}: not a picture of any face of {', '.join(chosen)}.")
    else:
        source = _source_of(project, face)
        chains = [_chain(project, face, name) for name in chosen if source in project.faceset_sources(name)]
        if not chains:
            raise FacesetError(f"{', '.join(chosen)}: does not draw on {source}.")
    return "\n\n".join(chains)


def _source_of(project: Project, face: str) -> str:
    try:
        source, _, _ = split_face_id(face)
    except ValueError as error:
        raise FacesetError(f"{error}, or the path of a picture.") from error
    if source not in project.sources:
        raise FacesetError(f"{face}: there is no source {source!r}; {hint(source, project.sources)}")
    return source


def _recognise(project: Project, picture: Path, faceset: str) -> list[str]:
    from faceset.alignments.boxes import read_boxes
    from faceset.tables.parquet import read_table
    from faceset.training.pictures.recognition import Recogniser

    index = _table(project, "assemble", "faceset", FACESET, faceset=faceset)
    rows = read_table(index.path, FACESET, ["file", "face_id", "source", "pixels"]).to_pylist()
    boxes = read_boxes(
        {name: _table(project, "ingest", "faces", FACES, source=name).path for name in project.faceset_sources(faceset)}
    )
    found = Recogniser(rows, boxes)
    found.look_at(picture)
    return list(found.pictures)


def _table(project: Project, stage_name: str, output: str, schema: Schema, **instance: str) -> _Table:
    found = Results(project).get(stage_name, output, **instance)
    return _Table(found.path, found.artifact.sha256, str(found.shown), str(found.record), schema)


def _chain(project: Project, face_id: str, faceset: str) -> str:
    source, frame, _ = split_face_id(face_id)
    faces = _table(project, "ingest", "faces", FACES, source=source)
    found = faces.rows("face_id", face_id)
    if not found:
        raise FacesetError(f"{face_id}: {source} has no such face. The report shows the id of every face.")
    chapters = [
        *_picture(project, face_id, faceset),
        *_decision(project, face_id, faceset),
        *_people(project, face_id, source),
        _face(faces, found[0]),
        _alignments(project, source),
        *_frame(project, source, frame),
    ]
    lines = [f"{face_id} in the faceset {faceset}", *_stale(project, source, faceset)]
    for title, texts in chapters:
        for number, text in enumerate(texts):
            lines.append(f"{'' if number else title:<{TITLE_WIDTH}}{text}")
    return "\n".join(lines)


def _picture(project: Project, face_id: str, faceset: str) -> Iterator[Chapter]:
    source, _, _ = split_face_id(face_id)
    index = _table(project, "assemble", "faceset", FACESET, faceset=faceset)
    rows = index.rows("face_id", face_id)
    if not rows:
        yield "picture", ["none: it is not in the faceset"]
        return
    folder = project.path(STAGES["assemble"].folder.format(faceset=faceset))
    yield "picture", [f"{folder}/faces/{rows[0]['file']}", f"pixels sha256 {rows[0]['pixels']}", index.origin]
    extracted = _table(project, "extract", "extracted", EXTRACTED, faceset=faceset, source=source)
    (cut,) = extracted.rows("face_id", face_id)
    yield "extracted", [cut["file"], extracted.origin]
    kept = _table(project, "clean", "kept", KEPT, faceset=faceset, source=source)
    (left,) = kept.rows("face_id", face_id)
    yield "cleaned", [f"face {left['index']} of frame {left['frame']} in the cleaned alignments", kept.origin]


def _decision(project: Project, face_id: str, faceset: str) -> Iterator[Chapter]:
    manifest = _table(project, "manifest", "manifest", MANIFEST, faceset=faceset)
    (row,) = manifest.rows("face_id", face_id)
    verdict = "kept" if row["kept"] else "dropped"
    yield "decision", [f"{verdict} by {row['decided_by']}: {row['reason']}", manifest.origin]
    path = project.existing_keep_list(faceset)
    numbers = [row[name] for name in ("row_line", "other_line") if row[name] is not None]
    if numbers and path:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
        rows = [f"line {number}: {' '.join(lines[number - 1].split())}" for number in numbers if number <= len(lines)]
        yield "keep-list", [*rows, f"from {path}, sha256 {file_digest(path)}"]
    elif row["decided_by"] == "policy":
        yield "policy", [f"{project.faceset(faceset).policy}, from the config: no row reaches the face"]


def _people(project: Project, face_id: str, source: str) -> Iterator[Chapter]:
    clusters = _table(project, "cluster", "clusters", CLUSTERS)
    rows = clusters.rows("face_id", face_id)
    if not rows:
        yield "cluster", ["none", clusters.origin]
        return
    (row,) = rows
    size = len(clusters.rows("cluster", row["cluster"]))
    outlier = ", an outlier" if row["outlier"] else ""
    text = f"{row['cluster']}, of {size:,} faces; {row['distance']:.3f} from its mean{outlier}"
    yield "cluster", [text, clusters.origin]
    tracks = _table(project, "track", "tracks", TRACKS, source=source)
    yield "track", [f"{row['track']}, of {len(tracks.rows('track', row['track'])):,} faces", tracks.origin]


def _face(faces: _Table, row: dict[str, Any]) -> Chapter:
    box = ",".join(str(row[side]) for side in "xywh")
    from faceset.alignments.problems import face_sentence

    problem = f"; {face_sentence(row['problem'])}" if row["problem"] else ""
    text = f"face {row['face_index']} of its frame as the alignments came in, box {box} (x,y,w,h in px){problem}"
    return "face", [text, faces.origin]


def _alignments(project: Project, source: str) -> Chapter:
    path = project.sources[source].alignments
    if path:
        return "alignments", [f"{path}, sha256 {file_digest(path)}"]
    found = Results(project).get("detect", "detected", source=source)
    return "alignments", [f"detected, sha256 {found.artifact.sha256} (record {found.record})"]


def _frame(project: Project, source: str, frame: str) -> Iterator[Chapter]:
    frames = _table(project, "frames", "frames", FRAMES, source=source)
    rows = frames.rows("frame", frame)
    if not rows:
        yield "frame", [f"{frame}: not in the footage", frames.origin]
        return
    row = rows[0]
    footage = project.sources[source].frames
    name = row["name"] or frame_name(footage.name, frame)
    yield "frame", [f"{name}, at position {row['position']} from 0", frames.origin]
    path = footage / name if footage.is_dir() else footage
    yield "footage", [f"{path}, sha256 {row['digest']} when it was read"]


def _stale(project: Project, source: str, faceset: str) -> list[str]:
    """A warning if results are no longer what the inputs, settings and code give."""
    known = {"source": source, "faceset": faceset}
    results, old = Results(project), []
    for stage in STAGES.values():
        instance = {name: known[name] for name in stage.wildcards}
        if not stage.terminal and stage.runs_if(project, instance) and not results.is_current(stage.name, **instance):
            old.append(" ".join([stage.name, *instance.values()]))
    return [f"Made before a change of what it is made from ({', '.join(old)}): run again to be sure."] if old else []
