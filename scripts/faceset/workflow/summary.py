"""The text after every run: what there is now, what is wrong with it, and what to do next."""

import csv
import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc

from faceset.alignments.tables import FACES
from faceset.decisions.tables import NOTICES
from faceset.decisions.tallies import decision_tallies, faces_in_common, kept_share, merge_small, problem_counts
from faceset.enumerations import in_words
from faceset.footage.tables import FRAMES
from faceset.hints import hint
from faceset.people.tables import CLUSTERS
from faceset.project.project import Project
from faceset.stages.graph import instances_of
from faceset.stages.table import STAGES
from faceset.tables.parquet import read_table
from faceset.tables.schema import Schema
from faceset.training.tables import EXTRACTED
from faceset.workflow.results import Results

SOURCES_LISTED = 6
PEOPLE_LISTED = 5
FACESETS_LISTED = 3
REASONS_LISTED = 4
WARNINGS_LISTED = 5
LINE_LENGTH = 110
NOT_YET = "not made yet"


class _Count(str):
    """A cell that begins with a number: it stands to the right of its column."""

    __slots__ = ()


def summarise(project: Project) -> str:
    """What the results in the working directory hold, in about 40 lines of plain text.

    Results that are not there yet, as after a run for one target, are named as such.

    Raises FacesetError for a record or table that is not ours.
    """
    blocks = (
        _sources(project),
        _people(project),
        *_facesets(project),
        _seconds(project),
        _warnings(project),
        _next_step(project),
    )
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _result(project: Project, stage_name: str, output: str, **instance: str) -> Path | None:
    """The artifact that a target is now, not verified; None if it is not there."""
    found = Results(project).find(stage_name, output, **instance)
    return project.store.object_path(found.artifact) if found else None


def _sources(project: Project) -> list[str]:
    rows: list[Sequence[str]] = []
    all_frames = all_faces = 0
    for name, source in project.sources.items():
        frames = _count(_result(project, "frames", "frames", source=name), FRAMES, "position")
        faces = _count(_result(project, "ingest", "faces", source=name), FACES, "face_index")
        all_frames += frames or 0
        all_faces += faces or 0
        origin = "detected" if source.alignments is None else "from its alignments"
        rows.append((name, _said(frames, "frames"), _said(faces, "faces"), origin))
    if len(rows) > SOURCES_LISTED:
        rows[SOURCES_LISTED:] = [(f"and {len(rows) - SOURCES_LISTED:,} more",)]
    return [f"Sources: {len(project.sources):,}, {all_frames:,} frames, {all_faces:,} faces", *_aligned(rows)]


def _people(project: Project) -> list[str]:
    path = _result(project, "cluster", "clusters")
    if path is None:
        return [f"People: {NOT_YET}"]
    counts = pc.value_counts(read_table(path, CLUSTERS, ["cluster"])["cluster"]).to_pylist()
    largest = sorted((-entry["counts"], entry["values"]) for entry in counts)
    rows = [(cluster, _said(-count, "faces")) for count, cluster in largest[:PEOPLE_LISTED]]
    if rest := largest[PEOPLE_LISTED:]:
        rows.append((f"and {len(rest):,} more", _said(-sum(count for count, _ in rest), "faces")))
    return [f"People: {len(largest):,} (each named by its medoid, the most central of its faces)", *_aligned(rows)]


def _facesets(project: Project) -> Iterator[list[str]]:
    names = list(project.config.facesets)
    for name in names[:FACESETS_LISTED]:
        path = _result(project, "manifest", "manifest", faceset=name)
        if path is None:
            yield [f"Faceset {name}: {NOT_YET}"]
            continue
        tallies = decision_tallies(path)
        kept, faces = kept_share(tallies)
        rows = [
            (_Count(f"{tally.faces:,} dropped"), tally.decided_by, tally.reason)
            for tally in merge_small(tallies, REASONS_LISTED)
            if not tally.kept
        ]
        yield [f"Faceset {name}: {kept:,} of {faces:,} faces kept", *_aligned(rows), f"  {_pictures(project, name)}"]
    if rest := names[FACESETS_LISTED:]:
        yield [_shortened(f"and {len(rest):,} more facesets: {', '.join(rest)}")]


def _pictures(project: Project, faceset: str) -> str:
    paths = [
        _result(project, "extract", "extracted", faceset=faceset, source=source)
        for source in project.faceset_sources(faceset)
    ]
    pictures = sum(_count(path, EXTRACTED, "file") or 0 for path in paths)
    folder = project.path(STAGES["assemble"].folder.format(faceset=faceset)) / "faces"
    if None in paths or not _result(project, "assemble", "faceset", faceset=faceset):
        return f"{_said(pictures, 'pictures')} extracted so far; {folder} {NOT_YET}"
    there = sum(1 for name in os.listdir(folder) if name.endswith(".png")) if folder.is_dir() else 0  # noqa: PTH208
    if there != pictures:
        return (
            f"{_said(pictures, 'pictures')} were put into {folder}, {there:,} are there: to make a decision of that, "
            f"faceset keep-from-folder {faceset} {folder}"
        )
    return f"{_said(pictures, 'pictures')} in {folder}"


def _unread_keep_lists(project: Project) -> list[str]:
    """A warning for each keep-list that is no faceset's: renamed perhaps, or mistyped."""
    known = project.config.facesets
    return [
        f"{path}: there is no faceset {path.stem}, so nothing reads this keep-list; {hint(path.stem, known)}"
        for path in sorted(project.keep_folder.glob("*.tsv"))
        if path.stem not in known
    ]


def _seconds(project: Project) -> list[str]:
    spent = {}
    for name, stage in STAGES.items():
        times = [
            seconds
            for instance in instances_of(project, stage)
            if (seconds := _benchmark(project.path(stage.benchmark.format(**instance)))) is not None
        ]
        if times:
            spent[name] = sum(times)
    if not spent:
        return []
    text = ", ".join(f"{name} {seconds:.1f}" for name, seconds in spent.items())
    return ["Seconds a stage, of the last time each job ran:", *_wrapped(text)]


def _warnings(project: Project) -> list[str]:
    warnings: list[str] = []
    unlicensed = [name for name, source in project.sources.items() if not source.rights]
    if unlicensed:
        warnings.append(f"no rights stated in {project.config.sources}: {', '.join(unlicensed)}")
    warnings += _unread_keep_lists(project)
    manifests = {}
    problems: Counter[str] = Counter()
    for faceset in project.config.facesets:
        if manifest := _result(project, "manifest", "manifest", faceset=faceset):
            manifests[faceset] = manifest
        if notices := _result(project, "manifest", "notices", faceset=faceset):
            told = read_table(notices, NOTICES).to_pylist()
            warnings += [f"{faceset}: {in_words(notice['kind'])}: {notice['detail']}" for notice in told]
    for (one, other), count in faces_in_common(manifests).items():
        warnings.append(f"{one} and {other} both keep {_said(count, 'faces')}")
    for source in project.sources:
        if path := _result(project, "ingest", "problems", source=source):
            problems.update(problem_counts(path))
    if problems:
        kinds = ", ".join(f"{in_words(kind)} {count:,}" for kind, count in sorted(problems.items()))
        warnings.insert(0, f"problems in the alignments: {kinds}")
    if len(warnings) > WARNINGS_LISTED:
        warnings[WARNINGS_LISTED:] = [f"and {len(warnings) - WARNINGS_LISTED:,} more, all in the report"]
    return ["Warnings:", *(line for warning in warnings for line in _wrapped(warning))] if warnings else []


def _next_step(project: Project) -> list[str]:
    report = project.path(STAGES["report"].links["report"])
    if not _result(project, "report", "report"):
        return [f"Next: run the target `all`, to have all results and {report}."]
    first = next(iter(project.config.facesets))
    return [f"Next: open {report}; edit {project.keep_list(first)}; run again."]


def _count(path: Path | None, schema: Schema, column: str) -> int | None:
    return read_table(path, schema, [column]).num_rows if path else None


def _said(count: int | None, things: str) -> str:
    if count is None:
        return f"{things} {NOT_YET}"
    return _Count(f"{count:,} {things[:-1] if count == 1 else things}")


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as indented lines, their columns of one width each, counts to the right."""
    widths: Counter[int] = Counter()
    for row in rows:
        for column, cell in enumerate(row):
            widths[column] = max(widths[column], len(cell))
    return [
        _shortened("  " + "  ".join(_padded(cell, widths[column]) for column, cell in enumerate(row))) for row in rows
    ]


def _padded(cell: str, width: int) -> str:
    return cell.rjust(width) if isinstance(cell, _Count) else cell.ljust(width)


def _wrapped(text: str) -> list[str]:
    """Indented lines, at most three."""
    return textwrap.wrap(
        text, LINE_LENGTH, initial_indent="  ", subsequent_indent="    ", max_lines=3, placeholder=" …"
    )


def _shortened(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1].rstrip() + "…"


def _benchmark(path: Path) -> float | None:
    """The seconds in a Snakemake benchmark file; None where it has none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return sum(float(row["s"]) for row in csv.DictReader(file, delimiter="\t"))
    except (OSError, KeyError, TypeError, ValueError):  # timings are only for information
        return None
