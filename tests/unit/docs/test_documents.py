"""Promises of the pages that people write: they lead somewhere, agree with the code, and what they show works."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import yaml

from faceset.project.project import REPOSITORY
from factory import PICTURES, write_project
from test_floors import FLOORS, GROUND

FOLDERS = (".", "benchmarks/results", "config", "docs", "profiles", "tests/data")
PAGES = sorted(
    path for folder in FOLDERS for path in (REPOSITORY / folder).glob("**/*.md" if folder == "tests/data" else "*.md")
)
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))


def links_of(page: Path) -> list[str]:
    """Where a page leads within the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(page: Path) -> None:
    for target in links_of(page):
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), target
        assert not anchor or anchor in anchors_of(path), target


def test_every_page_can_be_reached_from_the_readme_and_the_architecture() -> None:
    known = {REPOSITORY / "README.md", REPOSITORY / "docs/architecture.md"}
    linked = {(page.parent / target.partition("#")[0]).resolve() for page in known for target in links_of(page)}
    pages = {path for path in PAGES if path.parent.name in ("docs", "config", "profiles") or path.parent == REPOSITORY}
    assert pages - known - linked == {REPOSITORY / "CODE_OF_CONDUCT.md"}, "which is found by its name"
    assert REPOSITORY / "docs/library.py" in linked


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["version"] == version
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"message", "title", "authors", "license"}
    entries = re.findall(r"^## \[(.+)\]$", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert entries[0] == version


def test_the_architecture_tells_the_floors_that_there_are() -> None:
    text = (REPOSITORY / "docs/architecture.md").read_text()
    rows = re.findall(r"^\| (.+?) \| .+ \|$", text.partition("| floor |")[2].partition("\n\n")[0], re.MULTILINE)
    told = [set(re.findall(r"`(\w+)`", row)) | ({GROUND} if GROUND in row else set()) for row in rows]
    library = REPOSITORY / "scripts/faceset"
    there = [{name for name in floor if name in ("__main__", GROUND) or (library / name).is_dir()} for floor in FLOORS]
    assert told == there


def run_python(code: str, folder: Path, library: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(library)}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_page_on_keys_has_you_type_tells_code_and_key(tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/keys.md").read_text()
    of_code, of_key = re.findall(r'^<repository>/\.venv/bin/python -c "\n(.*?)"\n', page, re.DOTALL | re.MULTILINE)
    told = run_python(of_code, tmp_path, REPOSITORY / "scripts").splitlines()
    assert {"faceset.people.tracks", "faceset.stages.track:compute", "TRACKS", "scipy"} <= set(told)
    write_project(tmp_path)
    (tmp_path / "config/config.yaml").write_text("device: cpu\n")
    assert "'film1'" in of_key
    of_key = of_key.replace("'track'", "'ingest'").replace("film1", "photos")  # which no model need have run for
    run = "from faceset.workflow.jobs import run_stage\n"
    run += "for stage in ('frames', 'ingest'): run_stage(project, stage, source='photos')\n"
    key = run_python(of_key.replace("print(", f"{run}print("), tmp_path, REPOSITORY / "scripts").strip()
    actions = {path.stem: path.read_text() for path in (tmp_path / "store/actions").glob("*/*.json")}
    assert '"stage":"ingest"' in actions[key]


def test_the_stage_that_contributing_adds_does_its_work(tmp_path: Path) -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text()
    blocks = [re.sub("^   ", "", block, flags=re.MULTILINE) for block in re.findall(r"```python\n(.*?)```", text, re.S)]
    subject, table, stage = blocks
    shutil.copytree(REPOSITORY / "scripts", tmp_path / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "config").mkdir()
    shutil.copyfile(REPOSITORY / "config/models.yaml", tmp_path / "config/models.yaml")
    library = tmp_path / "scripts/faceset"
    (library / "alignments/tally.py").write_text(subject)
    with (library / "alignments/tables.py").open("a") as file:
        file.write(f"\n{table}")
    (library / "stages/tally.py").write_text(stage)
    work = tmp_path / "work"
    work.mkdir()
    write_project(work)
    run = (
        "from faceset.project.project import load_project\n"
        "from faceset.workflow.jobs import run_stage\n"
        "for stage in ('frames', 'ingest', 'tally'): run_stage(load_project({}), stage, source='photos')\n"
    )
    run_python(run, work, tmp_path / "scripts")
    counted = pd.read_parquet(work / "results/photos/faces_per_frame.parquet")
    assert dict(zip(counted["frame"], counted["faces"], strict=True)) == {Path(name).stem: 1 for name in PICTURES}
