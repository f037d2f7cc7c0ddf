"""The text after every run: what there is now, what is wrong with it, and what to do next."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow.compute as pc

from faceset.project import Project
from faceset.records import read_record
from faceset.schemas import CLUSTERS, EXTRACTED, FACES, FRAMES, NOTICES
from faceset.stages import STAGES, Where
from faceset.tables import read_table
from faceset.tallies import decision_tallies, faces_in_common, kept_share, merge_small, problem_counts

SOURCES_LISTED = 8
PEOPLE_LISTED = 8
FACESETS_LISTED = 4
REASONS_LISTED = 4
NOTICES_LISTED = 3
LINE_LENGTH = 110
BENCHMARKS = Path("logs/benchmarks")
NOT_YET = "not there yet"


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


def _result(project: Project, stage_name: str, output: str, **where: str) -> Path | None:
    """The artifact that a target is now; None if it is not there."""
    try:
        artifact = read_record(STAGES[stage_name].record.format(**where)).outputs[output]
    except FileNotFoundError:
        return None
    path = project.store.object_path(artifact)
    return path if path.exists() else None


def _sources(project: Project) -> list[str]:
    rows: list[Sequence[str]] = []
    totals = [0, 0]
    for name, source in project.sources.items():
        counts = []
        for place, (stage, output, schema, column) in enumerate(
            (("frames", "frames", FRAMES, "position"), ("ingest", "faces", FACES, "face_index"))
        ):
            path = _result(project, stage, output, source=name)
            count = read_table(path, schema, [column]).num_rows if path else None
            totals[place] += count or 0
            counts.append(NOT_YET if count is None else f"{count:,} {output}")
        rows.append((name, *counts, "detected" if source.alignments is None else "from its alignments"))
    listed = rows if len(rows) <= SOURCES_LISTED else [*rows[: SOURCES_LISTED - 1], (f"and {len(rows) - SOURCES_LISTED + 1} more",)]
    return [f"Sources: {len(rows):,}, {totals[0]:,} frames, {totals[1]:,} faces", *_aligned(listed)]


def _people(project: Project) -> list[str]:
    path = _result(project, "cluster", "clusters")
    if path is None:
        return [f"People: {NOT_YET}"]
    counts = pc.value_counts(read_table(path, CLUSTERS, ["cluster"])["cluster"]).to_pylist()
    largest = sorted((-entry["counts"], entry["values"]) for entry in counts)
    rows = [(cluster, f"{-count:,} faces") for count, cluster in largest[:PEOPLE_LISTED]]
    if rest := largest[PEOPLE_LISTED:]:
        rows.append((f"and {len(rest):,} more", f"{-sum(count for count, _ in rest):,} faces"))
    return [f"People: {len(largest):,} (each named by its most central face)", *_aligned(rows)]


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
            (f"{tally.faces:,} dropped", tally.decided_by, tally.reason)
            for tally in merge_small(tallies, REASONS_LISTED)
            if not tally.kept
        ]
        yield [f"Faceset {name}: {kept:,} of {faces:,} faces kept", *_aligned(rows), f"  {_pictures(project, name)}"]
    if rest := names[FACESETS_LISTED:]:
        yield [f"and {len(rest):,} more facesets: {_listed(rest)}"]


def _pictures(project: Project, faceset: str) -> str:
    paths = [
        _result(project, "extract", "extracted", faceset=faceset, source=source)
        for source in project.faceset_sources(faceset)
    ]
    pictures = sum(read_table(path, EXTRACTED, ["file"]).num_rows for path in paths if path)
    folder = STAGES["assemble"].folder.format(faceset=faceset) + "/faces"
    if None in paths or not _result(project, "assemble", "faceset", faceset=faceset):
        return f"{pictures:,} pictures extracted so far; {folder}: {NOT_YET}"
    return f"{pictures:,} pictures in {folder}"


def _seconds(project: Project) -> list[str]:
    spent = {}
    for name, stage in STAGES.items():
        times = [
            seconds
            for where in stage.instances(project)
            if (seconds := _benchmark(BENCHMARKS / name / f"{'-'.join(where.values()) or name}.tsv")) is not None
        ]
        if times:
            spent[name] = sum(times)
    if not spent:
        return []
    return ["Seconds a stage, the last time each job ran:", *_wrapped(f"{name} {spent[name]:.1f}" for name in spent)]


def _warnings(project: Project) -> list[str]:
    lines = []
    for faceset in project.config.facesets:
        path = _result(project, "manifest", "notices", faceset=faceset)
        notices = read_table(path, NOTICES).to_pylist() if path else []
        lines += [f"{faceset}: {notice['kind']}: {notice['detail']}" for notice in notices[:NOTICES_LISTED]]
        if rest := len(notices) - NOTICES_LISTED:
            lines += [f"{faceset}: {rest:,} more notices, all in the report"] if rest > 0 else []
    unlicensed = [name for name, source in project.sources.items() if not source.rights]
    if unlicensed:
        lines.append(f"no rights stated in {project.config.sources}: {_listed(unlicensed)}")
    manifests = {name: path for name in project.config.facesets if (path := _result(project, "manifest", "manifest", faceset=name))}
    for (one, other), count in faces_in_common(manifests).items():
        lines.append(f"{count:,} faces are kept by both {one} and {other}")
    lines += _problems(project)
    return ["Warnings:", *(f"  {line}" for line in lines)] if lines else []


def _problems(project: Project) -> list[str]:
    totals: dict[str, int] = {}
    for source in project.sources:
        path = _result(project, "ingest", "problems", source=source)
        for kind, count in (problem_counts(path) if path else {}).items():
            totals[kind] = totals.get(kind, 0) + count
    return [f"in alignments: {', '.join(f'{count:,} {kind}' for kind, count in sorted(totals.items()))}"] if totals else []


def _next_step(project: Project) -> list[str]:
    if not _result(project, "report", "report"):
        return ["Next: run again without a target to have all results and results/report.html."]
    first = next(iter(project.config.facesets))
    return [f"Next: open results/report.html; edit {project.keep_list(first)}; run again."]
