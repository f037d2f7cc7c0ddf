"""The people of the report, with their pictures and the keep-list rows of each: what there is to look at and decide."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from faceset.alignments.boxes import read_boxes
from faceset.decisions.keep_list import format_row
from faceset.people.tables import MERGE_CANDIDATES, NEARNESS, SPLIT_CANDIDATES
from faceset.report.inputs import ReportInputs
from faceset.report.people import (
    People,
    Person,
    Place,
    Spread,
    Verdict,
    kept_by_cluster,
    track_lengths,
    verdicts_on,
)
from faceset.report.pictures import PORTRAIT_PX, THUMBNAIL_PX, pictures_of
from faceset.tables.parquet import read_table

PEOPLE_IN_FULL = 100
PEOPLE_LISTED = 1000
MERGE_CANDIDATES_SHOWN = 24
SPLIT_CANDIDATES_SHOWN = 24

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
class FaceView:
    """One face of a contact sheet. `next_rank` is the nearest person but for its own, None if there is none."""

    id: str
    box: str
    place: Place
    next_rank: int | None
    picture: str
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
    nearness: tuple[tuple[str, float], ...]  # faceset with a reference, mean distance to its photos
    rows: Rows
    person: Person | None = None
    portrait: str = ""
    faces: tuple[FaceView, ...] = ()
    spreads: tuple[SpreadView, ...] = ()


class SplitCandidateView(NamedTuple):
    """A person that may be two: the face that stands for the smaller part, and how many faces that has."""

    view: PersonView
    face: FaceView
    faces: int
    distance: float


@dataclass(frozen=True)
class Sheets:
    """All people to be listed, in order; `ranks` holds the place of everybody, listed or not, by cluster."""

    views: list[PersonView]
    merge_candidates: list[tuple[PersonView, PersonView, float]]
    split_candidates: list[SplitCandidateView]
    ranks: dict[str, int]


def make_sheets(people: People, inputs: ReportInputs) -> Sheets:
    """Everything that is shown of the people: by nearness to the facesets' references, then the largest first.

    Raises FacesetError as `write_report` does.
    """
    near = {name: _nearness(path) for name, path in inputs.nearness.items()}
    nearest = {cluster: min(of.get(cluster, math.inf) for of in near.values()) for cluster in people.sizes if near}
    ranks = {cluster: rank for rank, cluster in enumerate(sorted(people.sizes, key=lambda c: nearest.get(c, 0)), 1)}
    kept = {faceset: kept_by_cluster(path) for faceset, path in inputs.manifests.items()}
    # Whoever a faceset keeps is listed, however small, so that every decision can be seen and undone.
    listed = [
        cluster
        for cluster, rank in ranks.items()
        if rank <= PEOPLE_LISTED or any(of_faceset.get(cluster, (0, 0))[0] for of_faceset in kept.values())
    ]
    closely = {cluster: people.person(cluster) for cluster in listed[:PEOPLE_IN_FULL]}
    split_rows = [
        row for row in read_table(inputs.split_candidates, SPLIT_CANDIDATES).to_pylist() if row["cluster"] in closely
    ][:SPLIT_CANDIDATES_SHOWN]
    shown = [face for person in closely.values() for face in person.shown] + [row["face"] for row in split_rows]
    pictures = pictures_of({**dict.fromkeys(shown, THUMBNAIL_PX), **dict.fromkeys(closely, PORTRAIT_PX)}, inputs.chips)
    boxes = read_boxes(inputs.faces, [*shown, *listed])
    face_views = _face_views(people, shown, pictures, boxes, ranks, inputs)

    views = {}
    for cluster in listed:
        size = people.sizes[cluster]
        of_facesets = tuple((name, *of[cluster]) for name, of in kept.items() if cluster in of)
        distances = tuple((name, of[cluster]) for name, of in near.items() if cluster in of)
        rows = tuple(
            (f"{decision} this person", format_row(decision, "cluster", cluster, boxes[cluster], size))
            for decision in ("keep", "drop")
        )
        view = PersonView(ranks[cluster], cluster, size, of_facesets, distances, rows)
        if cluster in closely:
            person = closely[cluster]
            view = PersonView(
                *(view.rank, cluster, size, of_facesets, distances, rows, person, pictures[cluster]),
                faces=tuple(face_views[face] for face in person.shown),
                spreads=tuple(_spread_view(spread) for spread in person.spreads),
            )
        views[cluster] = view
    likely = [
        (views[row["cluster"]], views[row["other"]], row["distance"])
        for row in read_table(inputs.merge_candidates, MERGE_CANDIDATES).to_pylist()
        if row["cluster"] in closely and row["other"] in closely
    ]
    return Sheets(
        list(views.values()),
        likely[:MERGE_CANDIDATES_SHOWN],
        [
            SplitCandidateView(views[row["cluster"]], face_views[row["face"]], row["faces"], row["distance"])
            for row in split_rows
        ],
        ranks,
    )


def _nearness(path: Path) -> dict[str, float]:
    table = read_table(path, NEARNESS, ["cluster", "distance"])
    return dict(zip(table["cluster"].to_pylist(), table["distance"].to_pylist(), strict=True))


def _face_views(
    people: People,
    shown: Iterable[str],
    pictures: Mapping[str, str],
    boxes: Mapping[str, tuple[int, int, int, int]],
    ranks: Mapping[str, int],
    inputs: ReportInputs,
) -> dict[str, FaceView]:
    places = people.places(shown)
    lengths = track_lengths({place.track for place in places.values()}, inputs.tracks)
    verdicts = verdicts_on(places, inputs.manifests)
    views = {}
    for face, place in places.items():
        length = lengths[place.track]
        rows = tuple(
            row
            for decision in ("drop", "keep")
            for row in (
                (f"{decision} this face", format_row(decision, "face", face, boxes[face], 1)),
                (
                    f"{decision} its track, {length:,} face{'' if length == 1 else 's'}",
                    format_row(decision, "track", face, boxes[face], length),
                ),
            )
        )
        next_rank = ranks[place.next_cluster] if place.next_cluster is not None else None
        box = ",".join(str(edge) for edge in boxes[face])
        views[face] = FaceView(face, box, place, next_rank, pictures[face], tuple(verdicts[face]), rows)
    return views


def _spread_view(spread: Spread) -> SpreadView:
    name, form = SPREAD_TEXTS[spread.measure]
    low, high = (form.format(value).replace("-", "\N{MINUS SIGN}") for value in (spread.low, spread.high))
    tallest = max(spread.counts)
    heights = [-(-count * SPREAD_HEIGHT // tallest) for count in spread.counts]
    bars = "".join(
        f"M{4 * place} {SPREAD_HEIGHT}v-{height}h3v{height}z" for place, height in enumerate(heights) if height
    )
    return SpreadView(name, low if low == high else f"{low} to {high}", bars)
