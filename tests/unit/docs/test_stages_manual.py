"""The page on the stages tells all of them, and its picture can be read."""

import re
import xml.etree.ElementTree as ET

import pytest

from faceset.stages.table import STAGES
from faceset.tables.schema import Schema
from make import all_schemas
from stages_graph import FILL, HEIGHT, WIDTH, Node, drawn_reads, place, rule_graph
from stages_manual import BY_HAND, UNITS, other_values, stages_page, stages_picture

SVG = "{http://www.w3.org/2000/svg}"
WIDEST_LETTER_PX = {"name": 11, "small": 6, "small given": 6}


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """What the page says of each stage."""
    parts = stages_page().split("\n## ")[1:]
    return {part.partition("\n")[0]: part for part in parts}


def test_the_page_has_a_section_for_every_stage_with_all_it_reads_and_makes(sections: dict[str, str]) -> None:
    assert list(sections)[:-1] == list(STAGES)
    for name, stage in STAGES.items():
        for file in stage.outputs.values():
            assert f"`{file}`" in sections[name]
        for output in stage.inputs.values():
            assert f"[{output.stage.outputs[output.name]}](#{output.stage.name})" in sections[name]
        assert bool(re.search("reads the footage", sections[name])) == stage.footage
        assert ("asks for a GPU" in sections[name]) == stage.gpu


def test_every_table_that_a_stage_makes_is_described_under_its_name() -> None:
    described = {schema.name for schema in all_schemas() if isinstance(schema, Schema)}
    made = {file.removesuffix(".parquet") for stage in STAGES.values() for file in stage.outputs.values()}
    assert {name for name in made if "." not in name} <= described


def keys_of(section: str) -> set[str]:
    (line,) = [line for line in section.splitlines() if line.startswith("- depends on ")]
    return set(re.findall("`([^`]+)`", line)) - {"sources.tsv"}


def test_settings_are_told_where_keys_move(sections: dict[str, str]) -> None:
    assert keys_of(sections["detect"]) == {"detect.min_face_px", "alignments"}
    assert keys_of(sections["cluster"]) == {"identity.model", "cluster.strictness", "cluster.method", "duplicates"}
    assert "depends on" not in sections["crop"], "nothing but its inputs and code"
    assert keys_of(sections["manifest"]) >= {"facesets.{name}.policy", "facesets.{name}.filters.min_blur"}
    of_none = set(re.findall("`([^`]+)`", sections["Settings that no result depends on"]))
    assert of_none == {"sources", "keep_lists", "store", "device", "paranoid", "shards", "sources.tsv"}


def test_a_setting_whose_other_values_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert other_values("cluster.method") == ["ward"]
    assert other_values("facesets.{name}.policy") == ["all", "none"]
    for key in ("store", "facesets.{name}.filters.max_distance"):
        monkeypatch.delitem(BY_HAND, key)
        with pytest.raises(KeyError, match=key.rpartition(".")[2]):
            other_values(key)


def boxes(picture: ET.Element) -> list[tuple[int, int]]:
    found = [box for box in picture.iter(f"{SVG}rect") if box.get("width") == str(WIDTH)]
    return [(int(box.attrib["x"]), int(box.attrib["y"])) for box in found]


def test_the_picture_is_the_same_each_time_and_shows_every_stage_apart() -> None:
    text = stages_picture()
    assert text == stages_picture()
    picture = ET.fromstring(text)
    names = [line.text for line in picture.iter(f"{SVG}text") if line.get("class") == "name"]
    assert names == list(STAGES)
    corners = boxes(picture)
    assert len(corners) == len(STAGES)
    for one in corners:
        for other in corners:
            assert one == other or abs(one[0] - other[0]) > WIDTH or abs(one[1] - other[1]) > HEIGHT
    assert set(FILL) == set(UNITS.values())


def test_every_text_in_the_picture_fits_into_its_box() -> None:
    texts = [line for line in ET.fromstring(stages_picture()).iter(f"{SVG}text") if line.get("class")]
    for line in texts:
        assert len(line.text or "") * WIDEST_LETTER_PX[line.attrib["class"]] <= WIDTH - 20, line.text


def made_up(name: str, *reads: str, is_optional: bool = False) -> Node:
    return Node(name, (f"{name}.parquet",), "source", frozenset(reads), is_optional=is_optional)


NODES = [
    made_up("first"),
    made_up("maybe", "first", is_optional=True),
    made_up("second", "first", "maybe"),
    made_up("side", "second"),
    made_up("third", "first", "second"),
    made_up("last", "third", "maybe"),
]


def test_an_arrow_is_left_out_only_where_stages_that_always_run_imply_it() -> None:
    by_name = {node.name: node for node in NODES}
    drawn = {node.name: drawn_reads(node, by_name) for node in NODES}
    assert drawn["second"] == {"first", "maybe"}, "maybe may not be there"
    assert drawn["third"] == {"second"}
    assert drawn["last"] == {"third"}, "maybe comes before it whenever it is there"


def test_each_stands_below_all_that_it_reads_and_no_two_in_one_place() -> None:
    by_name = {node.name: node for node in NODES}
    arrows = [(start, node.name) for node in NODES for start in sorted(drawn_reads(node, by_name))]
    places = place(NODES, arrows)
    assert all(places[start][1] < places[end][1] for start, end in arrows)
    assert len(set(places.values())) == len(NODES)
    assert places["third"][0] < places["side"][0], "what leads on stays in the middle"


def test_the_picture_is_well_formed_whatever_a_stage_makes() -> None:
    ET.fromstring(rule_graph([Node("a<b", ("c&d.json",), "project", frozenset())]))
