"""Promises of a folder in which another workflow imports this one twice, under two prefixes, over one store."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.project import Project, load_project
from faceset.stages.graph import all_instances, records_read
from faceset.stages.table import STAGES
from faceset.upkeep.forget import forget
from faceset.upkeep.gc import collect
from faceset.workflow.jobs import run_stage
from faceset.workflow.priming import prime
from faceset.workflow.roots import Root, records_of, root_of, roots
from faceset.workflow.rule_jobs import FAILURE, failures_since
from factory import CONFIG, log_of, run_job, write_project
from two_sources import CONFIG as CONFIG_OF_TWO
from two_sources import everything

pytest_plugins = ("two_sources",)

PHOTOS = ("source", "photos")


def project_a() -> Project:
    """Both sources and both facesets, below a/."""
    return load_project(CONFIG_OF_TWO, "a/")


def project_b() -> Project:
    """The source `photos` and its faceset alone, below b/."""
    Path("config/sources_b.tsv").write_text("source\tframes\talignments\trights\nphotos\tphotos\t\tmade up\n")
    return load_project({**CONFIG, "sources": "config/sources_b.tsv"}, "b/")


def run_all(of: Project) -> list[str]:
    """Run every stage; returns the records of those that were computed."""
    return [
        stage.record.format(**instance)
        for stage, instance in all_instances(of)
        if run_stage(of, stage.name, **instance)
    ]


@pytest.fixture
def both(folder: Path) -> Path:
    """A folder with results of both below their prefixes, and none without."""
    shutil.rmtree(folder / "results")
    shutil.rmtree(folder / "store" / "roots")
    for of in (project_a(), project_b()):
        run_all(of)
        prime(of)
    return folder


def shown(results: str) -> dict[str, bytes]:
    """What lies in a folder of results, of links the digest; without ledgers of assembled folders, which have times."""
    return {
        path: Path(os.fsdecode(data)).name.encode() if Path(results, path).is_symlink() else data
        for path, data in everything(Path(results)).items()
        if not path.endswith(".faces.json")
    }


def test_all_results_lie_below_the_prefix_and_are_those_of_a_project_without_one(folder: Path) -> None:
    assert run_all(project_a()) == [], "the store knows all of it"
    assert shown("a/results") == shown("results")
    for link in (folder / "a").rglob("*.parquet"):
        assert link.is_file()
    assert [path.name for path in (folder / "a").iterdir()] == ["results"]


@pytest.mark.usefixtures("both")
def test_each_primes_its_own_results_and_leaves_the_others() -> None:
    before = {prefix: shown(f"{prefix}/results") for prefix in ("a", "b")}
    assert "more/frames.json" in before["a"]
    assert "more/frames.json" not in before["b"]
    for of in (project_b(), project_a(), replace(project_b(), prefix="")):
        assert prime(of).missing == 0
        assert {prefix: shown(f"{prefix}/results") for prefix in ("a", "b")} == before
    shutil.rmtree("b/results")
    assert prime(project_b()).known == 0
    assert {prefix: shown(f"{prefix}/results") for prefix in ("a", "b")} == before


@pytest.mark.usefixtures("both")
def test_an_edit_takes_back_the_results_of_the_one_that_reads_it() -> None:
    before = shown("b/results")
    Path("config/keep_a").mkdir()
    Path("config/keep_a/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/b_0\n")
    edited = load_project({**CONFIG_OF_TWO, "keep_lists": "config/keep_a"}, "a/")
    prime(edited)
    assert not Path("a/results/facesets/main/manifest.json").exists()
    assert shown("b/results") == before


def test_each_is_a_root_of_the_store_with_the_records_below_its_prefix(both: Path) -> None:
    assert roots(Path("store")) == [Root(both, "a/"), Root(both, "b/")]
    for of in (project_a(), project_b()):
        paths = {record.path for record in records_of(root_of(of))}
        assert paths == {both / of.path(stage.record.format(**instance)) for stage, instance in all_instances(of)}
        for stage, instance in all_instances(of):
            assert {both / of.path(record) for record in records_read(of, stage, instance)} <= paths


def test_garbage_collection_keeps_what_either_names(both: Path) -> None:
    said: list[str] = []
    before = everything(both / "store")
    collect(project_a().store, 0, False, said.append)
    assert {f"  {both}/a", f"  {both}/b"} <= set(said)
    for of in (project_a(), project_b()):
        assert prime(of).missing == 0
    shutil.rmtree("a/results")
    collect(project_a().store, 0, False, said.append)
    assert prime(project_b()).missing == 0
    assert prime(project_a()).missing > 0
    assert len(everything(both / "store")) < len(before)


def test_what_the_other_has_too_is_forgotten_only_if_that_is_meant(both: Path) -> None:
    before = everything(both)
    for of, other in ((project_a(), "b"), (project_b(), "a")):
        with pytest.raises(
            FacesetError, match=rf"other working directories have results of it: {both}/{other}\..*--everywhere"
        ):
            forget(of.store, root_of(of), PHOTOS, everywhere=False, dry_run=False, say=print)
    assert {**everything(both), "store/lock": b""} == {**before, "store/lock": b""}
    of = project_a()
    forget(of.store, root_of(of), PHOTOS, everywhere=True, dry_run=False, say=print)
    for prefix in ("a", "b"):
        assert not Path(prefix, "results/photos").exists()
        assert not list(Path(prefix).glob("results/facesets/*/faces/photos--*"))
    assert Path("a/results/more/frames.json").is_file()
    assert Path("photos/a.png").is_file()


def test_what_one_alone_has_is_forgotten_and_the_other_keeps_all_of_its_own(both: Path) -> None:
    before = shown("b/results")
    of = project_a()
    forget(of.store, root_of(of), ("source", "more"), everywhere=False, dry_run=False, say=print)
    assert not (both / "a/results/more").exists()
    assert shown("b/results") == before
    assert prime(project_b()).missing == 0


def test_a_job_below_a_prefix_logs_and_fails_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    assert "done" in run_job("frames", prefix="a/")
    assert (tmp_path / "a" / STAGES["frames"].record.format(source="photos")).is_file()
    assert not (tmp_path / "results").exists()
    (tmp_path / "photos" / "alignments.fsa").write_bytes(b"nonsense")
    with pytest.raises(SystemExit):
        run_job("ingest", prefix="a/")
    of = load_project(CONFIG, "a/")
    assert [failure.job for failure in failures_since(of.path("logs"), 0)] == ["ingest photos"]
    assert failures_since(Path("b/logs"), 0) == failures_since(Path("logs"), 0) == []
    log = log_of("ingest", "a/")
    assert log.with_name(log.name + FAILURE).is_file()
