"""Promises to workflows that import this one as a module, and to those who look for it where the catalog does."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from conftest import Run, all_bytes, snakemake
from faceset.project.project import REPOSITORY
from test_bad_input import make_project

SETTINGS = {"facesets": {"main": {"policy": "all", "extract": {"size_px": 64}}}}
IMPORTING = f"""
CONFIG = {SETTINGS}

rule all:
    input:
        "one/results/facesets/main/ro-crate-metadata.json",
        "two/results/facesets/main/faceset.parquet",
        "two/results/report.html",
        "counted.txt",

rule count:
    input:
        "one/results/facesets/main/faceset.parquet",
    output:
        "counted.txt",
    shell:
        "ls one/results/facesets/main/faces | wc -l > {{output}}"

module one:
    snakefile: "{REPOSITORY}/Snakefile"
    config: CONFIG
    prefix: "one"

use rule * from one as one_*

module two:
    snakefile: "{REPOSITORY}/Snakefile"
    config: {{**CONFIG, "keep_lists": "config/keep-two"}}
    prefix: "two"

use rule * from two as two_*
"""
OF_ONE = ("--prefix", "one/", "--config", "config/one.yaml")
"""What tells a command which of the two instances it is about."""
KEEP_NOTHING_OF_ONE = "decision\tscope\tface\ndrop\tface\tphotos/frame_000001_0\n"


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workflow that imports this one twice, not run yet."""
    folder = make_project(tmp_path_factory.mktemp("importing"))
    (folder / "Snakefile").write_text(IMPORTING)
    (folder / "config/config.yaml").unlink()  # the settings are the importing workflow's own
    (folder / "config/one.yaml").write_text(yaml.safe_dump(SETTINGS))
    (folder / "config/keep/main.tsv").write_text(KEEP_NOTHING_OF_ONE)
    return folder


def run(folder: Path, *arguments: str) -> Run:
    return snakemake(folder, *arguments, snakefile=folder / "Snakefile")


def faceset(folder: Path, *arguments: str) -> Run:
    done = subprocess.run([sys.executable, "-m", "faceset", *arguments], capture_output=True, text=True, cwd=folder)
    return Run(done.returncode, done.stdout + done.stderr)


def test_a_dry_run_plans_all_instances_and_changes_nothing(importing: Path) -> None:
    before = all_bytes(importing)
    planned = run(importing, "-n", "--cores", "2")
    assert planned.code == 0, planned.text
    for rule in ("one_frames", "one_crate", "two_report", "two_assemble"):
        assert rule in planned.text
    assert planned.text.count("faceset: the store knows 0 of ") == 2
    after = {name: data for name, data in all_bytes(importing).items() if not name.startswith(".snakemake/")}
    assert after == before


def test_both_instances_run_over_one_store_and_a_second_run_has_nothing_to_do(importing: Path) -> None:
    done = run(importing, "--cores", "2")
    assert done.code == 0, done.text
    faces = {
        name: {path.name for path in (importing / name).glob("results/facesets/main/faces/*")}
        for name in ("one", "two")
    }
    assert len(faces["two"]) == len(faces["one"]) + 1  # each has keep-lists of its own
    assert int((importing / "counted.txt").read_text()) == len(faces["one"])
    assert done.computed.count("crop photos") == 1  # the other instance found it in the store
    assert not (importing / "results").exists()
    assert not (importing / "logs").exists()
    again = run(importing, "--cores", "2")
    assert again.nothing_to_do, again.text
    assert again.text.count("People: ") == 2


def test_neither_instance_s_results_are_garbage_or_forgotten_with_the_other_s(importing: Path) -> None:
    before = all_bytes(importing / "store")
    collected = faceset(importing, "store", "gc", "--keep-days", "0", "--config", "config/one.yaml")
    assert collected.code == 0, collected.text
    for name in ("one", "two"):
        links = [path for path in (importing / name / "results").rglob("*") if path.is_symlink()]
        assert links
        assert all(path.exists() for path in links)
    assert all_bytes(importing / "store").keys() <= before.keys()
    forgotten = faceset(importing, "store", "forget", "source", "photos", "--dry-run", *OF_ONE)
    assert forgotten.code == 1
    assert "other working directories have results of it" in forgotten.text
    assert run(importing, "--cores", "2").nothing_to_do


def test_install_works_on_an_instance_and_undo_puts_every_byte_back(importing: Path) -> None:
    before = _bytes_of_the_user(importing)
    installed = faceset(importing, "install", "photos", *OF_ONE)
    assert installed.code == 0, installed.text
    cleaned = (importing / "one/results/facesets/main/photos/alignments.fsa").read_bytes()
    assert (importing / "photos.fsa").read_bytes() == cleaned != before["photos.fsa"]
    (backup,) = importing.glob("photos_backup_*.fsa")
    assert backup.read_bytes() == before["photos.fsa"]
    after = run(importing, "--cores", "2")
    assert after.code == 0, after.text
    assert not after.computed, "ingest goes on reading the original"
    undone = faceset(importing, "install", "photos", "--undo", *OF_ONE)
    assert undone.code == 0, undone.text
    assert _bytes_of_the_user(importing) == before


def test_a_face_of_an_instance_is_explained_whether_or_not_the_prefix_has_its_slash(importing: Path) -> None:
    row = pd.read_parquet(importing / "one/results/facesets/main/faceset.parquet").iloc[-1]
    told = faceset(importing, "explain", row["face_id"], *OF_ONE)
    assert told.code == 0, told.text
    assert told.text.startswith(f"{row['face_id']} in the faceset main\n")
    assert "from one/results/" in told.text
    assert faceset(importing, "explain", row["face_id"], "--prefix", "one", *OF_ONE[2:]) == told


def test_a_thinned_out_folder_of_an_instance_becomes_its_keep_list(importing: Path, tmp_path: Path) -> None:
    index = pd.read_parquet(importing / "one/results/facesets/main/faceset.parquet").set_index("file")["face_id"]
    shutil.copytree(importing / "one/results/facesets/main/faces", tmp_path / "sorted")
    (tmp_path / "sorted" / index.index[0]).unlink()
    before = all_bytes(importing)
    made = faceset(importing, "keep-from-folder", "main", str(tmp_path / "sorted"), *OF_ONE)
    assert made.code == 0, made.text
    assert all_bytes(importing) == before
    assert f"drop\tface\t{index.iloc[0]}" in made.text


def _bytes_of_the_user(folder: Path) -> dict[str, bytes]:
    """All files that no run writes."""
    ours = (".snakemake/", "store/", "one/", "two/", "counted.txt")
    return {name: data for name, data in all_bytes(folder).items() if not name.startswith(ours)}


def test_a_mistake_in_an_instance_s_input_is_said_without_a_traceback(importing: Path) -> None:
    keep_list = importing / "config/keep/main.tsv"
    keep_list.write_text("decision\tscope\tface\nkepp\tface\tphotos/frame_000001_0\n")
    try:
        refused = run(importing, "--cores", "2")
    finally:
        keep_list.write_text(KEEP_NOTHING_OF_ONE)
    assert refused.code != 0
    assert "line 2: the decision is 'kepp'; did you mean keep?" in refused.text
    assert "Traceback" not in refused.text


def test_outputs_that_an_importing_workflow_moves_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = make_project(tmp_path / "work")
    moved = """
use rule frames from one as one_frames with:
    output:
        record="elsewhere/{source}.json",
        frames="elsewhere/{source}.parquet",
"""
    (folder / "Snakefile").write_text(IMPORTING + moved)
    refused = run(folder, "--cores", "2")
    assert refused.code != 0
    assert "leave the outputs of its rules as they are" in refused.text


@pytest.mark.parametrize(("page", "target"), [("README.md", "faces_all"), ("docs/module.md", "")])
def test_the_import_that_a_page_shows_is_one(page: str, target: str, tmp_path: Path) -> None:
    folder = make_project(tmp_path / "work")
    blocks = re.findall(r"```\w*\n(.*?)```", (REPOSITORY / page).read_text(), re.DOTALL)
    (shown,) = [block for block in blocks if "module faces:" in block]
    (folder / "Snakefile").write_text(shown.replace("<repository>", str(REPOSITORY)))
    planned = run(folder, "-n", "--cores", "2", *([target] if target else []))
    assert planned.code == 0, planned.text
    assert {target or "count", "faces_assemble"} <= planned.planned.keys()
    assert "faces/results/facesets/main/photos/extract.json" in planned.text


@pytest.mark.parametrize("target", ["people", "alignments", "facesets"])
def test_what_a_user_wants_can_be_named(target: str, tmp_path: Path) -> None:
    planned = snakemake(make_project(tmp_path / "work"), "-n", target)
    assert planned.code == 0, planned.text
    last = {"people": "cluster", "alignments": "clean", "facesets": "assemble"}[target]
    assert planned.planned[last] == 1
    assert "report" not in planned.planned


def test_the_workflow_is_where_the_catalog_looks_for_it(tmp_path: Path) -> None:
    usage = yaml.safe_load((REPOSITORY / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"]
    folder = make_project(tmp_path / "work")
    ours, catalog_s = (
        snakemake(folder, "-n", snakefile=REPOSITORY / name) for name in ("Snakefile", "workflow/Snakefile")
    )
    assert ours.code == catalog_s.code == 0, ours.text + catalog_s.text
    assert ours.planned["report"] == 1
    assert {**ours.planned, "default": 1} == {**catalog_s.planned, "all": 1}
