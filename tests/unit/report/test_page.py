"""Promises of the report."""

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from faceset.alignments.problems import Problem
from faceset.decisions.keep_list import HEADER, read_keep_list
from faceset.decisions.kinds import Notice
from faceset.decisions.tables import MANIFEST
from faceset.errors import FacesetError
from faceset.people.tables import CLUSTERS, NEARNESS, SPLIT_CANDIDATES
from faceset.report import page as report_page
from faceset.report import sheets
from faceset.report.distances import BIN_WIDTH, MOST_BINS, histogram
from faceset.report.inputs import ReportInputs, ReportSettings
from faceset.report.page import write_report
from faceset.report.people import FACES_SHOWN, OUTLIERS_SHOWN, People
from faceset.tables.parquet import arrow_schema, read_table, write_table
from report_inputs import SETTINGS, Inputs

VOID = {"meta", "img", "br", "link", "path"}
HARM = "<script>alert(1)</script> \" onload='x' & more"


class Page(HTMLParser):
    """The elements of a page: every tag with its attributes and text, and a check that all are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element: tuple[str, dict[str, str | None], list[str]] = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element[2].append(data)

    def of(self, tag: str, css_class: str = "") -> Iterator[tuple[dict[str, str | None], str]]:
        """Attributes and text of the elements with this tag and class."""
        for name, attributes, text in self.elements:
            if name == tag and (not css_class or css_class in (attributes.get("class") or "").split()):
                yield attributes, "".join(text)


def written(folder: Path, inputs: ReportInputs, settings: ReportSettings = SETTINGS) -> str:
    write_report(inputs, settings, folder / "report.html")
    return (folder / "report.html").read_text(encoding="utf-8")


def rows_of(page: Page) -> list[str]:
    return [text for _, text in page.of("code") if "\t" in text and text != HEADER]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> ReportInputs:
    return Inputs(tmp_path_factory.mktemp("inputs"), {"interview": 120, "portraits": 80}, people=4).write()


@pytest.fixture(scope="module")
def text(inputs: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(tmp_path_factory.mktemp("output"), inputs)


def test_the_same_inputs_give_the_same_bytes_wherever_they_lie(text: str, tmp_path: Path) -> None:
    again = Inputs(tmp_path / "elsewhere", {"interview": 120, "portraits": 80}, people=4).write()
    assert written(tmp_path, again) == text
    assert str(tmp_path) not in text


def test_the_page_asks_for_nothing_from_outside(text: str) -> None:
    page = Page(text)
    addresses = [
        value for _, attributes, _ in page.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert addresses
    assert all(address is not None and address.startswith(("data:image/jpeg;base64,", "#")) for address in addresses)
    assert not re.search(r"https?:|@import|url\(", text)


def test_the_page_is_allowed_no_script_or_style_but_its_own(text: str) -> None:
    page = Page(text)
    (policy,) = [entry for entry, _ in page.of("meta") if entry.get("http-equiv")]
    for tag in ("style", "script"):
        ((_, content),) = page.of(tag)
        assert report_page._hash(content) in (policy["content"] or "")
    assert not any(name.startswith("on") or name == "style" for _, given, _ in page.elements for name in given)


def test_links_within_the_page_lead_somewhere(text: str) -> None:
    page = Page(text)
    names = [attributes["id"] for _, attributes, _ in page.elements if "id" in attributes]
    assert len(names) == len(set(names))
    assert {attributes["href"] for attributes, _ in page.of("a")} <= {f"#{name}" for name in names}


def test_every_picture_says_what_it_is_and_has_its_promised_size(text: str) -> None:
    images = [attributes for attributes, _ in Page(text).of("img")]
    assert all("alt" in image for image in images)
    sheet = next(image for image in images if (image["alt"] or "").startswith("Face "))
    data = base64.b64decode((sheet["src"] or "").partition(",")[2])
    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (112, 112, 3)


def test_counts_are_those_of_the_tables(inputs: ReportInputs, text: str) -> None:
    kept = sum(read_table(inputs.manifests["main"], MANIFEST, ["kept"])["kept"].to_pylist())
    tiles = dict(zip([t for _, t in Page(text).of("dt")], [t for _, t in Page(text).of("dd")], strict=True))
    assert {name: tiles[name] for name in ("sources", "frames", "faces", "people", "kept in main")} == {
        "sources": "2",
        "frames": "200",
        "faces": "200",
        "people": "4",
        "kept in main": str(kept),
    }


def test_what_one_filter_dropped_is_one_line_whatever_its_values(text: str) -> None:
    assert text.count("<td>smaller than 80 px</td>") == 1
    assert "<td>not in the largest cluster</td>" in text


def test_people_come_largest_first(inputs: ReportInputs, text: str) -> None:
    clusters = read_table(inputs.clusters, CLUSTERS, ["cluster"])["cluster"].to_pylist()
    sizes = [clusters.count(name.strip()) for _, name in Page(text).of("p", "id")]
    assert len(sizes) == 4
    assert sizes == sorted(sizes, reverse=True)


def test_outliers_come_first_and_the_others_walk_evenly_through_the_cluster(
    inputs: ReportInputs,
) -> None:
    people = People(inputs.clusters, inputs.measures)
    largest = next(iter(people.sizes))
    person = people.person(largest)
    outlier = [people.places([face])[face].outlier for face in person.shown]
    assert len(person.shown) == FACES_SHOWN
    assert outlier == sorted(outlier, reverse=True)
    assert 0 < sum(outlier) <= OUTLIERS_SHOWN
    others = [face for face, is_outlier in zip(person.shown, outlier, strict=True) if not is_outlier]
    order = dict(
        zip(*(read_table(inputs.clusters, CLUSTERS)[name].to_pylist() for name in ("face_id", "order")), strict=True)
    )
    places = [order[face] for face in others]
    assert places == sorted(places)
    assert max(np.diff(places)) <= 2 * len(order) / len(others)
    assert largest not in person.shown
    assert len(set(person.shown)) == len(person.shown)


def test_copied_rows_are_rows_of_a_keep_list(inputs: ReportInputs, text: str, tmp_path: Path) -> None:
    page = Page(text)
    assert HEADER in [code for _, code in page.of("code")]
    # Rows that keep and rows that drop the same contradict each other by design: each half is a list.
    for decision in ("keep", "drop"):
        keep_list = tmp_path / f"{decision}.tsv"
        chosen = [row for row in rows_of(page) if row.startswith(decision)]
        keep_list.write_text("\n".join([HEADER, *chosen]) + "\n")
        rows = read_keep_list(keep_list)
        assert len(rows) == len(chosen) > 0
        assert {row.scope for row in rows} == {"cluster", "track", "face"}
        assert {row.box for row in rows} == {(200, 80, 120, 150)}
        clusters = read_table(inputs.clusters, CLUSTERS).to_pandas()
        sizes = clusters.groupby("cluster").size().to_dict()
        assert {row.face: row.reach for row in rows if row.scope == "cluster"} == sizes
        lengths = clusters.groupby("track").size()
        track_of = clusters.set_index("face_id")["track"]
        assert all(row.reach == lengths[track_of[row.face]] for row in rows if row.scope == "track")


def test_whoever_is_kept_has_a_row_however_many_people_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "PEOPLE_IN_FULL", 2)
    monkeypatch.setattr(sheets, "PEOPLE_LISTED", 3)
    inputs = Inputs(tmp_path, {"film": 40}, people=12).write()
    # One of the smallest clusters is kept.
    manifest = read_table(inputs.manifests["main"], MANIFEST)
    smallest = min(cluster for cluster in manifest["cluster"].to_pylist() if cluster > "film/000020_0")
    kept = [cluster == smallest for cluster in manifest["cluster"].to_pylist()]
    report_table = manifest.set_column(
        manifest.column_names.index("kept"), arrow_schema(MANIFEST).field("kept"), [kept]
    )
    write_table(inputs.manifests["main"], MANIFEST, {n: report_table[n] for n in report_table.column_names})
    page = Page(written(tmp_path, inputs))
    assert len(list(page.of("article"))) == 2
    assert any(row.startswith(f"keep\tcluster\t{smallest}\t") for row in rows_of(page))
    assert "no face is kept, is only in the table of clusters" in "".join(t for _, t in page.of("section"))


def test_what_strangers_wrote_is_shown_and_never_run(tmp_path: Path) -> None:
    given = Inputs(
        tmp_path,
        {"film": 12},
        rights=HARM,
        notices=[Notice("moved_row", face=HARM, lines=(3,), meant=HARM)],
        problems=[Problem("note", HARM, note=HARM)],
        row_note=HARM,
    ).write()
    harmless = written(tmp_path, given)
    page = Page(harmless)
    assert len(list(page.of("script"))) == 1
    assert "<script>alert" not in harmless
    assert any(HARM in content for _, content in page.of("li"))
    assert any(HARM in content for _, content in page.of("td"))


def test_warnings_come_before_all_else_and_contradictions_first(tmp_path: Path) -> None:
    given = Inputs(
        tmp_path,
        {"film": 12, "other": 4},
        facesets=("main", "second"),
        rights="  ",
        notices=[
            Notice("policy", "none"),
            Notice("contradiction", face="film/000001_0", lines=(2, 5), decisions=("keep", "drop"), faces=("a", "b")),
        ],
        problems=[Problem("bad_face", f"{number:06d}", 0, problem="not_finite") for number in range(25)],
    ).write()
    content = written(tmp_path, given)
    warnings, _, rest = content.partition('<section id="counts"')
    assert warnings.index("contradiction") < warnings.index("policy")
    assert "film, other: say in the column" in warnings
    assert "main and second both keep 5 faces" in warnings
    assert "and 15 more" in warnings
    assert rest


def test_nothing_to_warn_about_is_said(text: str) -> None:
    assert "None: no notices" in text


def test_a_project_without_a_single_face_has_a_report(tmp_path: Path) -> None:
    content = written(tmp_path, Inputs(tmp_path, {"film": 0}).write())
    assert "Nobody yet" in content
    assert "0 of 0 faces kept" in content


def test_a_person_of_one_face_is_shown(tmp_path: Path) -> None:
    content = written(tmp_path, Inputs(tmp_path, {"film": 1}).write())
    assert "1 face in 1 track" in content
    assert not list(Page(content).of("details", "face"))


def test_chips_that_do_not_belong_to_the_clusters_are_refused(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path / "one", {"film": 12}).write()
    chips = Inputs(tmp_path / "two", {"film": 4}).write().chips["film"]
    mixed = replace(inputs, sources={"film": replace(inputs.sources["film"], chips=chips)})
    with pytest.raises(FacesetError, match="no chip shows film/"):
        written(tmp_path, mixed)


def test_a_chip_that_is_no_picture_is_named(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path, {"film": 4}, chip=str.encode).write()
    with pytest.raises(FacesetError, match=r"chips\.parquet: film/00000\d_0: its chip is no readable picture"):
        written(tmp_path, inputs)


def test_dropped_faces_are_greyed_among_kept_ones_only(inputs: ReportInputs, text: str) -> None:
    manifest = read_table(inputs.manifests["main"], MANIFEST).to_pandas().set_index("face_id")
    greyed = set(re.findall(r'<details class="face[^"]*left-out[^>]*>\s*<summary><img [^>]*alt="Face ([^", ]+)', text))
    assert greyed
    assert not manifest.loc[sorted(greyed), "kept"].any()
    assert manifest.loc[sorted(greyed), "cluster"].nunique() == 1


def test_people_that_may_be_one_are_shown_side_by_side(inputs: ReportInputs, tmp_path: Path) -> None:
    page = written(tmp_path, inputs)
    assert "Maybe the same person" in page
    assert "0.65 apart" in page


def test_a_person_that_may_be_two_is_shown_with_the_other_face_and_its_rows(inputs: ReportInputs, text: str) -> None:
    (candidate,) = read_table(inputs.split_candidates, SPLIT_CANDIDATES).to_pylist()
    (shown,) = [content for attributes, content in Page(text).of("ul", "split-candidates")]
    assert f"{candidate['faces']} of 100 faces may be another person" in " ".join(shown.split())
    assert "0.55 apart" in shown
    assert [line.split("\t")[:3] for line in shown.splitlines() if "\t" in line] == [
        [decision, scope, candidate["face"]] for decision in ("drop", "keep") for scope in ("face", "track")
    ]
    assert f'alt="Maybe another person, {candidate["face"]}"' in text


def test_an_outlier_tells_which_person_it_is_nearest_to_but_for_its_own(inputs: ReportInputs, text: str) -> None:
    titles = [attributes["title"] or "" for attributes, _ in Page(text).of("img") if "title" in attributes]
    told = dict(title.split(": ") for title in titles if ": " in title)
    clusters = read_table(inputs.clusters, CLUSTERS).to_pandas().set_index("face_id")
    ranks = {cluster: rank for rank, cluster in enumerate(People(inputs.clusters, {}).sizes, 1)}
    assert told
    assert told == {
        face: f"0.70 from its person, 0.90 from person {ranks[clusters.loc[face, 'next_cluster']]}, the next"
        for face in told
    }
    assert clusters.loc[list(told), "outlier"].all()


def test_the_histogram_counts_every_face_and_marks_the_limit(tmp_path: Path) -> None:
    given = Inputs(tmp_path, {"film": 40}).write()
    found = histogram(given.clusters, 0.6)
    assert found is not None
    assert (found.faces, found.beyond, found.within) == (40, 2, 0)
    # 0.9 is the largest distance: 30 bins of 0.03, the limit at the end of the twentieth.
    assert found.end == pytest.approx(0.9, abs=0.04)
    assert found.limit_x / found.width == pytest.approx(0.6 / found.end)
    bars = {int(x): int(height) for x, height in re.findall(r"M(\d+) \d+v-(\d+)", found.own)}
    assert sorted(x * found.end / found.width for x in bars) == pytest.approx([0.3, 0.69], abs=0.031)
    assert bars[min(bars)] / bars[max(bars)] == pytest.approx(38 / 2, rel=0.2)


def test_distances_far_beyond_the_limit_stay_in_the_picture(tmp_path: Path) -> None:
    found = histogram(Inputs(tmp_path, {"film": 40}).write().clusters, 0.01)
    assert found is not None
    assert found.width == MOST_BINS * BIN_WIDTH
    assert f"M{found.width - BIN_WIDTH} " in found.own


def test_the_next_settings_are_told_in_words(text: str) -> None:
    (distances,) = [" ".join(content.split()) for at, content in Page(text).of("section") if at["id"] == "distances"]
    assert "Looser, 0.4: 1 person would be merged with another: person 4 with 1." in distances
    assert "Stricter, 0.6: 1 person would be split: person 1." in distances


def test_there_is_nothing_stricter_than_one_and_ward_is_not_foretold(tmp_path: Path) -> None:
    given = Inputs(tmp_path / "one", {"film": 12}).write()
    strictest = written(tmp_path, given, replace(SETTINGS, strictness=1))
    assert "Looser, 0.9" in strictest
    assert "Stricter" not in strictest
    ward = written(tmp_path, given, replace(SETTINGS, method="ward"))
    assert "is not foretold" in ward
    assert "Looser" not in ward


def test_with_a_reference_the_nearest_people_come_first(tmp_path: Path) -> None:
    given = Inputs(tmp_path, {"film": 40}, references=("main",)).write()
    page = Page(written(tmp_path, given))
    nearest_first = read_table(given.nearness["main"], NEARNESS)["cluster"].to_pylist()
    assert [name.strip() for _, name in page.of("p", "id")] == nearest_first
    assert next(page.of("article"))[1].count("0.25 from the reference of main") == 1
    assert "nearest to the reference photos of main" in "".join(content for _, content in page.of("p"))
