"""Promises of what happens around a run: priming once for each prefix, one run a folder, and the words at the end."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from faceset.workflow.rule_jobs import FAILURE
from faceset.workflow.session import LOCK, SNAKEMAKE_LOCKS
from two_sources import CONFIG

pytest_plugins = ("two_sources",)

HEAD = f"""
import sys
from pathlib import Path
from faceset.errors import FacesetError
from faceset.project.project import load_project
from faceset.workflow.session import Session
session = Session()
def begin(prefix="", dry_run=False, session=session):
    try:
        session.begin(load_project({CONFIG!r}, prefix), dry_run)
    except FacesetError as error:
        sys.exit(f"faceset: {{error}}")
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Let a process do something with a session in the current folder, to its end."""
    return subprocess.run([sys.executable, "-c", HEAD + code], capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("folder")
def test_the_first_rule_that_asks_primes_and_the_summary_comes_once_at_the_end() -> None:
    shutil.rmtree("results")
    done = run("begin(); begin(); print(Path('results/cluster.json').exists())")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True\n")
    assert done.stdout.count("Sources: 2, 5 frames, 5 faces") == 1
    assert done.stdout.rstrip().splitlines()[-1].startswith("Next: ")


@pytest.mark.usefixtures("folder")
def test_each_prefix_is_primed_and_summed_up_under_the_one_lock_of_the_folder() -> None:
    shutil.rmtree("results")
    done = run("begin('a/'); begin('b/')")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Sources: 2, 5 frames, 5 faces") == 2
    assert Path("a/results/cluster.json").is_file()
    assert Path("b/results/cluster.json").is_file()
    assert not Path("results").exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("other", ["q/../q/", "./q/", "link/", "{cwd}/q/"])
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_second_prefix_for_the_same_folder_is_refused_before_anything_is_primed(other: str, dry_run: bool) -> None:
    Path("link").symlink_to("q")
    other = other.format(cwd=Path.cwd())
    done = run(f"begin('q/', {dry_run}); print('first'); begin({other!r}, {dry_run})")
    assert done.returncode == 1
    sentence = f"faceset: the prefixes 'q/' and {other!r} name one folder of results, {Path('q/results').resolve()}."
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert "first\n" in done.stdout
    assert "Sources: 2, 5 frames, 5 faces" not in done.stdout


@pytest.mark.usefixtures("folder")
def test_a_dry_run_says_what_a_run_would_find_and_touches_nothing() -> None:
    shutil.rmtree("results")
    done = run("begin(dry_run=True)")
    assert "the store knows all" in done.stdout
    assert not Path("results").exists()
    assert not LOCK.exists()


@pytest.mark.usefixtures("folder")
def test_a_second_run_in_the_folder_is_refused_until_the_first_ends() -> None:
    refused = run("begin(); begin(session=Session())")
    assert refused.returncode == 1
    assert "faceset: another run is at work in this folder. Wait for it to end." in refused.stderr
    assert run("begin()").returncode == 0


@pytest.mark.usefixtures("folder")
def test_after_a_killed_run_its_lock_is_to_be_taken_away_first() -> None:
    SNAKEMAKE_LOCKS.mkdir(parents=True)
    (SNAKEMAKE_LOCKS / "0.input.lock").touch()
    refused = run("begin()")
    assert refused.returncode == 1
    assert "Run this command once with --unlock, then again." in refused.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("prefix", ["", "a/"])
def test_a_run_that_failed_ends_with_the_reasons_of_its_own_jobs_and_no_summary(prefix: str) -> None:
    write_failure(Path("logs/crop/photos.log"), job="crop photos", cause="memory", message="of an earlier run")
    log = Path(f"{prefix}logs/embed/photos.log")
    now = {"job": "embed photos", "cause": "input", "message": "the model is gone"}
    writes = f"begin({prefix!r}); p = Path({str(log) + FAILURE!r}); p.parent.mkdir(parents=True, exist_ok=True)"
    done = run(
        f"import os; os.utime('logs/crop/photos.log{FAILURE}', (1, 1))\n{writes}; p.write_text({json.dumps(now)!r})"
    )
    assert done.stderr.splitlines()[-1] == "faceset: embed photos: the model is gone"
    assert "earlier" not in done.stderr
    assert "Sources:" not in done.stdout
    assert "Sources:" not in run(f"begin({prefix!r}); session.fail()").stdout


def write_failure(log: Path, **failure: Any) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    log.with_name(log.name + FAILURE).write_text(json.dumps(failure))
