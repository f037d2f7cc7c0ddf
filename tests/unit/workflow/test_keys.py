"""Promises of keys: what they depend on, and what they do not."""

import os
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from faceset.code.digests import CodeDigests
from faceset.project.project import Project
from faceset.stages import code
from faceset.stages.graph import all_instances
from faceset.stages.stage import NotMadeYetError
from faceset.stages.table import STAGES
from faceset.store.actions import Action, Artifact
from faceset.workflow.keys import plan_step
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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a small project."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def made_up(record: str) -> Action:
    """The record of some target, as if it had been made."""
    digit = string.hexdigits[len(record) % 16]
    names = [name for stage in STAGES.values() for name in stage.outputs]
    return Action({name: Artifact(digit * 64, 1) for name in names}, "cpu")


def keys(of: Project) -> dict[str, str]:
    """The key of the first instance of every stage, the footage having been looked at."""
    learn_footage(of)
    found: dict[str, str] = {}
    for stage, instance in all_instances(of):
        found.setdefault(stage.name, plan_step(of, stage, instance, made_up).key)
    return found


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


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
def test_a_key_changes_with_every_input_with_the_model_and_with_settings() -> None:
    of, instance = project(), {"source": "photos"}
    step = plan_step(of, STAGES["embed"], instance, made_up)
    assert set(step.inputs) == {"chips", "faces"}
    assert step.inputs["chips"][0][1] != step.inputs["faces"][0][1]
    found = {step.key}
    for name, entries in step.inputs.items():
        other = [(entries[0][0], Artifact("f" * 64, 1))]
        found.add(replace(step, inputs={**step.inputs, name: other}).key)
        elsewhere = [({"source": "other"}, entries[0][1])]
        found.add(replace(step, inputs={**step.inputs, name: elsewhere}).key)
    found.add(replace(step, inputs={"chips": step.inputs["faces"], "faces": step.inputs["chips"]}).key)
    found.add(replace(step, models={"dlib_resnet_v1": "0" * 64}).key)
    found.add(replace(step, settings={"x": 1}).key)
    assert len(found) == 8


@pytest.mark.usefixtures("folder")
def test_the_instance_itself_is_no_part_of_a_key() -> None:
    step = plan_step(project(), STAGES["track"], {"source": "photos"}, made_up)
    assert replace(step, instance={"source": "other"}).key == step.key


@pytest.fixture
def _fresh_code() -> Iterator[None]:
    """Code is looked at again, now and afterwards."""
    code.code_of_function.cache_clear()
    yield
    code.code_of_function.cache_clear()


@pytest.mark.usefixtures("folder", "_fresh_code")
def test_a_key_changes_with_the_versions_of_libraries_that_its_code_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys(project())
    version = code.library_version
    monkeypatch.setattr(code, "library_version", lambda name: "0" if name == "scipy" else version(name))
    code.code_of_function.cache_clear()
    assert changed(before, keys(project())) == {"embed", "track", "cluster", "crate"}


@pytest.mark.usefixtures("folder", "_fresh_code")
@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("faceset.crops.chips", {"crop"}),
        ("faceset.stages.track:compute", {"track"}),
        ("faceset.geometry.boxes", {"track", "manifest", "report"}),
        ("report/page.css", {"report"}),
    ],
)
def test_a_key_changes_with_code_and_data_and_the_crate_tells_of_all_that_are_before_it(
    monkeypatch: pytest.MonkeyPatch, module: str, expected: set[str]
) -> None:
    before = keys(project())
    real = code.code_of

    def edited(start: str, function: str) -> CodeDigests:
        found = real(start, function)
        modules, data = (
            {name: "0" if name == module else digest for name, digest in digests.items()}
            for digests in (found.modules, found.data)
        )
        return replace(found, modules=modules, data=data)

    monkeypatch.setattr(code, "code_of", edited)
    code.code_of_function.cache_clear()
    assert changed(before, keys(project())) == expected | ({"crate"} if expected - {"report"} else set())


@pytest.mark.usefixtures("folder")
def test_embeddings_from_alignments_read_no_chips_and_run_no_model() -> None:
    of = project(identity={"model": "vggface2", "embeddings": "from-alignments"})
    step = plan_step(of, STAGES["embed"], {"source": "photos"}, made_up)
    assert set(step.inputs) == {"faces", "alignments"}
    assert step.settings == {"source": "photos", "name": "vggface2", "dimensions": 512, "metric": "cosine"}
    assert not step.models
    assert of.identity.threshold == 0.4
    assert changed(keys(project()), keys(of)) - {"crate", "report"} == {"embed", "track", "cluster"}


def test_a_reference_changes_the_keys_of_its_faceset_alone(folder: Path) -> None:
    facesets = {"main": CONFIG["facesets"]["main"], "other": {"reference": "wanted"}}
    write_pictures(folder / "wanted", ("1.png", "2.png"))
    of = project(facesets=facesets)
    assert keys(of)["manifest"] == keys(project())["manifest"]
    before = keys(of)
    write_pictures(folder / "wanted", ("0.png", "2.png"))
    assert changed(before, keys(project(facesets=facesets))) == {"reference"}
