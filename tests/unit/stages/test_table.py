"""Promises of the table of stages, and of the keys that are made from it."""

import ast
import functools
import importlib.metadata
import os
import re
import shutil
import string
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from faceset.code_digest import _path, reachable_modules
from faceset.errors import FacesetError
from faceset.project.project import REPOSITORY, Project
from faceset.stages import table as stages
from faceset.stages.settings import NotMadeYetError, Where
from faceset.stages.table import STAGES, Stage
from faceset.store.objects import Action, Artifact
from faceset.workflow import keys as steps
from faceset.workflow.keys import all_steps, plan_step
from factory import (
    CONFIG,
    PICTURES,
    face,
    learn_footage,
    project,
    write_alignments,
    write_pictures,
    write_project,
    write_sources,
)

# What only checks settings and manifests; it never touches a result.
SETTINGS_LIBRARIES = {"pydantic", "PyYAML"}
each_stage = pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a small project."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def made_up(record: str) -> Action:
    """The record of some target, as if it had been made."""
    digit = string.hexdigits[len(record) % 16]
    names = [name for stage in STAGES.values() for name in stage.makes]
    return Action({name: Artifact(digit * 64, 1) for name in names}, "cpu")


def keys(of: Project) -> dict[str, str]:
    """The key of the first instance of every stage, the footage having been looked at."""
    learn_footage(of)
    found: dict[str, str] = {}
    for stage, where in all_steps(of):
        found.setdefault(stage.name, plan_step(of, stage, where, made_up).key)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


@functools.cache
def package_providers() -> Mapping[str, list[str]]:
    """Which installed packages give a top-level module."""
    return importlib.metadata.packages_distributions()


def imported_packages(module: str) -> set[str]:
    """The installed packages that a library module imports."""
    names = set()
    for node in ast.walk(ast.parse(_path(module).read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    providers = package_providers()
    found = {providers[top][0] for name in names if (top := name.partition(".")[0]) in providers}
    return {name.removesuffix("-gpu") for name in found - {"faceset"}}


@each_stage
def test_a_stage_reads_only_what_stands_above_it(stage: Stage) -> None:
    above = list(STAGES)[: list(STAGES).index(stage.name)]
    for what in stage.reads.values():
        name, _, output = what.partition(".")
        assert name in above
        assert output in STAGES[name].makes


@each_stage
def test_a_stage_has_a_rule_and_a_script_of_its_name(stage: Stage) -> None:
    rule = (REPOSITORY / "rules" / f"{stage.name}.smk").read_text()
    for line in (f"rule {stage.name}:", f'inputs_of("{stage.name}")', f'outputs_of("{stage.name}")'):
        assert line in rule
    assert f'"../scripts/{stage.name}.py"' in rule
    assert (REPOSITORY / "scripts" / f"{stage.name}.py").is_file()
    assert f'include: "rules/{stage.name}.smk"' in (REPOSITORY / "Snakefile").read_text()
    assert (f'gpu_of("{stage.name}")' in rule) == stage.gpu
    assert f'"{stage.benchmark}"' in rule


def test_no_two_stages_write_one_file() -> None:
    paths = [path for stage in STAGES.values() for path in (stage.record, *stage.links.values())]
    assert len(set(paths)) == len(paths)


@each_stage
def test_all_code_that_a_script_calls_is_part_of_the_key(stage: Stage) -> None:
    text = (REPOSITORY / "scripts" / f"{stage.name}.py").read_text()
    called = set(re.findall(r"from (faceset\.\w+) import", text)) - {"faceset.workflow.jobs", "faceset.project.project"}
    assert called <= set(reachable_modules(stage.module))


@each_stage
def test_all_libraries_that_a_stage_s_code_imports_are_part_of_the_key(stage: Stage) -> None:
    used = set().union(*(imported_packages(module) for module in reachable_modules(stage.module)))
    assert used - SETTINGS_LIBRARIES <= set(stage.libraries)


@each_stage
def test_a_script_uses_the_names_that_its_stage_declares(stage: Stage) -> None:
    text = (REPOSITORY / "scripts" / f"{stage.name}.py").read_text()
    named: Any = set(re.findall(r'job\.(output|file)\("(\w+)"\)', text))
    assert {name for kind, name in named if kind == "output"} == set(stage.makes)
    assert {name for kind, name in named if kind == "file"} <= {"alignments", "keep_list"}
    assert set(re.findall(r'job\.input\w*\((?:"\w+", )?"(\w+)"\)', text)) <= set(stage.reads)


@pytest.mark.usefixtures("folder")
def test_a_step_stands_after_all_that_it_reads() -> None:
    of = project(facesets={"main": {}, "other": {"sources": ["photos"]}})
    met: set[str] = set()
    for stage, where in all_steps(of):
        records = {
            other.record.format(**instance)
            for entries in stage.reads_of(of, where).values()
            for other, instance, _ in entries
        }
        assert records <= met
        met.add(stage.record.format(**where))
    assert "results/facesets/other/photos/extract.json" in met
    assert not any("detect" in record for record in met)


@pytest.mark.usefixtures("folder")
def test_without_alignments_faces_are_detected_and_ingested() -> None:
    Path("photos/alignments.fsa").unlink()
    of, where = project(), {"source": "photos"}
    assert list(STAGES["detect"].instances(of)) == [where]
    assert STAGES["ingest"].record_inputs(of, where) == ["results/photos/frames.json", "results/photos/detect.json"]


def test_keys_do_not_depend_on_where_things_are_nor_on_device_nor_on_the_order_of_settings(folder: Path) -> None:
    before = keys(project())
    assert keys(project(device="cpu", store="elsewhere")) == before
    assert keys(project(**dict(reversed(list({"cluster": {"strictness": None}, "identity": {}}.items()))))) == before
    (folder / "photos").rename(folder / "moved")
    write_sources(folder, str(folder / "moved"))
    assert keys(project()) == before


def test_a_touched_keep_list_or_alignments_file_changes_no_key(folder: Path) -> None:
    before = keys(project())
    for name in ("alignments.fsa", "a.png"):
        os.utime(folder / "photos" / name, ns=(1, 1))
        assert keys(project()) == before


@pytest.mark.usefixtures("folder")
def test_a_setting_changes_the_keys_of_its_stages_alone() -> None:
    before = keys(project())
    main = CONFIG["facesets"]["main"]
    for changes, expected in (
        ({"cluster": {"strictness": 0.6}}, {"cluster"}),
        ({"facesets": {"main": {**main, "policy": "none"}}}, {"manifest"}),
        ({"facesets": {"main": {**main, "filters": {"min_blur": 1}}}}, {"manifest"}),
        ({"facesets": {"main": {**main, "extract": {"size_px": 128}}}}, {"extract"}),
    ):
        assert changed(before, keys(project(**changes))) - {"report"} == {*expected, "crate"}


def test_the_users_files_change_the_keys_of_the_stages_that_read_them(folder: Path) -> None:
    before = keys(project())
    write_alignments(folder, {name: [face(x=21)] for name in PICTURES})
    assert changed(before, edited := keys(project())) == {"ingest", "crate"}
    (folder / "config" / "keep").mkdir()
    (folder / "config" / "keep" / "main.tsv").write_text("")
    assert changed(edited, kept := keys(project())) == {"manifest", "crate"}
    (folder / "photos" / "a.png").write_bytes((folder / "photos" / "b.png").read_bytes())
    assert changed(kept, keys(project())) == {"frames"}


def test_a_renamed_video_changes_names_alone(folder: Path) -> None:
    (folder / "film.mp4").write_bytes(b"as good as a film, as long as nobody looks")
    write_sources(folder, "film.mp4")
    before = keys(project())
    (folder / "film.mp4").rename(folder / "cut 2.mp4")
    write_sources(folder, "cut 2.mp4")
    assert changed(before, keys(project())) == {"clean"}


def test_footage_that_nobody_looked_at_is_yet_to_be_listed(folder: Path) -> None:
    of = project()
    with pytest.raises(NotMadeYetError):
        plan_step(of, STAGES["frames"], {"source": "photos"}, made_up)
    keys(of)
    (folder / "photos" / "a.png").write_bytes(b"another")
    with pytest.raises(NotMadeYetError):
        plan_step(of, STAGES["frames"], {"source": "photos"}, made_up)


@pytest.mark.usefixtures("folder")
def test_a_key_changes_with_every_input_and_with_the_model() -> None:
    of, where = project(), {"source": "photos"}
    step = plan_step(of, STAGES["embed"], where, made_up)
    assert set(step.inputs) == {"chips", "faces"}
    found = {step.key}
    for name, entries in step.inputs.items():
        other = [(entries[0][0], Artifact("f" * 64, 1))]
        found.add(replace(step, inputs={**step.inputs, name: other}).key)
    found.add(replace(step, inputs={"chips": step.inputs["faces"], "faces": step.inputs["chips"]}).key)
    found.add(replace(step, models={"dlib_resnet_v1": "0" * 64}).key)
    found.add(replace(step, where={"source": "other"}, params={"x": 1}).key)
    assert len(found) == (6 if step.inputs["chips"][0][1] != step.inputs["faces"][0][1] else 5)


@pytest.mark.usefixtures("folder")
def test_a_key_changes_with_code_script_and_library_versions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = keys(project())
    version = steps._version
    monkeypatch.setattr(steps, "_version", lambda name: "0" if name == "scipy" else version(name))
    assert changed(before, keys(project())) == {"embed", "track", "cluster", "crate"}
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(stages, "code_digests", lambda module: {module: str(module == "faceset.crops.chips")})
    monkeypatch.setattr(stages, "_script_digest", str)
    some = keys(project())
    monkeypatch.setattr(stages, "code_digests", lambda module: {module: "False"})
    assert changed(some, keys(project())) == {"crop", "crate"}
    monkeypatch.setattr(stages, "_script_digest", lambda name: name + str(name == "track"))
    others = keys(project())
    monkeypatch.setattr(stages, "_script_digest", lambda name: name + "False")
    assert changed(others, keys(project())) == {"track", "crate"}


@pytest.mark.usefixtures("folder")
def test_embeddings_from_alignments_read_no_chips_and_run_no_model() -> None:
    stage, where = STAGES["embed"], {"source": "photos"}
    of = project(identity={"model": "vggface2", "embeddings": "from-alignments"})
    step = plan_step(of, stage, where, made_up)
    assert set(step.inputs) == {"faces", "alignments"}
    assert step.params == {"source": "photos", "name": "vggface2", "dimensions": 512, "metric": "cosine"}
    assert not step.models
    assert of.identity.threshold == 0.4
    assert changed(keys(project()), keys(of)) - {"crate", "report"} == {"embed", "track", "cluster"}


def test_a_reference_is_read_by_the_facesets_that_have_one_alone(folder: Path) -> None:
    facesets = {"main": CONFIG["facesets"]["main"], "other": {"reference": "wanted"}}
    with pytest.raises(FacesetError, match=r"facesets\.other\.reference is 'wanted', and there is no such folder"):
        project(facesets=facesets)
    (folder / "wanted").mkdir()
    with pytest.raises(FacesetError, match="wanted: no pictures in it"):
        project(facesets=facesets)
    write_pictures(folder / "wanted", ("1.png", "2.png"))
    of = project(facesets=facesets)
    for stage in ("reference", "nearness"):
        assert list(STAGES[stage].instances(of)) == [{"faceset": "other"}]
    assert STAGES["reference"].record_inputs(of, {"faceset": "other"}) == ["wanted/1.png", "wanted/2.png"]
    assert "nearness" not in STAGES["manifest"].reads_of(of, {"faceset": "main"})
    assert "nearness" in STAGES["manifest"].reads_of(of, {"faceset": "other"})
    assert keys(of)["manifest"] == keys(project())["manifest"]
    before = keys(of)
    write_pictures(folder / "wanted", ("0.png", "2.png"))
    assert changed(before, keys(project(facesets=facesets))) == {"reference"}
    of_vectors = {"embeddings": "from-alignments", "model": "vggface2"}
    with pytest.raises(FacesetError, match=r"reference needs a model that embeds its photos.*none called 'vggface2'"):
        project(facesets=facesets, identity=of_vectors)


def test_facesets_of_some_sources_read_those_alone(folder: Path) -> None:
    shutil.copytree(folder / "photos", folder / "more")
    with (folder / "config" / "sources.tsv").open("a") as file:
        file.write("more\tmore\t\tmade up\n")
    of = project(facesets={"all": {}, "one": {"sources": ["more"]}})
    manifest: Where = {"faceset": "one"}
    assert [where for _, where, _ in STAGES["manifest"].reads_of(of, manifest)["faces"]] == [{"source": "more"}]
    assert [where for _, where, _ in STAGES["cluster"].reads_of(of, {})["faces"]] == [
        {"source": "photos"},
        {"source": "more"},
    ]
    assert list(STAGES["extract"].instances(of)) == [
        {"faceset": "all", "source": "photos"},
        {"faceset": "all", "source": "more"},
        {"faceset": "one", "source": "more"},
    ]
