"""Promises of the job of a rule: what it logs, why it failed in data, and that a known result costs next to nothing."""

import errno
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from faceset.errors import FacesetError
from faceset.stages.graph import all_instances
from faceset.stages.table import STAGES
from faceset.workflow import rule_jobs
from faceset.workflow.rule_jobs import FAILURE, Failure, failures_since, run_rule
from factory import CONFIG, first_instance, log_of, project, rule_job, run_job, write_project
from two_sources import CONFIG as CONFIG_OF_TWO
from two_sources import current

pytest_plugins = ("two_sources",)

HEAVY = ("cv2", "msgpack", "numpy", "onnxruntime", "pandas", "pyarrow", "scipy")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a small project, nothing of it made."""
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def failure_of(stage: str) -> Path:
    log = log_of(stage)
    return log.with_name(log.name + FAILURE)


@pytest.mark.usefixtures("small")
def test_a_job_says_in_its_log_and_on_the_terminal_whether_it_computed(capsys: pytest.CaptureFixture[str]) -> None:
    for expected in ("done", "known already, nothing computed"):
        assert run_job("frames").splitlines()[-1] == f"faceset: frames photos: {expected}"
        assert capsys.readouterr().err == log_of("frames").read_text()


def test_what_a_user_can_fix_is_one_line_and_data_until_the_job_succeeds(small: Path) -> None:
    alignments = small / "photos" / "alignments.fsa"
    good = alignments.read_bytes()
    run_job("frames")
    alignments.write_bytes(b"nonsense")
    begun = time.time()
    with pytest.raises(SystemExit) as stop:
        run_job("ingest")
    assert stop.value.code == 1
    (failure,) = failures_since(small / "logs", begun - 1)
    assert (failure.job, failure.cause) == ("ingest photos", "input")
    assert "photos/alignments.fsa: not an alignments file" in failure.message
    assert log_of("ingest").read_text() == f"{failure.sentence}\n"
    assert failure_of("ingest").is_file()
    alignments.write_bytes(good)
    run_job("ingest")
    assert not failure_of("ingest").exists()
    assert failures_since(small / "logs", 0) == []


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        (KeyboardInterrupt(), "interrupted", "nothing is half written. Run again to go on."),
        (MemoryError(), "memory", "Run fewer jobs at a time"),
        (OSError(errno.ENOSPC, "No space left on device"), "machine", "Fix this, then run again."),
        (PermissionError(errno.EACCES, "Permission denied"), "machine", "Permission denied"),
        (FacesetError("line 2: no"), "input", "line 2: no"),
        (OSError(errno.ENOENT, "gone"), "fault", "a fault in Faceset: FileNotFoundError"),
        (ZeroDivisionError("by none"), "fault", "a fault in Faceset: ZeroDivisionError: by none"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
@pytest.mark.usefixtures("small")
def test_every_way_to_fail_has_its_cause_and_only_a_fault_has_a_traceback(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, cause: str, words: str
) -> None:
    def failing(*_: object, **__: object) -> bool:
        raise error

    monkeypatch.setattr(rule_jobs, "run_stage", failing)
    with pytest.raises(SystemExit) as stop:
        run_job("frames")
    assert stop.value.code == 1
    (failure,) = failures_since(Path("logs"), 0)
    assert failure.cause == cause
    assert words in failure.message
    assert json.loads(failure_of("frames").read_bytes()) == {
        "job": "frames photos",
        "cause": cause,
        "message": failure.message,
    }
    assert ("Traceback" in log_of("frames").read_text()) == (cause == "fault")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"stage": "track"}, "stage is 'track', which runs for the wildcards: source; this rule has: none."),
        ({"stage": "clean"}, "which runs for the wildcards: faceset and source; this rule has: none."),
        ({"stage": "trakc"}, "stage is 'trakc', and there is no such stage."),
        ({}, "there is no such stage."),
        ({"stage": "cluster"}, "the settings are missing."),
    ],
)
@pytest.mark.usefixtures("small")
def test_a_rule_whose_params_an_importing_workflow_changed_is_refused(params: dict[str, str], message: str) -> None:
    job = rule_job("cluster", {}, Path("job.log"), CONFIG)
    with pytest.raises(SystemExit):
        run_rule(SimpleNamespace(**{**vars(job), "params": SimpleNamespace(**params)}))
    (failure,) = failures_since(Path(), 0)
    assert failure.cause == "input"
    assert failure.message.startswith("params: ")
    assert message in failure.message
    assert failure.message.endswith("leave the `params` of its rules as they are.")


def test_failures_are_read_from_data_alone_and_only_the_recent_ones(tmp_path: Path) -> None:
    def write(name: str, data: str, moment: float) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data)
        os.utime(path, (moment, moment))

    good = '{"job": "crop film", "cause": "memory", "message": "not enough"}'
    write(f"crop/film.log{FAILURE}", good, 2000)
    write(f"clean/main/film.log{FAILURE}", good.replace("crop", "clean"), 1000)
    write(f"track/old.log{FAILURE}", good, 999)
    write("embed/film.log", "faceset: embed film: said in a log alone", 2000)
    for number, data in enumerate(
        ("", "{", "[]", "{}", '"text"', '{"job": "x"}', '{"job": "", "cause": "", "odd": ""}')
    ):
        write(f"bad/{number}.log{FAILURE}", data, 2000)
    found = failures_since(tmp_path, 1000)
    assert found == [Failure("clean film", "memory", "not enough"), Failure("crop film", "memory", "not enough")]
    assert found[0].sentence == "faceset: clean film: not enough"
    assert failures_since(tmp_path / "nowhere", 0) == []


@pytest.mark.usefixtures("small")
def test_a_shard_s_job_leaves_its_mark_and_no_record() -> None:
    for stage in ("frames", "ingest"):
        run_job(stage)
    instance = {**first_instance(project(), "crop"), "shard": "1-of-2"}
    mark = Path(STAGES["crop"].shard.format(**instance))
    mark.parent.mkdir(parents=True, exist_ok=True)
    Path("logs/crop").mkdir(parents=True)
    job = rule_job("crop", first_instance(project(), "crop"), Path("logs/crop/photos.1-of-2.log"), CONFIG)
    run_rule(SimpleNamespace(**{**vars(job), "wildcards": instance, "output": [str(mark)]}))
    assert mark.is_file()
    assert not Path("results/photos/crop.json").exists()


KNOWN = """
import json, sys
from types import SimpleNamespace
from faceset.workflow.rule_jobs import run_rule
heavy, jobs = json.loads(sys.argv[1])
for job in jobs:
    job["params"] = SimpleNamespace(**job["params"])
    run_rule(SimpleNamespace(**job))
    print(job["params"].stage, *(name for name in heavy if name in sys.modules))
"""


@pytest.mark.usefixtures("folder")
def test_a_known_result_of_any_stage_imports_nothing_heavy() -> None:
    jobs = []
    for stage, instance in all_instances(current()):
        job = vars(rule_job(stage.name, instance, Path("job.log"), CONFIG_OF_TWO))
        jobs.append({**job, "params": vars(job["params"]), "wildcards": dict(instance)})
    command = [sys.executable, "-c", KNOWN, json.dumps([HEAVY, jobs])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [job["params"]["stage"] for job in jobs]
    assert done.stderr.count("known already, nothing computed") == len(jobs)


WITHOUT_MODELS = ("frames", "ingest", "crop", "manifest", "clean", "extract", "assemble")


@pytest.mark.usefixtures("folder")
def test_a_known_result_of_a_stage_that_asks_nothing_of_models_is_not_validated_again() -> None:
    jobs = []
    for stage, instance in all_instances(current()):
        if stage.name in WITHOUT_MODELS:
            job = vars(rule_job(stage.name, instance, Path("job.log"), CONFIG_OF_TWO))
            jobs.append({**job, "params": vars(job["params"]), "wildcards": dict(instance)})
    command = [sys.executable, "-c", KNOWN, json.dumps([["pydantic", "yaml"], jobs])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [job["params"]["stage"] for job in jobs]


@pytest.mark.parametrize("arguments", [["--help"], ["draw", "--help"], ["store", "gc", "--help"]])
def test_asking_the_command_for_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from faceset.__main__ import main
sys.argv = ["faceset", *{arguments!r}]
try:
    main()
except SystemExit:
    pass
print()
print(*(name for name in {HEAVY!r} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == ""
