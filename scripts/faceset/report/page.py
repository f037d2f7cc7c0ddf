"""The report: one HTML file that shows a project's people and what its facesets keep of them.

It needs nothing but itself: no network, no other file. It holds no paths and no times, so equal inputs give equal
bytes. Its looks are in `page.html.jinja`, `page.css` and `page.js`.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import jinja2
import pyarrow.compute as pc
from markupsafe import Markup

from faceset.alignments.tables import FACES, PROBLEMS
from faceset.decisions.keep_list import HEADER
from faceset.decisions.tables import NOTICES
from faceset.decisions.tallies import Tally, decision_tallies, faces_in_common, kept_share, merge_small, problem_counts
from faceset.enumerations import in_words
from faceset.footage.tables import FRAMES
from faceset.report.distances import HEIGHT, histogram, strictness_changes
from faceset.report.inputs import FacesetTables, ReportInputs, ReportSettings, SourceTables
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
    notices: tuple[tuple[str, str | None, str], ...]  # kind, face if any, detail


def write_report(inputs: ReportInputs, settings: ReportSettings, output: Path) -> None:
    """Write the report of a whole project to `output`.

    Raises FacesetError for a file that is not such a table, and where a face to be shown has no readable chip.
    """
    people = People(inputs.clusters, inputs.measures)
    sheets = make_sheets(people, inputs)
    page = _render(
        model=settings.model,
        threshold=settings.threshold,
        strictness=settings.strictness,
        method=settings.method,
        sources=tuple(_source(name, tables) for name, tables in inputs.sources.items()),
        facesets=tuple(_faceset(name, tables) for name, tables in inputs.facesets.items()),
        in_common=faces_in_common(inputs.manifests),
        people=[view for view in sheets.views if view.person],
        others=[view for view in sheets.views if not view.person],
        listed={view.rank for view in sheets.views},
        merge_candidates=sheets.merge_candidates,
        split_candidates=sheets.split_candidates,
        references=list(inputs.nearness),
        histogram=histogram(inputs.clusters, settings.threshold),
        histogram_height=HEIGHT,
        steps=strictness_changes(inputs.strictness_changes, settings.strictness, sheets.ranks),
        people_count=len(people.sizes),
        header=HEADER,
        portrait_px=PORTRAIT_PX,
        thumbnail_px=THUMBNAIL_PX,
        spread_height=SPREAD_HEIGHT,
    )
    output.write_text(page, encoding="utf-8", newline="\n")


def _source(name: str, tables: SourceTables) -> SourceView:
    problems = read_table(tables.problems, PROBLEMS)
    found = []
    for kind, count in problem_counts(tables.problems).items():
        first = problems.filter(pc.equal(problems["kind"], kind)).slice(0, DETAILS_LISTED).to_pylist()
        details = (": ".join(text for text in (row["frame"], row["detail"]) if text) for row in first)
        found.append((kind, count, tuple(details)))
    return SourceView(
        name,
        read_table(tables.frames, FRAMES, ["position"]).num_rows,
        read_table(tables.faces, FACES, ["face_index"]).num_rows,
        tables.rights.strip(),
        tuple(found),
    )


def _faceset(name: str, tables: FacesetTables) -> FacesetView:
    tallies = decision_tallies(tables.manifest)
    few = merge_small(tallies, REASONS_LISTED)
    told = [(row["kind"], row["face"], row["detail"]) for row in read_table(tables.notices, NOTICES).to_pylist()]
    told.sort(key=lambda notice: notice[0] != "contradiction")  # the only kind that leaves something undecided
    return FacesetView(name, tuple(tables.sources), *kept_share(tallies), tuple(few), tuple(told))


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
    environment.filters["in_words"] = in_words
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
