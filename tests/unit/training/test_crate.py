"""Promises of a faceset's crate: what went in and came out, by digest, in the same bytes everywhere."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rocrate.rocrate import ROCrate

from faceset.digests import file_digest
from faceset.project.project import REPOSITORY
from faceset.training.crate import FACES
from faceset.workflow.priming import prime
from two_sources import current, run_all

pytest_plugins = ("two_sources",)

MAIN = Path("results/facesets/main")
CRATE = MAIN / "ro-crate-metadata.json"


def entities() -> dict[str, dict[str, Any]]:
    return {entity["@id"]: entity for entity in json.loads(CRATE.read_text())["@graph"]}


def run_of(graph: dict[str, dict[str, Any]], side: str) -> list[dict[str, Any]]:
    """What went into the run (`object`), or came out (`result`)."""
    return [graph[reference["@id"]] for reference in graph["#run"][side]]


@pytest.mark.usefixtures("folder")
def test_what_came_out_is_named_by_its_path_and_digest() -> None:
    results = {entity["@id"]: entity for entity in run_of(entities(), "result")}
    assert set(results) == {
        FACES,
        "faceset.parquet",
        "manifest.parquet",
        "notices.parquet",
        *(
            f"{source}/{name}"
            for source in ("photos", "more")
            for name in ("alignments.fsa", "alignments.msgpack", "kept.parquet", "extracted.parquet")
        ),
    }
    for name, entity in results.items():
        assert (MAIN / name).exists()
        if name != FACES:
            assert entity["sha256"] == file_digest(MAIN / name)
            assert entity["contentSize"] == str((MAIN / name).stat().st_size)


@pytest.mark.usefixtures("folder")
def test_what_went_in_is_named_by_its_digest() -> None:
    Path("config/keep").mkdir()
    Path("config/keep/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/b_0\n")
    prime(current())
    run_all()
    given = {entity["name"]: entity for entity in run_of(entities(), "object")}
    assert given["alignments of photos"]["sha256"] == file_digest(Path("photos/alignments.fsa"))
    assert given["keep-list"]["sha256"] == file_digest(Path("config/keep/main.tsv"))
    assert given["clusters.parquet"]["sha256"] == file_digest(Path("results/clusters.parquet"))
    assert given["model dlib_resnet_v1"]["sha256"] == current().models["dlib_resnet_v1"].sha256
    assert given["footage of photos"]["@type"] == "Dataset"
    assert given["footage of photos"]["conditionsOfAccess"] == "made up"
    assert json.loads(given["extract"]["value"])["photos"]["size_px"] == 64


def test_it_says_nothing_of_time_or_place(folder: Path) -> None:
    text = CRATE.read_text()
    assert str(folder) not in text
    assert "datePublished" not in text
    assert "/photos/a.png" not in text


def test_elsewhere_and_later_it_has_the_same_bytes(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    before = CRATE.read_bytes()
    elsewhere = tmp_path / "somewhere" / "else"
    elsewhere.mkdir(parents=True)
    for name in ("photos", "more", "config"):
        shutil.copytree(folder / name, elsewhere / name)
    monkeypatch.chdir(elsewhere)
    assert len(run_all()) > 20
    assert CRATE.read_bytes() == before


@pytest.mark.usefixtures("folder")
def test_the_library_reads_it_as_a_workflow_run_crate() -> None:
    shown = MAIN / "workflow.smk"
    assert shown.read_bytes() == (REPOSITORY / "Snakefile").read_bytes()
    crate = ROCrate(MAIN)
    assert crate.mainEntity["name"] == "Faceset"
    assert set(crate.mainEntity.type) == {"File", "SoftwareSourceCode", "ComputationalWorkflow"}
    profiles = {entity.id for entity in crate.root_dataset["conformsTo"]}
    assert "https://w3id.org/ro/wfrun/workflow/0.5" in profiles
    assert crate.get("#run")["instrument"] == crate.mainEntity
    assert crate.root_dataset["mentions"] == crate.get("#run")


@pytest.mark.usefixtures("folder")
def test_every_reference_leads_somewhere_and_data_hang_on_the_root() -> None:
    graph = entities()

    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            return {value["@id"]} if set(value) == {"@id"} else set().union(*map(references, value.values()))
        return set().union(*map(references, value)) if isinstance(value, list) else set()

    outside = {"https://w3id.org/ro/crate/1.1", "http://schema.org/CompletedActionStatus"}
    outside |= {"https://doi.org/10.1093/bioinformatics/bts480", "https://snakemake.readthedocs.io"}
    for entity in graph.values():
        assert references(entity) <= graph.keys() | outside
    data = {name for name, entity in graph.items() if {"File", "Dataset"} & set(as_list(entity["@type"]))}
    assert references(graph["./"]["hasPart"]) == data - {"./"}


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.usefixtures("folder")
def test_two_sources_with_the_same_footage_are_one_entity_with_both_names() -> None:
    shutil.rmtree("more")
    shutil.copytree("photos", "more")
    prime(current())
    run_all()
    names = {entity["name"] for entity in run_of(entities(), "object")}
    assert "footage of photos, more" in names
    assert "alignments of more, alignments of photos" in names
