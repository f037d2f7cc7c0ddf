"""The whole job on real footage: what comes out is right, and only what an edit touches is recomputed."""

import csv
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from conftest import DEMO, OFFLINE, Demo, all_bytes, make_demo_folder, snakemake
from faceset.alignments.files import read_alignments
from faceset.digests import file_digest
from faceset.geometry.boxes import overlaps
from faceset.project.project import REPOSITORY
from faceset.stages.table import STAGES
from faceset.training.pictures.png import read_header

SOURCES = ("interview", "portraits")
PEOPLE = 4
OPTIONAL = {"reference", "nearness"}  # for face sets with photos of the wanted person
BOX = ["x", "y", "w", "h"]


@pytest.fixture(scope="session")
def truth() -> pd.DataFrame:
    return pd.read_csv(DEMO / "truth.csv", dtype={"frame": str})


@pytest.fixture(scope="session")
def matched(demo: Demo, truth: pd.DataFrame) -> pd.DataFrame:
    """The true faces that were found, with the ids they were found as, and what is said of them."""
    rows = []
    for source, of_source in truth.groupby("source"):
        faces = pd.read_parquet(demo.folder / f"results/{source}/faces.parquet")
        for frame, here in of_source.groupby("frame"):
            found = faces[faces["frame"] == frame]
            if len(found):
                overlap = overlaps(here[BOX], found[BOX])
                best = overlap.argmax(axis=1)
                rows += [
                    (found["face_id"].iloc[face], person)
                    for place, (face, person) in enumerate(zip(best, here["person"], strict=True))
                    if overlap[place, face] >= 0.4
                ]
    clusters = pd.read_parquet(demo.folder / "results/clusters.parquet")
    return pd.DataFrame(rows, columns=["face_id", "person"]).merge(clusters, on="face_id", how="left")


def test_at_least_98_percent_of_the_true_faces_are_found(matched: pd.DataFrame, truth: pd.DataFrame) -> None:
    assert matched["face_id"].is_unique
    assert len(matched) / len(truth) >= 0.98


def test_each_person_is_one_cluster(matched: pd.DataFrame, capfd: pytest.CaptureFixture[str]) -> None:
    counts = pd.crosstab(matched["person"], matched["cluster"]).to_numpy(float)
    precision = (counts**2 / counts.sum(axis=0)).sum() / counts.sum()
    recall = (counts**2 / counts.sum(axis=1, keepdims=True)).sum() / counts.sum()
    with capfd.disabled():
        print(f"\nBCubed precision {precision:.4f}, recall {recall:.4f}, {len(matched)} faces", file=sys.stderr)
    assert precision == 1.0
    assert recall >= 0.98


def test_no_track_holds_two_people(matched: pd.DataFrame) -> None:
    assert (matched.groupby("track")["person"].nunique() == 1).all()
    assert matched["track"].nunique() < len(matched) / 5, "tracks that join nothing prove nothing"


def test_the_summary_names_the_people_that_were_composed(demo: Demo, truth: pd.DataFrame) -> None:
    sizes = sorted(truth["person"].value_counts(), reverse=True)
    assert f"People: {len(sizes)} " in demo.run.text
    for size in sizes:
        assert f"{size} faces" in demo.run.text


def test_a_faceset_keeps_the_person_that_its_keep_list_names(demo: Demo, matched: pd.DataFrame) -> None:
    faceset = pd.read_parquet(demo.folder / "results/facesets/collins/faceset.parquet")
    people = faceset.merge(matched, on="face_id")["person"]
    assert set(people) == {"collins"}
    assert len(people) == (matched["person"] == "collins").sum()


def test_without_a_keep_list_the_person_seen_most_is_kept(demo: Demo, matched: pd.DataFrame) -> None:
    manifest = pd.read_parquet(demo.folder / "results/facesets/main/manifest.parquet")
    kept = manifest[manifest["kept"]].merge(matched, on="face_id")
    assert set(kept["person"]) == {matched["person"].value_counts().index[0]}


@pytest.mark.parametrize(("faceset", "size_px"), [("main", 512), ("collins", 256)])
def test_assembled_pictures_are_whole_and_carry_their_alignments(demo: Demo, faceset: str, size_px: int) -> None:
    folder = demo.folder / "results/facesets" / faceset
    files = sorted((folder / "faces").iterdir())
    index = pd.read_parquet(folder / "faceset.parquet")
    assert [file.name for file in files] == index["file"].tolist()
    cleaned = {source: read_alignments(folder / source / "alignments.fsa").frames for source in SOURCES}
    for file, source in zip(files, index["source"], strict=True):
        assert cv2.imread(str(file)).shape == (size_px, size_px, 3)
        header = read_header(file.read_bytes(), file.name)
        place = header["source"]
        face = cleaned[source][place["source_filename"]]["faces"][place["face_index"]]
        assert np.array_equal(header["alignments"]["landmarks_xy"], face["landmarks_xy"])
        assert file.name == f"{source}--{place['original_filename']}"


def test_a_cleaned_file_holds_the_kept_faces_and_all_frames(demo: Demo) -> None:
    for faceset in ("main", "collins"):
        manifest = pd.read_parquet(demo.folder / f"results/facesets/{faceset}/manifest.parquet")
        for source in SOURCES:
            frames = read_alignments(demo.folder / f"results/facesets/{faceset}/{source}/alignments.fsa").frames
            kept = manifest[manifest["kept"] & (manifest["source"] == source)]
            assert sum(len(entry["faces"]) for entry in frames.values()) == len(kept)
            assert len(frames) == len(pd.read_parquet(demo.folder / f"results/{source}/frames.parquet"))


def test_detected_faces_are_numbered_from_left_to_right(demo: Demo) -> None:
    faces = pd.read_parquet(demo.folder / "results/interview/faces.parquet")
    middles = faces.assign(middle=faces["x"] + faces["w"] / 2).sort_values(["frame", "face_index"])
    assert (middles.groupby("frame")["middle"].diff().dropna() > 0).all()
    assert (faces["face_index"] == 1).any()


def test_footage_and_alignments_are_untouched(demo: Demo) -> None:
    assert all_bytes(DEMO / "footage") == demo.footage_before


def test_every_artifact_is_named_by_its_bytes_and_read_only(demo: Demo) -> None:
    objects = list((demo.folder / "store/objects").glob("*/*"))
    assert len(objects) > len(STAGES)
    for path in objects:
        assert file_digest(path) == path.name
        assert not path.stat().st_mode & 0o222
    assert not list((demo.folder / "store/tmp").iterdir())


def test_every_stage_ran_with_log_and_benchmark(demo: Demo) -> None:
    assert demo.run.stages == set(STAGES) - OPTIONAL
    for stage in demo.run.stages:
        with next((demo.folder / "logs/benchmarks" / stage).rglob("*.tsv")).open() as file:
            assert float(next(csv.DictReader(file, delimiter="\t"))["s"]) > 0
        assert list((demo.folder / "logs" / stage).rglob("*.log"))


def test_no_job_uses_more_memory_than_it_declares(demo: Demo) -> None:
    for path in (demo.folder / "logs/benchmarks").rglob("*.tsv"):
        stage = path.relative_to(demo.folder / "logs/benchmarks").parts[0]
        with path.open() as file:
            used = next(csv.DictReader(file, delimiter="\t"))["max_rss"]
        declared = int((REPOSITORY / f"rules/{stage}.smk").read_text().split("mem_mb=memory(")[1].split(")")[0])
        assert used == "NA" or float(used) < min(declared, 1500), path


def test_a_second_run_has_nothing_to_do_and_still_sums_up(demo: Demo) -> None:
    again = snakemake(demo.folder)
    assert again.nothing_to_do
    assert not again.computed
    assert f"People: {PEOPLE} " in again.text


def test_touched_files_and_a_reformatted_config_compute_nothing(demo: Demo) -> None:
    for name in ("config/keep/collins.tsv", "config/sources.tsv"):
        (demo.folder / name).touch()
    config = demo.folder / "config/config.yaml"
    before = config.read_text()
    config.write_text("# another comment\n" + before)
    try:
        assert not snakemake(demo.folder).computed
    finally:
        config.write_text(before)


def test_a_keep_list_edit_runs_what_it_touches_and_its_revert_nothing(demo: Demo) -> None:
    before = _records(demo.folder)
    pictures = set((demo.folder / "results/facesets/main/faces").iterdir())
    clusters = pd.read_parquet(demo.folder / "results/clusters.parquet")
    second = clusters["cluster"].value_counts().index[1]
    keep_list = demo.folder / "config/keep/main.tsv"
    keep_list.write_text(f"decision\tscope\tface\nkeep\tcluster\t{second}\n")

    edited = snakemake(demo.folder)
    assert edited.code == 0, edited.text
    of_main = {f"{stage} main {source}" for stage in ("clean", "extract") for source in SOURCES}
    assert set(edited.computed) == {"manifest main", "assemble main", "crate main", "report"} | of_main
    now = {path.name for path in (demo.folder / "results/facesets/main/faces").iterdir()}
    assert len(now) == (clusters["cluster"] == second).sum()

    keep_list.unlink()
    reverted = snakemake(demo.folder)
    assert reverted.code == 0, reverted.text
    assert reverted.nothing_to_do, reverted.text
    assert _records(demo.folder) == before
    assert set((demo.folder / "results/facesets/main/faces").iterdir()) == pictures


def test_deleted_results_come_back_from_the_store(demo: Demo) -> None:
    before = all_bytes(demo.folder / "results")
    shutil.rmtree(demo.folder / "results")
    again = snakemake(demo.folder)
    assert again.nothing_to_do, again.text
    after = all_bytes(demo.folder / "results")
    ledgers = {name for name in before if name.endswith(".faces.json")}  # these hold modification times
    assert before.keys() == after.keys()
    assert all(after[name] == data for name, data in before.items() if name not in ledgers)


def test_a_job_that_is_tried_again_asks_for_more_memory(demo: Demo) -> None:
    asked = []
    for attempt in ("1", "3"):
        again = ("--cores", "2", "--forcerun", "crate", "--benchmark-extended", "--attempt", attempt)
        assert snakemake(demo.folder, *again).code == 0
        measured = (demo.folder / "logs/benchmarks/crate/main.tsv").read_text()
        asked.append(int(measured.split("'mem_mb': ")[1].split(",")[0]))
    assert asked[1] == 4 * asked[0]


def test_a_dry_run_writes_nothing(demo: Demo) -> None:
    keep_list = demo.folder / "config/keep/main.tsv"
    keep_list.write_text("decision\tscope\tface\nkeep\tface\tinterview/000001_0\n")
    before = all_bytes(demo.folder / "results") | all_bytes(demo.folder / "store")
    try:
        planned = snakemake(demo.folder, "--dry-run")
        assert planned.code == 0, planned.text
        assert "A run of `all` would make, or find unchanged: manifest main, " in planned.text
        assert all_bytes(demo.folder / "results") | all_bytes(demo.folder / "store") == before
    finally:
        keep_list.unlink()


def test_a_damaged_object_is_set_aside_named_and_made_anew(demo: Demo) -> None:
    link = demo.folder / "results/clusters.parquet"
    damaged = link.resolve()
    before = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(before[:-1] + b"!")
    keep_list = demo.folder / "config/keep/main.tsv"
    keep_list.write_text("decision\tscope\tface\nkeep\tface\tinterview/000001_0\n")
    try:
        first = snakemake(demo.folder)
        assert first.code != 0
        assert f"{damaged.name}: its bytes are no longer" in first.text
        assert "Traceback" not in first.text
        second = snakemake(demo.folder)
        assert second.code == 0, second.text
        assert "cluster" in second.stages
        assert link.read_bytes() == before
    finally:
        keep_list.unlink()
        assert snakemake(demo.folder).code == 0


@pytest.fixture(scope="session")
def offline_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's working directory after a run on one core, in another place, without a network."""
    probe = [*OFFLINE, sys.executable, "-c", "import socket; socket.create_connection(('192.0.2.1', 80), 1)"]
    tried = subprocess.run(probe, capture_output=True, text=True)
    if "unshare" in tried.stderr:
        pytest.skip(f"no network namespace to be had here: {tried.stderr}")
    assert "Network is unreachable" in tried.stderr
    folder = make_demo_folder(tmp_path_factory.mktemp("elsewhere") / "demo")
    run = snakemake(folder, "--cores", "1", prefix=OFFLINE)
    assert run.code == 0, run.text
    return folder


def test_the_whole_demo_runs_without_a_network(offline_folder: Path) -> None:
    assert (offline_folder / "results/report.html").is_file()


def test_the_same_bytes_on_one_core_in_another_folder(demo: Demo, offline_folder: Path) -> None:
    assert _records(offline_folder) == _records(demo.folder)
    for faces in ("main", "collins"):
        folder = f"results/facesets/{faces}/faces"
        assert all_bytes(offline_folder / folder) == all_bytes(demo.folder / folder)


def _records(folder: Path) -> dict[Path, bytes]:
    """The bytes of every record of a working directory, which name all its artifacts."""
    paths = [path for stage in STAGES for path in (folder / "results").rglob(f"{stage}.json")]
    return {path.relative_to(folder): path.read_bytes() for path in paths}


def test_the_rule_graph_is_the_picture_of_the_stages(demo: Demo) -> None:
    graph = snakemake(demo.folder, "--rulegraph").text
    names = {
        line.split("[")[0].strip(): line.split('"')[1]
        for line in graph.splitlines()
        if "[label" in line.replace(" ", "")
    }
    edges = {
        tuple(names[end.strip()] for end in line.strip().rstrip(";").split("->"))
        for line in graph.splitlines()
        if "->" in line
    }
    declared = {(output.stage.name, stage.name) for stage in STAGES.values() for output in stage.inputs.values()}
    assert {edge for edge in edges if "all" not in edge} == {edge for edge in declared if not OPTIONAL & set(edge)}


def test_snakemake_s_own_report_is_made_offline_and_holds_the_page(demo: Demo, tmp_path: Path) -> None:
    target = tmp_path / "snakemake.html"
    run = snakemake(demo.folder, "--report", str(target), prefix=OFFLINE)
    if "unshare" in run.text:
        pytest.skip("no network namespace to be had here")
    assert run.code == 0, run.text
    text = target.read_text()
    assert "Every person, with the medoid large" in text
    assert "Face sets" in text
    assert len(text) > (demo.folder / "results/report.html").stat().st_size


def test_records_are_canonical(demo: Demo) -> None:
    for data in _records(demo.folder).values():
        text = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
        assert data.decode() == text


def test_two_people_of_one_frame_are_never_one(demo: Demo) -> None:
    clusters = pd.read_parquet(demo.folder / "results/clusters.parquet")
    frames = Counter(
        face.rsplit("_", 1)[0] + cluster for face, cluster in zip(clusters["face_id"], clusters["cluster"], strict=True)
    )
    assert max(frames.values()) == 1


def test_plain_names_show_the_artifacts_of_the_records(demo: Demo) -> None:
    for record, data in _records(demo.folder).items():
        for name, artifact in json.loads(data)["outputs"].items():
            stage = STAGES[record.stem]
            shown = demo.folder / record.parent / stage.outputs[name]
            assert shown.is_symlink() == (name not in stage.copied)
            assert file_digest(shown) == artifact["sha256"]
            assert shown.is_file() or shown.resolve().name == artifact["sha256"]


def test_the_module_runs_without_installing(tmp_path: Path) -> None:
    imported = "import faceset.workflow.rule_jobs"
    code = f"import sys; sys.path.insert(0, sys.argv[1]); {imported}; print('snakemake' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, str(REPOSITORY / "scripts")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == "False\n", done.stderr
