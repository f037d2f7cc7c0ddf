"""Promises of jobs and priming: what is known is restored, what depends on an edit is taken back, nothing is made."""

import functools
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import yaml

from faceset.errors import FacesetError
from faceset.project.catalogue import Catalogue
from faceset.project.project import MODEL_CATALOGUE, Project
from faceset.stages.graph import all_instances, records_read
from faceset.stages.table import STAGES
from faceset.workflow.jobs import Means, RunningJob, run_step
from faceset.workflow.keys import plan_step
from faceset.workflow.priming import is_known, prime
from faceset.workflow.records import read_record, reader
from factory import (
    CONFIG,
    PICTURES,
    face,
    learn_footage,
    log_of,
    picture,
    project,
    run_first,
    run_job,
    write_alignments,
    write_project,
)

MADE = ("frames", "ingest", "crop", "embed", "track", "cluster", "manifest", "clean", "extract", "assemble", "crate")
NOT_MADE = tuple(name for name in STAGES if name not in (*MADE, "detect", "reference", "nearness"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of three pictures, run as far as the assembled face set."""
    folder = tmp_path_factory.mktemp("project")
    before = Path.cwd()
    os.chdir(folder)
    try:
        write_project(folder)
        for stage in MADE:
            assert run_first(stage)
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that project, as the current folder."""
    copy = tmp_path / "project"
    shutil.copytree(made, copy, symlinks=True)
    monkeypatch.chdir(copy)
    learn_footage(project())  # copies have inodes of their own
    return copy


def records() -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in Path("results").rglob("[!.]*.json") if not path.is_symlink()}


def everything() -> dict[str, bytes | str]:
    """All files and links below the results."""
    return {
        str(path): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in Path("results").rglob("*")
        if path.is_symlink() or path.is_file()
    }


def object_of(stage: str, output: str) -> Path:
    (record,) = Path("results").rglob(f"{stage}.json")
    of = project()
    return of.store.object_path(read_record(record).outputs[output])


@pytest.mark.usefixtures("folder")
def test_all_stages_were_made_and_a_second_run_of_a_job_computes_nothing() -> None:
    assert set(records()) == set(MADE)
    before = everything()
    assert [stage for stage in MADE if "known already, nothing computed" not in run_job(stage)] == []
    assert everything() == before


@pytest.mark.usefixtures("folder")
def test_from_nothing_priming_restores_all_that_is_known() -> None:
    before = everything()
    shutil.rmtree("results")
    primed = prime(project())
    assert (primed.restored, primed.known, primed.missing) == (len(MADE), 0, len(NOT_MADE))
    after = everything()
    # The ledger of the assembled folder holds the times of its files.
    assert after.keys() == before.keys()
    assert {path for path in after if after[path] != before[path]} <= {"results/facesets/main/.faces.json"}


@pytest.mark.usefixtures("folder")
def test_priming_again_changes_nothing() -> None:
    prime(project())
    before = [(path, path.lstat().st_mtime_ns) for path in sorted(Path("results").rglob("*"))]
    primed = prime(project())
    assert (primed.restored, primed.known) == (0, len(MADE))
    assert [(path, path.lstat().st_mtime_ns) for path in sorted(Path("results").rglob("*"))] == before


def test_edited_alignments_take_back_all_that_depends_on_them_and_undoing_restores_it(folder: Path) -> None:
    before = records()
    write_alignments(folder, {name: [face(x=25)] for name in PICTURES})
    primed = prime(project())
    assert set(records()) == {"frames"}
    assert primed.missing == len(MADE) + len(NOT_MADE) - len(records())
    assert not Path("results/photos/faces.parquet").is_symlink()
    assert list(Path("results/facesets/main/faces").iterdir())  # the user's folder stays as it is
    write_alignments(folder, {name: [face()] for name in PICTURES})
    prime(project())
    assert records() == before


def test_touched_footage_is_hashed_and_nothing_is_computed(folder: Path) -> None:
    before = records()
    os.utime(folder / "photos" / "a.png", ns=(1, 1))
    prime(project())
    assert records() == {}
    assert not run_first("frames")
    prime(project())
    assert records() == before


def test_an_edit_that_changes_nothing_further_down_is_cut_off(folder: Path) -> None:
    before = records()
    settings = {"identity": {"model": "dlib_resnet_v1"}, "detect": {"min_face_px": 50}}
    keep_list = folder / "config" / "keep" / "main.tsv"
    keep_list.parent.mkdir()
    keep_list.write_text("# nothing decided yet\ndecision\tscope\tface\n")
    prime(project(**settings))
    assert {"manifest", "extract"} & set(records()) == set()
    assert run_first("manifest")
    prime(project(**settings))
    del before["crate"]  # it names the keep-list by its digest
    assert records() == before


def test_an_edited_picture_takes_back_what_was_cut_from_it(folder: Path) -> None:
    cv2.imwrite(str(folder / "photos" / "a.png"), picture(9))
    for stage in ("frames", "ingest"):
        run_first(stage)
    prime(project())
    assert set(records()) == {"frames", "ingest"}


@pytest.mark.usefixtures("folder")
def test_an_object_that_is_gone_is_made_anew_and_nothing_else() -> None:
    gone = object_of("crop", "chips")
    gone.unlink()
    prime(project())
    assert set(records()) == {"frames", "ingest"}
    assert run_first("crop")
    assert gone.exists()
    prime(project())
    assert set(records()) == set(MADE)


@pytest.mark.usefixtures("folder")
def test_a_damaged_object_fails_its_reader_and_the_next_run_makes_it_anew(capsys: pytest.CaptureFixture[str]) -> None:
    bad = object_of("embed", "embeddings")
    bad.chmod(0o644)
    bad.write_bytes(b"damaged")
    stricter = {"cluster": {"strictness": 0.6}}
    with pytest.raises(SystemExit):
        run_job("cluster", **stricter)
    assert "faceset: cluster: " in (said := capsys.readouterr().err)
    assert bad.name in said
    assert "Traceback" not in said
    prime(project())
    assert "embed" not in records()
    run_first("embed")
    run_first("track")
    assert run_first("cluster", **stricter)


def test_records_and_links_are_newer_than_what_they_were_made_from(folder: Path) -> None:
    later = (folder / "results" / "photos" / "ingest.json").stat().st_mtime_ns + 10**9
    os.utime(folder / "photos" / "alignments.fsa", ns=(later, later))
    prime(project())
    of = project()
    for stage, instance in all_instances(of):
        if stage.name in MADE:
            paths = [*records_read(of, stage, instance), *stage.files(of, instance).values()]
            inputs = [Path(path).stat().st_mtime_ns for path in paths]
            outputs = [stage.record, *stage.links.values()]
            times = [Path(path.format(**instance)).lstat().st_mtime_ns for path in outputs]
            assert min(times) >= max(inputs, default=0)


@pytest.mark.usefixtures("folder")
def test_a_stale_record_of_something_unknown_is_removed() -> None:
    Path("results/report.json").write_text("{}")
    prime(project())
    assert not Path("results/report.json").exists()


@pytest.mark.usefixtures("folder")
def test_a_known_target_asks_for_no_gpu() -> None:
    instance = {"source": "photos"}
    assert is_known(project(), "embed", instance)
    object_of("embed", "embeddings").unlink()
    assert not is_known(project(), "embed", instance)
    Path("results/photos/crop.json").unlink()
    with pytest.raises(FileNotFoundError):
        is_known(project(), "embed", instance)


@pytest.mark.usefixtures("folder")
def test_a_thinned_folder_stops_only_a_run_that_would_have_to_change_it() -> None:
    thinned = Path("results/facesets/main/faces/photos--a_0.png")
    thinned.unlink()
    prime(project())
    assert not thinned.exists()
    other = {"facesets": {"main": {**CONFIG["facesets"]["main"], "extract": {"size_px": 128}}}}
    run_first("extract", **other)
    with pytest.raises(FacesetError, match="changed by hand"):
        run_first("assemble", **other)
    assert not thinned.exists()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_lost_pixels_never_reach_the_training_folder_and_are_cut_anew(damage: Callable[[Path], None]) -> None:
    (pack,) = Path("store/cuts").rglob("*.parquet")
    pack.chmod(0o644)
    damage(pack)
    shutil.rmtree("results/facesets/main/faces")
    with pytest.raises(FacesetError, match="Run again: they are extracted again"):
        prime(project())
    prime(project())
    assert "extract" not in records()
    run_first("extract")
    run_first("assemble")
    assert len(list(Path("results/facesets/main/faces").glob("*.png"))) == len(PICTURES)


@pytest.mark.usefixtures("folder")
def test_a_face_that_was_dropped_and_is_kept_again_is_not_cut_again() -> None:
    keep_list = Path("config/keep/main.tsv")
    keep_list.parent.mkdir()
    pictures = {path.name: path.read_bytes() for path in Path("results/facesets/main/faces").iterdir()}
    for pictured in (2, 3):
        keep_list.write_text("decision\tscope\tface\n" + "drop\tface\tphotos/a_0\n" * (pictured == 2))
        for stage in ("manifest", "clean", "extract", "assemble"):
            run_first(stage)
        assert len(list(Path("results/facesets/main/faces").iterdir())) == pictured
    assert {path.name: path.read_bytes() for path in Path("results/facesets/main/faces").iterdir()} == pictures
    assert len(list(Path("store/cuts").rglob("*.parquet"))) == 1


@pytest.mark.usefixtures("folder")
def test_a_source_without_faces_goes_all_the_way() -> None:
    write_alignments(Path.cwd(), {name: [] for name in PICTURES})
    for stage in MADE:
        assert run_first(stage) or stage in ("frames", "assemble")
    assert list(Path("results/facesets/main/faces").iterdir()) == []


def test_a_job_s_mistake_is_said_once_and_without_a_traceback(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "photos" / "alignments.fsa").write_bytes(b"nonsense")
    with pytest.raises(SystemExit) as stop:
        run_job("ingest")
    assert stop.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("faceset: ingest photos: ")
    assert "photos/alignments.fsa: not an alignments file" in said
    assert said.count("\n") == 1
    assert log_of("ingest").read_text() == said


def test_input_that_no_run_could_use_stops_priming(folder: Path) -> None:
    (folder / "photos" / "a.bmp").write_bytes(b"")
    with pytest.raises(FacesetError, match="would be the same frame"):
        prime(project())


@pytest.mark.usefixtures("folder")
def test_links_of_what_no_stage_makes_any_more_go_and_other_files_stay() -> None:
    made = Path("results/photos/frames.parquet").readlink()
    Path("results/mine.txt").write_text("mine")
    Path("results/photos/mine.parquet").symlink_to("../mine.txt")
    before = everything()
    older = [Path("results/doubts.parquet"), Path("results/photos/older.parquet")]
    for path in older:
        path.symlink_to(made)
    prime(project())
    assert everything() == before
    assert not any(path.is_symlink() for path in older)


@pytest.mark.usefixtures("folder")
def test_results_of_a_source_that_is_gone_are_taken_back_and_its_own_files_stay() -> None:
    stranger = Path("results/gone")
    stranger.mkdir()
    for name in ("frames.json", "frames.parquet"):
        shutil.copy2(Path("results/photos") / name, stranger / name, follow_symlinks=False)
    (stranger / "mine.txt").write_text("mine")
    before = everything()
    prime(project())
    assert sorted(path.name for path in stranger.iterdir()) == ["mine.txt"]
    assert {path: data for path, data in before.items() if "results/gone" not in path}.items() <= everything().items()


@pytest.mark.usefixtures("folder")
def test_input_that_changes_while_it_is_read_is_refused_and_nothing_is_remembered() -> None:
    keep_list = Path("config/keep/main.tsv")
    keep_list.parent.mkdir(exist_ok=True)
    keep_list.write_text("decision\tscope\tface\ndrop\tface\tphotos/a_0\n")
    of = project()

    def compute(job: RunningJob) -> None:
        keep_list.write_text("decision\tscope\tface\nkeep\tface\tphotos/a_0\n")
        for name in job.step.stage.outputs:
            job.output(name).write_bytes(b"made of who knows what")

    stage = STAGES["manifest"]
    stage = replace(stage, compute=functools.wraps(stage.compute)(compute))  # with the key of the real one
    step = plan_step(of, stage, {"faceset": "main"}, reader(of))
    with pytest.raises(FacesetError, match="changed while it was read"):
        run_step(of, step, Means())
    assert of.store.find(step.key) is None


@pytest.mark.usefixtures("folder")
def test_a_model_fed_in_another_way_is_another_model() -> None:
    of = project()

    def key(of: Project) -> str:
        return plan_step(of, STAGES["embed"], {"source": "photos"}, reader(of)).key

    before = key(of)
    for change in ({"channels": "bgr"}, {"mean": 1.0}, {"alignment": "legacy"}, {"metric": "cosine"}):
        assert key(replace(of, catalogue=other_catalogue(**change))) != before
    assert key(replace(of, catalogue=other_catalogue(licence="mine", threshold=0.4))) == before


def other_catalogue(**changes: object) -> Catalogue:
    """A catalogue whose entry of the identity model has other values."""
    content = yaml.safe_load(MODEL_CATALOGUE.read_text())
    content["models"][project().config.identity.model].update(changes)
    Path("models.yaml").write_text(yaml.safe_dump(content))
    return Catalogue(Path("models.yaml"))


@pytest.mark.usefixtures("folder")
def test_a_job_for_cuda_that_was_granted_no_gpu_says_to_run_again() -> None:
    step = plan_step(project(), STAGES["embed"], {"source": "photos"}, reader(project()))
    with pytest.raises(FacesetError, match="planned without a GPU"):
        _ = RunningJob(project(device="cuda"), step, Path(), Means(gpus=0)).device
    assert RunningJob(project(device="cuda"), step, Path(), Means(gpus=1)).device == "cuda"
