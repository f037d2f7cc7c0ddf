"""The commands beside the workflow, on the results of a real run."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from conftest import all_bytes, snakemake
from faceset.alignments.files import read_alignments
from faceset.project.project import REPOSITORY
from test_bad_input import make_project


def faceset(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a project's working directory."""
    return subprocess.run([sys.executable, "-m", "faceset", *words], cwd=folder, capture_output=True, text=True)


def done(folder: Path, *words: str) -> str:
    run = faceset(folder, *words)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def project(tmp_path: Path, finished: Path) -> Path:
    """A working directory with finished results, the test's own to change."""
    shutil.copytree(finished, tmp_path / "work", symlinks=True, copy_function=shutil.copy2)
    return tmp_path / "work"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("finished"))
    run = snakemake(folder)
    assert run.code == 0, run.text
    return folder


def test_export_writes_the_cleaned_faces_as_json(project: Path) -> None:
    done(project, "export", "results/facesets/main/photos/alignments.fsa", "export.json")
    exported = json.loads((project / "export.json").read_text())
    kept = pd.read_parquet(project / "results/facesets/main/photos/kept.parquet")
    assert sum(len(faces) for faces in exported.values()) == len(kept) > 0


def test_draw_draws_every_nth_frame_and_one_by_name(project: Path) -> None:
    done(project, "draw", "photos", "drawn", "--every", "7")
    assert sorted(path.name for path in (project / "drawn").iterdir()) == ["frame_000001.png", "frame_000008.png"]
    done(project, "draw", "photos", "one", "--frame", "frame_000003")
    assert [path.name for path in (project / "one").iterdir()] == ["frame_000003.png"]


def test_a_folder_thinned_out_by_hand_becomes_a_keep_list_that_says_the_same(project: Path) -> None:
    folder = project / "sorted"
    shutil.copytree(project / "results/facesets/main/faces", folder)
    pictures = sorted(folder.iterdir())
    pictures[0].unlink()
    pictures[1].rename(folder / "a name of my own.PNG")
    made = faceset(project, "keep-from-folder", "main", "sorted", "--output", "config/keep/main.tsv")
    assert made.returncode == 0, made.stderr
    assert "config/keep/main.tsv: written. To use it, run the workflow again." in made.stderr
    assert snakemake(project).code == 0
    index = pd.read_parquet(project / "results/facesets/main/faceset.parquet")
    assert set(index["file"]) == {path.name for path in pictures[1:]}


def test_alignments_can_be_rebuilt_from_extracted_faces(project: Path) -> None:
    done(project, "from-faces", "results/facesets/main/faces", "rebuilt")
    rebuilt = project / "rebuilt/photos--alignments.fsa"
    assert list((project / "rebuilt").iterdir()) == [rebuilt]
    cleaned = read_alignments(project / "results/facesets/main/photos/alignments.fsa").frames
    frames = read_alignments(rebuilt).frames
    assert {frame: len(entry["faces"]) for frame, entry in frames.items()} == {
        frame: len(entry["faces"]) for frame, entry in cleaned.items() if entry["faces"]
    }


def test_renamed_pictures_get_their_names_back(project: Path) -> None:
    folder = project / "shuffled"
    shutil.copytree(project / "results/facesets/main/faces", folder)
    names = sorted(path.name.removeprefix("photos--") for path in folder.iterdir())
    for path, name in zip(sorted(folder.iterdir()), [*names[1:], "x.png"], strict=True):
        path.rename(folder / f"new-{name}")
    told = done(project, "rename", "shuffled", "--dry-run")
    assert "Nothing was changed" in told
    done(project, "rename", "shuffled")
    assert sorted(path.name for path in folder.iterdir()) == names


def test_faces_are_put_in_order_from_left_to_right(project: Path) -> None:
    done(project, "left-to-right", "photos.fsa", "ordered.fsa")
    before = read_alignments(project / "photos.fsa").frames
    after = read_alignments(project / "ordered.fsa").frames
    assert list(after) == list(before)
    for frame, entry in after.items():
        edges = [face["x"] for face in entry["faces"]]
        assert edges == sorted(face["x"] for face in before[frame]["faces"])


def test_embeddings_are_written_as_identities_beside_those_that_were_there(project: Path) -> None:
    done(project, "identities", "main", "photos", "identities.fsa")
    embeddings = pd.read_parquet(project / "results/photos/embeddings.parquet").set_index("face_id")["embedding"]
    kept = pd.read_parquet(project / "results/facesets/main/photos/kept.parquet")
    frames = read_alignments(project / "identities.fsa").frames
    for row in kept.itertuples():
        identity = frames[f"{row.frame}.jpg"]["faces"][row[4]]["identity"]
        assert identity["dlib_resnet_v1"] == pytest.approx(embeddings[row.face_id])
        assert "vggface2" in identity


def test_compare_tells_who_split_and_which_rows_that_touches_from_a_kept_record(project: Path) -> None:
    shutil.copyfile(project / "results/cluster.json", project / "before.json")
    clusters = pd.read_parquet(project / "results/clusters.parquet")
    largest = clusters["cluster"].value_counts().index[0]
    rows = f"decision\tscope\tface\nkeep\tcluster\t{largest}\n"
    (project / "config/keep/main.tsv").write_text(rows)
    assert "Merged: 0\nSplit: 0\n" in done(project, "compare", "before.json", "results")
    other = clusters.assign(cluster=clusters["face_id"])
    other.to_parquet(project / "singles.parquet")
    told = done(project, "compare", "results/clusters.parquet", "singles.parquet")
    assert f"  {largest}, {(clusters['cluster'] == largest).sum()} faces before, went into\n" in told
    assert f"main, line 2 (keep cluster {largest}): " in told


def test_a_cleaned_film_can_be_smoothed(project: Path) -> None:
    done(project, "smooth", "results/facesets/main/photos/alignments.fsa", "smooth.fsa")
    before = read_alignments(project / "results/facesets/main/photos/alignments.fsa").frames
    after = read_alignments(project / "smooth.fsa").frames
    assert {frame: len(entry["faces"]) for frame, entry in after.items()} == {
        frame: len(entry["faces"]) for frame, entry in before.items()
    }


def test_install_puts_the_cleaned_file_in_place_nothing_runs_again_and_undo_puts_it_back(project: Path) -> None:
    original = (project / "photos.fsa").read_bytes()
    assert "Nothing was changed" in done(project, "install", "photos", "--dry-run")
    assert (project / "photos.fsa").read_bytes() == original

    done(project, "install", "photos")
    installed = (project / "photos.fsa").read_bytes()
    assert installed == (project / "results/facesets/main/photos/alignments.fsa").read_bytes()
    (backup,) = project.glob("photos_backup_*.fsa")
    assert backup.read_bytes() == original
    after = snakemake(project)
    assert after.code == 0, after.text
    assert not after.computed, "ingest goes on reading the original"

    done(project, "install", "photos", "--undo")
    assert (project / "photos.fsa").read_bytes() == original != installed


def test_a_picture_by_any_name_is_explained_back_to_its_frame(project: Path) -> None:
    index = pd.read_parquet(project / "results/facesets/main/faceset.parquet")
    row = index.iloc[-1]
    shutil.copyfile(project / "results/facesets/main/faces" / row["file"], project / "a name of my own.png")
    told = done(project, "explain", "a name of my own.png")
    assert told.startswith(f"{row['face_id']} in the faceset main\n")
    assert "kept by policy: largest cluster" in told
    frame = row["face_id"].removeprefix("photos/").rpartition("_")[0]
    assert re.search(rf"^footage +footage/{frame}\.jpg, sha256 [0-9a-f]{{64}}", told, re.MULTILINE)


def test_what_verify_finds_damaged_the_next_run_makes_anew(project: Path) -> None:
    assert "All is as it was written." in done(project, "store", "verify")
    embeddings = (project / "results/photos/embeddings.parquet").resolve()
    before = embeddings.read_bytes()
    embeddings.chmod(0o644)
    embeddings.write_bytes(before[:-1])
    run = faceset(project, "store", "verify")
    assert run.returncode == 1
    assert embeddings.name in run.stdout
    assert snakemake(project).computed == ["embed photos"]
    assert embeddings.read_bytes() == before
    assert faceset(project, "store", "verify").returncode == 0


def test_gc_removes_what_an_edit_left_behind_but_nothing_while_a_run_is_at_work(project: Path) -> None:
    (project / "config/keep").mkdir(exist_ok=True)
    (project / "config/keep/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/frame_000001_0\n")
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--cores", "1"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout
        assert any("Select jobs to execute" in line for line in run.stdout)
        refused = faceset(project, "store", "gc", "--keep-days", "0")
        rest = run.stdout.read()
    assert run.returncode == 0, rest
    assert "a run is using this store" in refused.stderr
    before = len(list((project / "store/objects").glob("*/*")))
    results = {path: path.read_bytes() for path in sorted((project / "results").rglob("*")) if path.is_file()}
    assert "Removed: " in done(project, "store", "gc", "--keep-days", "0")
    assert len(list((project / "store/objects").glob("*/*"))) < before
    assert {path: path.read_bytes() for path in results} == results
    assert snakemake(project).nothing_to_do


def test_of_a_forgotten_source_nothing_is_left_but_the_footage_and_a_run_makes_it_again(project: Path) -> None:
    names = ("footage", "config")
    before = {name: all_bytes(project / name) for name in names}
    pictures = set(all_bytes(project / "results/facesets/main/faces").values())
    told = done(project, "store", "forget", "source", "photos")
    assert "nothing of the source photos is among it" in told
    assert {name: all_bytes(project / name) for name in names} == before
    assert not pictures & set(all_bytes(project).values())
    assert not list((project / "store/objects").glob("*/*"))
    assert snakemake(project).code == 0
    assert set(all_bytes(project / "results/facesets/main/faces").values()) == pictures


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("install", "film"), "there is no source 'film'; known here: photos"),
        (("install", "photos", "--faceset", "mine"), "main"),
        (("keep-from-folder", "mine", "footage"), "there is no faceset 'mine'; did you mean main?"),
        (("keep-from-folder", "main", "config"), "config"),
        (("draw", "film", "out"), "there is no source 'film'; known here: photos"),
        (("draw", "photos", "out", "--frame", "nowhere"), "there is no frame nowhere"),
        (("compare", "results/frames.json", "results"), "frames.json: no such file"),
        (("compare", "results/photos/frames.json", "results"), "frames.json: the record of another result"),
        (("export", "none.fsa", "out.json"), "none.fsa"),
        (("from-faces", "footage", "out"), "footage"),
        (("rename", "nowhere"), "nowhere"),
        (("explain", "film/000001_0"), "there is no source 'film'; known here: photos"),
        (("store", "forget", "source", "film"), "nothing is known of the source film; known here: photos"),
        (("store", "gc", "--keep-days", "-1"), "expected a number of days, from 0"),
    ],
)
def test_mistakes_are_one_line(project: Path, words: tuple[str, ...], told: str) -> None:
    run = faceset(project, *words)
    assert run.returncode == 1
    assert told in run.stderr
    assert run.stderr.startswith("faceset: ")
    assert "Traceback" not in run.stderr


def test_outside_a_project_a_command_says_so(tmp_path: Path) -> None:
    run = faceset(tmp_path, "install", "photos")
    assert run.returncode == 1
    assert "config/config.yaml: no such file. Run this in a project's working directory." in run.stderr
