"""Promises of the summary after a run."""

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from faceset.alignments.problems import Problem
from faceset.decisions.kinds import Notice
from faceset.errors import FacesetError
from faceset.project.catalogue import Catalogue
from faceset.project.config import Config
from faceset.project.project import MODEL_CATALOGUE, Project
from faceset.project.sources import Source
from faceset.project.validation import load_config
from faceset.report.inputs import ReportInputs
from faceset.stages.stage import Instance
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.tables.parquet import write_table
from faceset.training.tables import EXTRACTED, FACESET
from faceset.workflow.records import publish
from faceset.workflow.summary import summarise
from factory import write_rows
from report_inputs import Inputs

FACES = {"interview": 1200, "portraits": 80}


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def project_of(config: dict[str, Any] | None = None, rights: str = "own footage") -> Project:
    settings: Config = load_config(config or {})
    Path("portraits").mkdir(exist_ok=True)
    Path("portraits/alignments.fsa").touch()
    sources = {
        "interview": source_of("interview", "interview.mp4", "detect", rights),
        "portraits": source_of("portraits", "portraits", "", rights),
    }
    return Project(settings, sources, Catalogue(MODEL_CATALOGUE))


def source_of(name: str, frames: str, alignments: str, rights: str) -> Source:
    return Source(name, Path(frames), alignments, rights, False, 1, "")


def publish_files(project: Project, stage: str, instance: Instance, files: dict[str, Path]) -> None:
    """Make the target what `files` (by output) hold; the stage's other outputs, too, so that the record is whole."""
    with project.store.workspace() as folder:
        outputs = {}
        for output in STAGES[stage].outputs:
            given = files.get(output)
            path = folder / output
            if given is None:
                path.write_bytes(b"not read")
            else:
                shutil.copyfile(given, path)
            outputs[output] = project.store.put(path)
    publish(project, STAGES[stage], instance, Action(outputs, "cpu"))


def publish_tables(project: Project, inputs: ReportInputs) -> None:
    """All that comes before extraction."""
    for source in project.sources:
        instance = {"source": source}
        tables = inputs.sources[source]
        publish_files(project, "frames", instance, {"frames": tables.frames})
        publish_files(project, "ingest", instance, {"faces": tables.faces, "problems": tables.problems})
    publish_files(project, "cluster", {}, {"clusters": inputs.clusters})
    for faceset in project.config.facesets:
        files = {"manifest": inputs.facesets[faceset].manifest, "notices": inputs.facesets[faceset].notices}
        publish_files(project, "manifest", {"faceset": faceset}, files)


def publish_pictures(project: Project, faceset: str, counts: dict[str, int]) -> None:
    for source, count in counts.items():
        stems = [f"{place:06d}_0" for place in range(count)]
        rows = [{"file": f"{stem}.png", "face_id": f"{source}/{stem}"} for stem in stems]
        path = write_rows(Path(f"{source}.parquet"), EXTRACTED, rows)
        publish_files(project, "extract", {"faceset": faceset, "source": source}, {"extracted": path})
    write_table(Path("index.parquet"), FACESET, {name: [] for name in FACESET.names})
    publish_files(project, "assemble", {"faceset": faceset}, {"faceset": Path("index.parquet")})


def moved(line: int, face: str) -> Notice:
    return Notice("moved_row", face=face, lines=(line,), meant=face)


def benchmark(path: str, seconds: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t12.5\n")


def test_before_the_first_run_it_says_what_is_missing() -> None:
    text = summarise(project_of())
    assert "Sources: 2, 0 frames, 0 faces" in text
    assert "People: not made yet" in text
    assert "Faceset main: not made yet" in text
    assert "run the target `all`" in text


def put_into_folder(faceset: str, count: int) -> None:
    folder = Path("results/facesets") / faceset / "faces"
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{number}.png").touch()


def test_a_folder_thinned_out_by_hand_and_a_keep_list_that_nobody_reads_are_told(tmp_path: Path) -> None:
    project = project_of()
    publish_tables(project, Inputs(tmp_path / "inputs", FACES, people=7).write())
    publish_pictures(project, "main", {"interview": 4, "portraits": 1})
    put_into_folder("main", 3)
    Path("config/keep").mkdir(parents=True)
    Path("config/keep/Main.tsv").touch()
    text = summarise(project)
    assert "5 pictures were put into results/facesets/main/faces, 3 are there" in text
    assert "faceset keep-from-folder main results/facesets/main/faces" in text
    assert (
        "config/keep/Main.tsv: there is no faceset Main, so nothing reads this keep-list; did you mean main?"
        in " ".join(text.split())
    )


def test_a_finished_run_is_told_in_full(tmp_path: Path) -> None:
    project = project_of()
    publish_tables(project, Inputs(tmp_path / "inputs", FACES, people=7).write())
    publish_pictures(project, "main", {"interview": 470, "portraits": 30})
    publish_files(project, "report", {}, {})
    put_into_folder("main", 500)
    benchmark("logs/benchmarks/embed/interview.tsv", "61.25")
    benchmark("logs/benchmarks/embed/portraits.tsv", "3.5")
    benchmark("logs/benchmarks/extract/main/portraits.tsv", "2.0")
    benchmark("logs/benchmarks/cluster/all.tsv", "1.04")
    assert summarise(project).splitlines() == [
        "Sources: 2, 1,280 frames, 1,280 faces",
        "  interview  1,200 frames  1,200 faces  detected",
        "  portraits     80 frames     80 faces  from its alignments",
        "",
        "People: 7 (each named by its medoid, the most central of its faces)",
        "  interview/000001_0  640 faces",
        "  interview/000002_0  107 faces",
        "  interview/000004_0  107 faces",
        "  interview/000006_0  107 faces",
        "  interview/000008_0  107 faces",
        "  and 2 more          212 faces",
        "",
        "Faceset main: 512 of 1,280 faces kept",
        "  640 dropped  policy  not in the largest cluster",
        "  128 dropped  filter  smaller than 80 px",
        "  500 pictures in results/facesets/main/faces",
        "",
        "Seconds a stage, of the last time each job ran:",
        "  embed 64.8, cluster 1.0, extract 2.0",
        "",
        "Next: open results/report.html; edit config/keep/main.tsv; run again.",
    ]


def test_what_a_partial_run_has_not_made_is_named(tmp_path: Path) -> None:
    project = project_of()
    inputs = Inputs(tmp_path / "inputs", FACES).write()
    publish_files(project, "frames", {"source": "interview"}, {"frames": inputs.sources["interview"].frames})
    text = summarise(project)
    assert re.search(r"interview +1,200 frames +faces not made yet +detected\n", text)
    assert re.search(r"portraits +frames not made yet +faces not made yet +from its alignments\n", text)


def test_a_source_named_by_a_number_is_aligned_as_a_name() -> None:
    sources = {name: source_of(name, name, "detect", "") for name in ("interview", "1984")}
    project = Project(load_config({}), sources, Catalogue(MODEL_CATALOGUE))
    assert "\n  1984       frames not made yet" in summarise(project)


def test_pictures_of_some_sources_are_not_taken_for_all(tmp_path: Path) -> None:
    project = project_of()
    publish_tables(project, Inputs(tmp_path / "inputs", FACES).write())
    publish_pictures(project, "main", {"interview": 12})
    assert "12 pictures extracted so far; results/facesets/main/faces not made yet" in summarise(project)


def test_a_result_whose_bytes_are_gone_from_the_store_is_not_there(tmp_path: Path) -> None:
    project = project_of()
    publish_tables(project, Inputs(tmp_path / "inputs", FACES).write())
    Path("results/clusters.parquet").resolve().unlink()
    assert "People: not made yet" in summarise(project)


def test_warnings_name_notices_rights_problems_and_shared_faces(tmp_path: Path) -> None:
    project = project_of({"facesets": {"main": {}, "second": {}}}, rights="")
    inputs = Inputs(
        tmp_path / "inputs",
        FACES,
        facesets=("main", "second"),
        notices=[moved(4, "long/" * 60)],
        problems=[Problem("bad_face", "000001", 0, problem="not_finite"), Problem("no_faces", "000002")],
    )
    publish_tables(project, inputs.write())
    text = summarise(project)
    assert "  problems in the alignments: bad face 2, no faces 2" in text
    assert "  no rights stated in config/sources.tsv: interview, portraits" in text
    assert "  main: moved row: Keep-list line 4 means long/long/" in text
    assert "  main and second both keep 512 faces" in text
    assert all(len(line) <= 110 for line in text.splitlines())


def test_it_stays_on_one_screen_whatever_there_is_to_tell(tmp_path: Path) -> None:
    sources = {f"film{number:02d}": 30 for number in range(40)}
    names = [f"set{number}" for number in range(9)]
    project = Project(
        load_config({"facesets": {name: {} for name in names}}),
        {name: source_of(name, name, "detect", "") for name in sources},
        Catalogue(MODEL_CATALOGUE),
    )
    notices = [moved(line, "a/9_0") for line in range(90)]
    inputs = Inputs(tmp_path / "inputs", sources, people=15, facesets=tuple(names), notices=notices)
    publish_tables(project, inputs.write())
    text = summarise(project)
    assert len(text.splitlines()) <= 45
    assert "and 34 more" in text
    assert "and 6 more facesets: set3, set4" in text


def test_timings_that_can_not_be_read_are_left_out() -> None:
    benchmark("logs/benchmarks/embed/interview.tsv", "NA")
    benchmark("logs/benchmarks/track/interview.tsv", "1.5")
    benchmark("logs/benchmarks/track/a-source-of-yesterday.tsv", "100")
    text = summarise(project_of())
    assert "\n  track 1.5\n" in text


def test_a_record_that_is_not_ours_is_named() -> None:
    Path("results/interview").mkdir(parents=True)
    Path("results/interview/frames.json").write_text("[]")
    with pytest.raises(FacesetError, match=r"results/interview/frames\.json: not a record of Faceset's"):
        summarise(project_of())


def test_it_takes_less_than_a_second(tmp_path: Path) -> None:
    project = project_of()
    publish_tables(project, Inputs(tmp_path / "inputs", FACES).write())
    begun = time.perf_counter()
    summarise(project)
    assert time.perf_counter() - begun < 1


def test_it_needs_no_pandas_to_start() -> None:
    code = "import sys, faceset.workflow.summary; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
