"""Promises of installing a source's cleaned alignments in the original's place."""

import contextlib
import functools
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from faceset.alignments.files import from_msgpack, msgpack_bytes, read_alignments
from faceset.alignments.ingest import IngestInputs, IngestOutputs, ingest
from faceset.alignments.tables import FACES
from faceset.commands.install import install, undo
from faceset.crops.tables import MEASURES
from faceset.decisions.keep_list import HEADER
from faceset.decisions.manifest import ManifestInputs, ManifestOutputs, ManifestSettings, make_manifest
from faceset.errors import FacesetError
from faceset.footage.files import default_alignments_path
from faceset.people.tables import CLUSTERS, TRACKS
from faceset.project.project import Project, load_project
from faceset.stages.graph import all_instances
from faceset.tables.parquet import read_table
from faceset.workflow.jobs import Means, RunningJob, run_step
from faceset.workflow.keys import plan_step
from faceset.workflow.records import reader
from factory import alignments, face, learn_footage, write_alignments, write_frames, write_pictures, write_rows

NOON = datetime(2026, 5, 4, 12, 0, 0)
NAMES = ("a.png", "b.png", "c.png")
FACESETS = {"lead": {"policy": "none"}, "friend": {"policy": "none"}, "all": {"policy": "all", "sources": ["more"]}}
BACKUP = "alignments_backup_20260504_120000.fsa"
FRAMES = {name: [face(5, 5, 20), face(40, 5, 20), face(70, 5, 20)] for name in NAMES}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of three pictures, three faces on each: the lead, the friend, and a passer-by."""
    folder = tmp_path_factory.mktemp("made")
    for source in ("photos", "more"):
        write_pictures(folder / source, NAMES)
    write_alignments(folder, FRAMES)
    (folder / "config" / "keep").mkdir(parents=True)
    rows = "photos\tphotos\t\tmade up\nmore\tmore\t\tmade up\n"
    (folder / "config" / "sources.tsv").write_text(f"source\tframes\talignments\trights\n{rows}")
    with contextlib.chdir(folder):
        decide("lead", "keep\tcluster\tphotos/a_0")
        decide("friend", "keep\tcluster\tphotos/a_1", "drop\tface\tphotos/b_1")
        run()
    return folder


@pytest.fixture
def original(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The alignments of a source of that project, of which a copy is the current folder."""
    shutil.copytree(made, tmp_path / "work", symlinks=True)
    monkeypatch.chdir(tmp_path / "work")
    learn_footage(current())  # copies have inodes of their own
    return tmp_path / "work" / "photos" / "alignments.fsa"


def decide(faceset: str, *rows: str) -> None:
    Path("config", "keep", f"{faceset}.tsv").write_text("\n".join([HEADER, *rows]))


def current() -> Project:
    return load_project({"facesets": FACESETS})


def compute(job: RunningJob) -> None:
    """The stages up to the manifest; people are told apart by the order of their faces."""
    stage, source = job.step.stage.name, job.step.instance.get("source", "")
    if stage == "frames":
        write_frames(job.source.frames, job.output("frames"))
    elif stage == "detect":
        job.output("detected").write_bytes(msgpack_bytes(alignments(FRAMES).data))
    elif stage == "ingest":
        file = job.files.get("alignments")
        read = read_alignments(file) if file else from_msgpack(job.input("detected").read_bytes(), "detected")
        outputs = (job.output(name) for name in ("faces", "alignments", "problems"))
        inputs = IngestInputs(read, str(file), source, job.source.frames, job.input("frames"))
        ingest(inputs, IngestOutputs(*outputs))
    elif stage == "manifest":
        gathered = (job.inputs(name) for name in ("faces", "measures", "tracks"))
        outputs = (job.output(name) for name in ("manifest", "notices"))
        inputs = ManifestInputs(*gathered, job.input("clusters"), job.files.get("keep_list"))
        make_manifest(inputs, ManifestSettings(**job.settings), ManifestOutputs(*outputs))
    else:
        compute_about_faces(job, stage)


def compute_about_faces(job: RunningJob, stage: str) -> None:
    if stage == "cluster":
        faces = list(job.inputs("faces").items())
    else:
        faces = [(job.step.instance["source"], job.input("faces"))]
    rows = []
    for source, path in faces:
        for row in read_table(path, FACES, ["face_id", "face_index"]).to_pylist():
            cluster = f"photos/a_{row['face_index']}"
            rows.append({"face_id": row["face_id"], "source": source, "track": row["face_id"], "cluster": cluster})
    schemas = {"measures": MEASURES, "tracks": TRACKS, "clusters": CLUSTERS}
    for name in job.step.stage.outputs:
        if name in schemas:
            columns = schemas[name].names
            write_rows(job.output(name), schemas[name], [{c: row[c] for c in columns if c in row} for row in rows])
        else:
            job.output(name).write_bytes(b"nothing that a manifest reads")


def run() -> int:
    """Bring everything up to the manifests up to date; returns how much had to be computed."""
    project, computed = current(), 0
    learn_footage(project)
    for stage, instance in all_instances(project):
        if stage.name in ("clean", "extract", "assemble", "crate", "report"):
            continue
        quick = replace(stage, compute=functools.wraps(stage.compute)(compute))  # with the key of the real one
        computed += run_step(project, plan_step(project, quick, instance, reader(project)), Means())
    return computed


def do_install(source: str = "photos", faceset: str | None = None, dry_run: bool = False) -> str:
    said: list[str] = []
    install(current(), source, faceset, NOON, dry_run, said.append)
    return "\n".join(said)


def left(path: Path) -> list[int]:
    """How many faces each frame has."""
    return [len(frame["faces"]) for frame in read_alignments(path).frames.values()]


def test_what_any_faceset_keeps_stays_and_undo_brings_back_the_original(original: Path) -> None:
    before = original.read_bytes()
    said = do_install()
    assert left(original) == [2, 1, 2]
    assert "photos: 5 of 9 faces stay, those kept by lead or friend." in said
    assert BACKUP in said
    assert original.with_name(BACKUP).read_bytes() == before
    undo(current(), "photos", False, print)
    assert original.read_bytes() == before
    assert not original.with_name(BACKUP).exists()


def test_nothing_downstream_moves_and_installing_goes_on_from_the_original(original: Path) -> None:
    do_install(faceset="lead")
    assert left(original) == [1, 1, 1]
    assert run() == 0
    do_install(faceset="friend")
    assert left(original) == [1, 0, 1]
    decide("friend", "keep\tcluster\tphotos/a_2")
    assert run() == 1
    do_install()
    assert left(original) == [2, 2, 2]
    assert left(original.with_name(BACKUP)) == [3, 3, 3]


def test_detected_faces_go_to_the_default_place_and_undo_removes_them(original: Path) -> None:
    path = default_alignments_path(Path("more"))
    assert original.exists()
    assert not path.exists()
    assert "Nothing was before" not in do_install("more", dry_run=True)
    do_install("more")
    assert left(path) == [3, 3, 3]
    assert run() == 0
    do_install("more", "lead")
    assert left(path) == [1, 1, 1]
    undo(current(), "more", False, print)
    assert not path.exists()
    assert run() == 0


def test_a_dry_run_changes_nothing(original: Path) -> None:
    before = {path: path.read_bytes() for path in original.parent.iterdir()}
    said = do_install(dry_run=True)
    assert "5 of 9 faces stay" in said
    assert f"would be written, the original kept as {BACKUP} beside it. Nothing was changed." in said
    assert {path: path.read_bytes() for path in original.parent.iterdir()} == before
    do_install()
    installed = original.read_bytes()
    undo(current(), "photos", True, print)
    assert original.read_bytes() == installed


def test_results_that_are_out_of_date_are_not_installed(original: Path) -> None:
    decide("lead", "keep\tcluster\tphotos/a_2")
    with pytest.raises(FacesetError, match=r"lead/manifest\.json: what it was made from or decided by has changed"):
        do_install()
    run()
    write_alignments(original.parents[1], {name: faces[:2] for name, faces in FRAMES.items()})
    with pytest.raises(FacesetError, match=r"photos/ingest\.json: what it was made from"):
        do_install()
    assert left(original) == [2, 2, 2]
    Path("results/photos/frames.json").unlink()
    with pytest.raises(FacesetError, match=r"photos/frames\.json: not made yet\. Run the workflow"):
        do_install()


def test_an_install_that_would_leave_no_face_is_refused(original: Path) -> None:
    decide("lead", "drop\tcluster\tphotos/a_0")
    run()
    with pytest.raises(FacesetError, match="none of its 9 faces is kept by lead: nothing to install"):
        do_install(faceset="lead")
    assert left(original) == [3, 3, 3]


@pytest.mark.usefixtures("original")
@pytest.mark.parametrize(
    ("source", "faceset", "message"),
    [
        ("foto", None, r"there is no source 'foto'; did you mean photos\?"),
        ("photos", "laed", r"there is no faceset 'laed'; did you mean lead\?"),
        ("zebra", None, "there is no source 'zebra'; known here: photos, more"),
        ("photos", "zebra", "there is no faceset 'zebra'; known here: lead, friend, all"),
        ("photos", "all", "photos is not a source of all"),
    ],
)
def test_names_that_are_not_in_the_project_are_told(source: str, faceset: str | None, message: str) -> None:
    with pytest.raises(FacesetError, match=message):
        do_install(source, faceset)


def test_an_edited_file_is_not_undone(original: Path) -> None:
    do_install()
    write_alignments(original.parents[1], FRAMES | {"c.png": [face()]})
    edited = original.read_bytes()
    with pytest.raises(FacesetError, match="changed since it was installed"):
        undo(current(), "photos", False, print)
    assert original.read_bytes() == edited


def test_only_a_file_that_faceswap_reads_is_replaced(original: Path) -> None:
    other = original.with_name("alignments.msgpack")
    other.write_bytes(msgpack_bytes(read_alignments(original).data))
    table = Path("config/sources.tsv")
    table.write_text(table.read_text().replace("photos\tphotos\t\t", f"photos\tphotos\t{other}\t"))
    run()
    with pytest.raises(FacesetError, match=r"alignments\.msgpack: only a \.fsa file can be replaced"):
        do_install()
