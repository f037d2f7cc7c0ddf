"""Promises of long work that is done in parts."""

import shutil
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.footage.parts import Outputs
from faceset.stages.table import STAGES
from faceset.store.parts import Shard
from faceset.upkeep.contents import read_actions
from faceset.upkeep.forget import forget
from faceset.workflow.jobs import RunningJob
from faceset.workflow.keys import plan_step
from faceset.workflow.priming import prime
from faceset.workflow.records import reader
from faceset.workflow.roots import root_of
from factory import PICTURES, face, project, run_first, write_alignments, write_project, write_sources, write_video

STAGES_RUN = ("frames", "ingest", "crop", "embed", "track", "cluster")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of three pictures, as the current folder, of which each is a part by itself."""
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("faceset.footage.parts.FRAMES_A_PART", 1)
    return tmp_path


def parts(stage: str) -> set[str]:
    """The keys of what the store knows of parts of a stage."""
    actions, _ = read_actions(project().store)
    return {action.key for action in actions if action.stage == stage and action.stored.provenance.part is not None}


@pytest.mark.usefixtures("folder")
def test_an_edit_costs_the_part_that_it_touches() -> None:
    for stage in STAGES_RUN:
        run_first(stage)
    before = {stage: parts(stage) for stage in ("crop", "embed")}
    assert [len(keys) for keys in before.values()] == [3, 3]
    faces = {name: [face(x=25) if name == PICTURES[1] else face()] for name in PICTURES}
    write_alignments(Path.cwd(), faces)
    for stage in STAGES_RUN:
        run_first(stage)
    for stage, keys in before.items():
        assert len(parts(stage) - keys) == 1


def test_a_crash_costs_the_part_that_it_hits(folder: Path) -> None:
    for stage in ("frames", "ingest"):
        run_first(stage)
    last = folder / "photos" / PICTURES[2]
    data = last.read_bytes()
    last.write_bytes(b"")
    with pytest.raises(FacesetError, match=PICTURES[2]):
        run_first("crop")
    made = parts("crop")
    assert len(made) == 2
    last.write_bytes(data)
    for stage in ("frames", "ingest", "crop"):
        run_first(stage)
    assert len(parts("crop") - made) == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("stages", "in_parts"), [(STAGES_RUN, ("crop", "embed")), (("frames", "detect"), ("detect",))], ids=str
)
def test_shards_make_all_parts_once_and_change_no_byte(stages: tuple[str, ...], in_parts: tuple[str, ...]) -> None:
    write_alignments(Path.cwd(), {name: [face(x=20 + place)] for place, name in enumerate(PICTURES)})
    if "detect" in stages:
        Path("photos/alignments.fsa").unlink()
    for stage in stages:
        run_first(stage)
    records = {stage: Path(f"results/photos/{stage}.json").read_bytes() for stage in in_parts}
    shutil.rmtree("store")
    shutil.rmtree("results")
    for stage in stages:
        if stage in records:
            for number in (2, 1):
                run_first(stage, shard=f"{number}-of-2")
            made = parts(stage)
            assert len(made) == 3
        run_first(stage)
        if stage in records:
            assert parts(stage) == made
            assert Path(f"results/photos/{stage}.json").read_bytes() == records[stage]


def test_a_source_of_one_part_is_left_to_the_job_that_wants_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    for stage in ("frames", "ingest"):
        run_first(stage)
    for number in (1, 2, 3):
        run_first("crop", shard=f"{number}-of-3")
    assert parts("crop") == set()
    run_first("crop")
    run_first("embed")
    assert parts("crop") == parts("embed") == set()


@pytest.mark.parametrize("count", [1, 2, 7, 30])
@pytest.mark.parametrize("length", [0, 2, 5, 29])
def test_each_part_is_in_exactly_one_shard(count: int, length: int) -> None:
    shards = [Shard.named(f"{number}-of-{count}") for number in range(1, count + 1)]
    assert [part for shard in shards for part in shard.of(range(length))] == list(range(length))


@pytest.mark.usefixtures("folder")
def test_marks_of_shards_that_a_killed_run_left_are_no_promise() -> None:
    mark = Path(STAGES["crop"].shard.format(source="photos", shard="1-of-2"))
    mark.parent.mkdir(parents=True)
    mark.touch()
    prime(project())
    assert not mark.exists()


@pytest.mark.usefixtures("folder")
def test_parts_are_forgotten_with_their_source() -> None:
    for stage in STAGES_RUN:
        run_first(stage)
    prime(project())
    forget(project().store, root_of(project()), ("source", "photos"), everywhere=False, dry_run=False, say=print)
    assert list(Path("store/actions").glob("*/*")) == []
    assert list(Path("store/objects").glob("*/*")) == []


def test_no_part_of_a_film_is_remembered_that_changed_while_it_was_read(folder: Path) -> None:
    film = write_video(folder / "film.mp4", 3)
    write_sources(folder, film.name)
    for stage in ("frames", "detect", "ingest"):
        run_first(stage)
    step = plan_step(project(), STAGES["crop"], {"source": "photos"}, reader(project()))
    job = RunningJob(project(), step, folder)

    def work(outputs: Outputs) -> str:
        for path in outputs.values():
            path.write_bytes(b"cut from who knows which film")
        film.write_bytes(film.read_bytes() + b"more")
        return "cpu"

    with pytest.raises(FacesetError, match="changed while it was read"):
        job.parts.make("0" * 64, work)
    assert job.parts.find("0" * 64) is None
