"""The report: one HTML file that shows a project's people and what its facesets keep of them.

It needs nothing but itself: no network, no other file. It holds no paths and no times, so equal inputs give equal
bytes. Its looks are in `page.html.jinja`, `page.css` and `page.js`.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pyarrow.compute as pc
from markupsafe import Markup

from faceset.alignments.tables import FACES, PROBLEMS
from faceset.decisions.keep_list import HEADER
from faceset.decisions.tables import NOTICES
from faceset.decisions.tallies import Tally, decision_tallies, faces_in_common, kept_share, merge_small, problem_counts
from faceset.footage.tables import FRAMES
from faceset.report.distances import HEIGHT, histogram, steps_of
from faceset.report.people import People
from faceset.report.pictures import PORTRAIT_PX, THUMBNAIL_PX
from faceset.report.sheets import SPREAD_HEIGHT, make_sheets
from faceset.tables.parquet import read_table

REASONS_LISTED = 12
DETAILS_LISTED = 10
HERE = Path(__file__).parent


@dataclass(frozen=True)
class SourceView:
    """A source, counted."""

    name: str
    frames: int
    faces: int
    rights: str
    problems: tuple[tuple[str, int, tuple[str, ...]], ...]  # kind, how many, the first few in words


@dataclass(frozen=True)
class FacesetView:
    """A faceset, counted."""

    name: str
    sources: tuple[str, ...]
    kept: int
    faces: int
    tallies: tuple[Tally, ...]
    notices: tuple[tuple[str, str, str], ...]  # kind, face, detail


def write_report(
    output: Path,
    model: str,
    threshold: float,
    strictness: float,
    method: str,
    rights: Mapping[str, str],
    facesets: Mapping[str, Sequence[str]],
    frames: Mapping[str, Path],
    faces: Mapping[str, Path],
    problems: Mapping[str, Path],
    chips: Mapping[str, Path],
    measures: Mapping[str, Path],
    tracks: Mapping[str, Path],
    clusters: Path,
    pairs: Path,
    doubts: Path,
    steps: Path,
    nearness: Mapping[str, Path],
    manifests: Mapping[str, Path],
    notices: Mapping[str, Path],
) -> None:
    """Write the report of a whole project to `output`.

    Parameters
    ----------
    model, threshold
        Which identity model told people apart, and up to which distance faces count as one person.
    strictness, method
        The settings of clustering.
    rights
        By source, why its footage may be used; empty where nobody said.
    facesets
        By faceset, the sources that it draws on.
    frames, faces, problems, chips, measures, tracks
        By source, the tables of those names.
    clusters, pairs, doubts, steps
        The tables of those names.
    nearness
        The tables of those facesets that have a reference.
    manifests, notices
        By faceset, the tables of those names.

    Raises FacesetError for a file that is not such a table, and where a face to be shown has no readable chip.
    """
    sources = tuple(_source(name, rights[name], frames[name], faces[name], problems[name]) for name in rights)
    sets = tuple(_faceset(name, facesets[name], manifests[name], notices[name]) for name in facesets)
    people = People(clusters, measures)
    sheets = make_sheets(people, faces, chips, tracks, pairs, doubts, nearness, manifests)
    page = _render(
        model=model,
        threshold=threshold,
        strictness=strictness,
        method=method,
        sources=sources,
        facesets=sets,
        in_common=faces_in_common(manifests),
        people=[view for view in sheets.views if view.person],
        others=[view for view in sheets.views if not view.person],
        listed={view.rank for view in sheets.views},
        pairs=sheets.pairs,
        doubts=sheets.doubts,
        references=list(nearness),
        histogram=histogram(clusters, threshold),
        histogram_height=HEIGHT,
        steps=steps_of(steps, strictness, sheets.ranks),
        people_count=len(people.sizes),
        header=HEADER,
        portrait_px=PORTRAIT_PX,
        thumbnail_px=THUMBNAIL_PX,
        spread_height=SPREAD_HEIGHT,
    )
    output.write_text(page, encoding="utf-8", newline="\n")


def _source(name: str, rights: str, frames: Path, faces: Path, problems: Path) -> SourceView:
    table = read_table(problems, PROBLEMS)
    found = []
    for kind, count in problem_counts(problems).items():
        first = table.filter(pc.equal(table["kind"], kind)).slice(0, DETAILS_LISTED).to_pylist()
        found.append((kind, count, tuple(f"{row['frame']}: {row['detail']}" for row in first)))
    return SourceView(
        name,
        read_table(frames, FRAMES, ["position"]).num_rows,
        read_table(faces, FACES, ["face_index"]).num_rows,
        rights.strip(),
        tuple(found),
    )


def _faceset(name: str, sources: Sequence[str], manifest: Path, notices: Path) -> FacesetView:
    tallies = decision_tallies(manifest)
    few = merge_small(tallies, REASONS_LISTED)
    told = [(row["kind"], row["face"], row["detail"]) for row in read_table(notices, NOTICES).to_pylist()]
    told.sort(key=lambda notice: notice[0] != "contradiction")  # the only kind that leaves something undecided
    return FacesetView(name, tuple(sources), *kept_share(tallies), tuple(few), tuple(told))


def _render(**values: object) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    style = (HERE / "page.css").read_text(encoding="utf-8")
    script = (HERE / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.jinja").render(
        # The page forbids itself the network and any style or script but these two, whatever a note may contain.
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}",
        style=Markup(style),  # noqa: S704 (our own file)
        script=Markup(script),  # noqa: S704 (our own file)
        **values,
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
