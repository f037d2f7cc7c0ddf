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

from faceset.keep_list import HEADER, format_row
from faceset.report.people import (
    People,
    Person,
    Spread,
    Verdict,
    boxes_of,
    kept_by_cluster,
    track_lengths,
    verdicts_on,
)
from faceset.report.pictures import PORTRAIT_PX, THUMBNAIL_PX, pictures_of
from faceset.report.tallies import Tally, decision_tallies, faces_in_common, kept_share, merge_small, problem_counts
from faceset.schemas import FACES, FRAMES, NOTICES, PAIRS, PROBLEMS
from faceset.tables import read_table

PEOPLE_IN_FULL = 100
PEOPLE_LISTED = 1000
REASONS_LISTED = 12
DETAILS_LISTED = 10
PAIRS_SHOWN = 24
HERE = Path(__file__).parent

SPREAD_TEXTS = {
    "yaw": ("Turn", "{:.0f}°"),
    "pitch": ("Nod", "{:.0f}°"),
    "size": ("Size", "{:.0f} px"),
    "blur": ("Sharpness", "{:.3g}"),
}
SPREAD_HEIGHT = 24

Rows = tuple[tuple[str, str], ...]
"""Rows for a keep-list, each with what it says in words."""


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


@dataclass(frozen=True)
class FaceView:
    """One face of a contact sheet."""

    id: str
    box: str
    track: str
    picture: str
    outlier: bool
    verdicts: tuple[Verdict, ...]
    rows: Rows


@dataclass(frozen=True)
class SpreadView:
    """One measure of a person: its name, its middle nine tenths in words, and a histogram as an SVG path."""

    name: str
    text: str
    bars: str


@dataclass(frozen=True)
class PersonView:
    """One cluster. Those beyond the first hundred have no `person`, `portrait`, `faces` or `spreads`."""

    rank: int
    cluster: str
    size: int
    kept: tuple[tuple[str, int, int], ...]  # faceset, how many, of how many
    rows: Rows
    person: Person | None = None
    portrait: str = ""
    faces: tuple[FaceView, ...] = ()
    spreads: tuple[SpreadView, ...] = ()


def write_report(
    output: Path,
    model: str,
    threshold: float | None,
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
    manifests: Mapping[str, Path],
    notices: Mapping[str, Path],
) -> None:
    """Write the report of a whole project to `output`.

    Parameters
    ----------
    model, threshold
        Which identity model told people apart, and up to which distance faces count as one person.
    rights
        By source, why its footage may be used; empty where nobody said.
    facesets
        By faceset, the sources that it draws on.
    frames, faces, problems, chips, measures, tracks
        By source, the tables of those names.
    clusters, pairs
        The tables of those names.
    manifests, notices
        By faceset, the tables of those names.

    Raises FacesetError for a file that is not such a table, and where a face to be shown has no readable chip.
    """
    sources = tuple(_source(name, rights[name], frames[name], faces[name], problems[name]) for name in rights)
    sets = tuple(_faceset(name, facesets[name], manifests[name], notices[name]) for name in facesets)
    people = People(clusters, measures)
    views = _people(people, faces, chips, tracks, manifests)
    page = _render(
        model=model,
        threshold=threshold,
        sources=sources,
        facesets=sets,
        in_common=faces_in_common(manifests),
        people=[view for view in views if view.person],
        others=[view for view in views if not view.person],
        pairs=_pairs(pairs, views),
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


def _people(
    people: People,
    faces: Mapping[str, Path],
    chips: Mapping[str, Path],
    tracks: Mapping[str, Path],
    manifests: Mapping[str, Path],
) -> list[PersonView]:
    kept = {faceset: kept_by_cluster(path) for faceset, path in manifests.items()}
    ranks = {cluster: rank for rank, cluster in enumerate(people.sizes, 1)}
    # Whoever a faceset keeps is listed, however small, so that every decision can be seen and undone.
    listed = [
        cluster
        for cluster, rank in ranks.items()
        if rank <= PEOPLE_LISTED or any(of_faceset.get(cluster, (0, 0))[0] for of_faceset in kept.values())
    ]
    closely = {cluster: people.person(cluster) for cluster in listed[:PEOPLE_IN_FULL]}
    shown = [face for person in closely.values() for face in person.shown]
    pictures = pictures_of(
        {**dict.fromkeys(closely, PORTRAIT_PX), **dict.fromkeys(shown, THUMBNAIL_PX)},
        chips,
    )
    boxes = boxes_of([*shown, *listed], faces)
    outliers_and_tracks = people.outliers_and_tracks(shown)
    lengths = track_lengths({track for _, track in outliers_and_tracks.values()}, tracks)
    verdicts = verdicts_on(shown, manifests)

    def face_view(face: str) -> FaceView:
        outlier, track = outliers_and_tracks[face]
        rows = (
            ("drop this face", format_row("drop", "face", face, boxes[face], 1)),
            (
                f"drop its track, {lengths[track]:,} faces",
                format_row("drop", "track", face, boxes[face], lengths[track]),
            ),
            ("keep this face", format_row("keep", "face", face, boxes[face], 1)),
            (
                f"keep its track, {lengths[track]:,} faces",
                format_row("keep", "track", face, boxes[face], lengths[track]),
            ),
        )
        box = ",".join(str(edge) for edge in boxes[face])
        return FaceView(face, box, track, pictures[face], outlier, tuple(verdicts[face]), rows)

    views = []
    for cluster in listed:
        size = people.sizes[cluster]
        of_facesets = tuple((name, *of[cluster]) for name, of in kept.items() if cluster in of)
        rows = tuple(
            (f"{decision} this person", format_row(decision, "cluster", cluster, boxes[cluster], size))
            for decision in ("keep", "drop")
        )
        view = PersonView(ranks[cluster], cluster, size, of_facesets, rows)
        if cluster in closely:
            person = closely[cluster]
            view = PersonView(
                *(view.rank, cluster, size, of_facesets, rows, person, pictures[cluster]),
                faces=tuple(face_view(face) for face in person.shown),
                spreads=tuple(_spread_view(spread) for spread in person.spreads),
            )
        views.append(view)
    return views


def _pairs(pairs: Path, views: Sequence[PersonView]) -> list[tuple[PersonView, PersonView, float]]:
    """The pairs that may be one person, of people that are shown in full."""
    shown = {view.cluster: view for view in views if view.person}
    return [
        (shown[row["cluster"]], shown[row["other"]], row["distance"])
        for row in read_table(pairs, PAIRS).to_pylist()
        if row["cluster"] in shown and row["other"] in shown
    ][:PAIRS_SHOWN]


def _spread_view(spread: Spread) -> SpreadView:
    name, form = SPREAD_TEXTS[spread.measure]
    low, high = (form.format(value).replace("-", "\N{MINUS SIGN}") for value in (spread.low, spread.high))
    tallest = max(spread.counts)
    heights = [-(-count * SPREAD_HEIGHT // tallest) for count in spread.counts]
    bars = "".join(
        f"M{4 * place} {SPREAD_HEIGHT}v-{height}h3v{height}z" for place, height in enumerate(heights) if height
    )
    return SpreadView(name, low if low == high else f"{low} to {high}", bars)


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
