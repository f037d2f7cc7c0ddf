"""Promises of the table of stages, of the rules that run them, and of who reads whom."""

import ast
import importlib
import inspect
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.project import REPOSITORY
from faceset.stages import detect, table
from faceset.stages.graph import all_instances, instances_of, reads_of, records_read, stages_before
from faceset.stages.stage import Instance, Stage
from faceset.stages.table import NO_STAGES, STAGES
from factory import CONFIG, project, write_pictures, write_project

ASKS_BY_NAME = ("discard_input", "files.get", "has", "input", "inputs", "output", "result")
each_stage = pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a small project."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def test_every_file_of_the_folder_is_the_stage_of_its_name_with_the_code_that_makes_it() -> None:
    files = {path.stem for path in Path(table.__file__).parent.glob("[!_]*.py")}
    assert set(STAGES) == files - NO_STAGES
    for name, stage in STAGES.items():
        module = importlib.import_module(f"faceset.stages.{name}")
        assert stage is module.STAGE
        assert stage.name == name
        assert stage.compute is module.compute


@each_stage
def test_a_stage_reads_only_what_stands_above_it(stage: Stage) -> None:
    above = list(STAGES)[: list(STAGES).index(stage.name)]
    for output in stage.inputs.values():
        assert output.stage.name in above
        assert output.stage is STAGES[output.stage.name]
        assert output.name in output.stage.outputs
    assert {output.stage.name for output in stage.inputs.values()} <= {other.name for other in stages_before(stage)}
    assert {other.name for other in stages_before(stage)} <= set(above)


def test_what_is_wanted_for_itself_is_read_by_nothing_and_all_else_is_read() -> None:
    read = {output.stage.name for stage in STAGES.values() for output in stage.inputs.values()}
    assert read == {name for name, stage in STAGES.items() if not stage.terminal}


@each_stage
def test_a_stage_has_a_rule_an_include_and_logs_of_its_name(stage: Stage) -> None:
    rule = (REPOSITORY / "rules" / f"{stage.name}.smk").read_text()
    lines = {line.strip() for line in rule.splitlines()}
    assert lines >= {
        f"rule {stage.name}:",
        f'inputs_of("{stage.name}"),',
        f'"{stage.log}",',
        f'"{stage.benchmark}"',
        f'**params_of("{stage.name}"),',
        '"../scripts/stage.py"',
        f'gpu=gpu_of("{stage.name}"),' if stage.gpu else "gpu=0,",
    }
    asked = re.findall(r"\w+_of\([^)]*\)", rule)
    assert f'outputs_of("{stage.name}")' in asked
    assert all(f'_of("{stage.name}")' in call for call in asked), "of no other stage"
    assert f'include: "rules/{stage.name}.smk"\n' in (REPOSITORY / "Snakefile").read_text()


def test_there_is_no_rule_of_a_stage_that_is_none() -> None:
    files = {path.stem for path in (REPOSITORY / "rules").glob("*.smk")}
    assert files - set(STAGES) == {"common", "shards"}
    included = re.findall(r'include: "rules/(\w+)\.smk"', (REPOSITORY / "Snakefile").read_text())
    assert sorted(included) == sorted(files)
    assert sorted(path.name for path in (REPOSITORY / "scripts").glob("*.py")) == ["stage.py"]


@pytest.mark.usefixtures("folder")
def test_exactly_the_stages_that_may_work_in_parts_have_a_rule_of_shards() -> None:
    text = (REPOSITORY / "rules" / "shards.smk").read_text()
    of_shards = dict(re.findall(r"use rule (\w+) as \1_shard with:(.*?)(?=\nuse|\Z)", text, re.DOTALL))
    assert set(of_shards) == {name for name, stage in STAGES.items() if stage.in_parts(project())}
    for name, body in of_shards.items():
        stage = STAGES[name]
        assert f'temp(STAGES["{name}"].shard)' in body
        for path in (stage.log, stage.benchmark):
            assert f'"{path.replace("{source}", "{source}.{shard}")}"' in body


def test_no_two_stages_write_one_file() -> None:
    paths = [path for stage in STAGES.values() for path in (stage.record, *stage.links.values(), stage.shard)]
    assert len(set(paths)) == len(paths)
    logs = [path for stage in STAGES.values() for path in (stage.log, stage.benchmark)]
    assert len(set(logs)) == len(logs)


def names_asked_for(stage: Stage) -> Iterator[tuple[str, str]]:
    """By which method a stage's file asks job or placement for something, and the name; also in a loop over names."""
    tree = ast.parse(inspect.getsource(importlib.import_module(stage.compute.__module__)))
    values = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension) and isinstance(node.iter, ast.Tuple):
            assert isinstance(node.target, ast.Name)
            values[node.target.id] = [*values.get(node.target.id, []), *map(ast.literal_eval, node.iter.elts)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args:
            argument, (of, _, method) = node.args[0], ast.unparse(node.func).partition(".")
            if of in ("job", "placement") and method in ASKS_BY_NAME:
                names = values[argument.id] if isinstance(argument, ast.Name) else [ast.literal_eval(argument)]
                yield from ((method, name) for name in names)


@each_stage
def test_a_stage_computes_with_the_names_that_it_declares(stage: Stage) -> None:
    asked = set(names_asked_for(stage))
    assert {name for method, name in asked if method == "output"} == set(stage.outputs)
    assert {name for method, name in asked if method == "result"} <= set(stage.outputs)
    read = {name for method, name in asked if method in ("input", "inputs", "has", "discard_input")}
    # What lies in its own folder, a crate tells without reading it.
    assert read == set(stage.inputs) or (stage.tells_code and read < set(stage.inputs))
    assert {name for method, name in asked if method == "files.get"} <= {"alignments", "keep_list"}


@pytest.mark.usefixtures("folder")
def test_an_instance_stands_after_all_that_it_reads() -> None:
    of = project(facesets={"main": {}, "other": {"sources": ["photos"]}})
    met: set[str] = set()
    for stage, instance in all_instances(of):
        records = {read.record for reads in reads_of(of, stage, instance).values() for read in reads}
        assert records <= met
        assert set(records_read(of, stage, instance)) == records
        met.add(stage.record.format(**instance))
    assert "results/facesets/other/photos/extract.json" in met
    assert not any("detect" in record for record in met)


@pytest.mark.usefixtures("folder")
def test_without_alignments_faces_are_detected_and_ingested() -> None:
    assert list(instances_of(project(), detect.STAGE)) == []
    Path("photos/alignments.fsa").unlink()
    of, instance = project(), {"source": "photos"}
    assert list(instances_of(of, detect.STAGE)) == [instance]
    assert records_read(of, STAGES["ingest"], instance) == ["results/photos/frames.json", "results/photos/detect.json"]
    assert STAGES["ingest"].files(of, instance) == {}


def test_a_reference_is_read_by_the_facesets_that_have_one_alone(folder: Path) -> None:
    facesets = {"main": CONFIG["facesets"]["main"], "other": {"reference": "wanted"}}
    with pytest.raises(FacesetError, match=r"facesets\.other\.reference is 'wanted', and there is no such folder"):
        project(facesets=facesets)
    (folder / "wanted").mkdir()
    with pytest.raises(FacesetError, match="wanted: no pictures in it"):
        project(facesets=facesets)
    write_pictures(folder / "wanted", ("1.png", "2.png"))
    of, other = project(facesets=facesets), {"faceset": "other"}
    for name in ("reference", "nearness"):
        assert list(instances_of(of, STAGES[name])) == [other]
    assert records_read(of, STAGES["reference"], other) == []
    assert list(map(str, STAGES["reference"].files(of, other).values())) == ["wanted/1.png", "wanted/2.png"]
    assert "nearness" not in reads_of(of, STAGES["manifest"], {"faceset": "main"})
    assert "nearness" in reads_of(of, STAGES["manifest"], other)
    of_vectors = {"embeddings": "from-alignments", "model": "vggface2"}
    with pytest.raises(FacesetError, match=r"reference needs a model that embeds its photos.*none called 'vggface2'"):
        project(facesets=facesets, identity=of_vectors)


def test_facesets_of_some_sources_read_those_alone(folder: Path) -> None:
    shutil.copytree(folder / "photos", folder / "more")
    with (folder / "config" / "sources.tsv").open("a") as file:
        file.write("more\tmore\t\tmade up\n")
    of = project(facesets={"all": {}, "one": {"sources": ["more"]}})
    one: Instance = {"faceset": "one"}
    assert [read.instance for read in reads_of(of, STAGES["manifest"], one)["faces"]] == [{"source": "more"}]
    assert [read.instance for read in reads_of(of, STAGES["cluster"], {})["faces"]] == [
        {"source": "photos"},
        {"source": "more"},
    ]
    assert list(instances_of(of, STAGES["extract"])) == [
        {"faceset": "all", "source": "photos"},
        {"faceset": "all", "source": "more"},
        {"faceset": "one", "source": "more"},
    ]
