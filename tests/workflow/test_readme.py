"""What the README says to type works as it stands there."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pandas as pd
import pytest

from conftest import DEMO, all_bytes, snakemake
from faceset.__main__ import COMMANDS
from faceset.alignments.files import read_alignments
from faceset.decisions.keep_list import read_keep_list
from faceset.project.project import REPOSITORY
from test_bad_input import PHOTOS

README = (REPOSITORY / "README.md").read_text()
BLOCKS = [
    re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)
]


def block_with(text: str) -> str:
    (block,) = [block for block in BLOCKS if text in block]
    return block


@pytest.fixture(scope="module")
def make_demo() -> str:
    """What `make demo` prints; its results are in demo/."""
    assert "make demo" in BLOCKS[0]
    done = subprocess.run(["make", "demo"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_demo_ends_with_the_summary_and_is_done_once(make_demo: str) -> None:
    assert "People: 4 " in make_demo
    assert "Next: open results/report.html" in make_demo
    second = subprocess.run(["make", "demo"], cwd=REPOSITORY, capture_output=True, text=True)
    assert second.returncode == 0
    assert ": done" not in second.stdout + second.stderr
    assert "People: 4 " in second.stdout


@dataclass(frozen=True)
class Typed:
    """The README's lines for the other jobs, typed one after the other in a copy of the demo.

    `told` is what each line printed, `footage` every file of the footage after it, both by line.
    """

    folder: Path
    original: dict[str, bytes]
    told: dict[str, str]
    footage: dict[str, dict[str, bytes]]

    def frames(self, name: str) -> dict[str, Any]:
        """The frames of an alignments file, by name."""
        return read_alignments(self.folder / name).frames


@pytest.fixture(scope="module")
def typed(make_demo: str, tmp_path_factory: pytest.TempPathFactory) -> Typed:  # noqa: ARG001 (it makes what is copied)
    repository = tmp_path_factory.mktemp("repository")
    for name in ("footage", "store"):
        shutil.copytree(DEMO / name, repository / "demo" / name, symlinks=True)
    # As it came, whatever somebody decided in demo/ since: the results come back from the store.
    shutil.copytree(REPOSITORY / "config/demo/config", repository / "demo/config")
    restored = snakemake(repository / "demo")
    assert restored.code == 0, restored.text
    (repository / ".venv").symlink_to(sys.prefix)
    footage = repository / "demo/footage"
    typed = Typed(repository / "demo", all_bytes(footage), {}, {})
    there, *lines = [line for line in block_with("faceset install").splitlines() if line and line[0] != "#"]
    for line in lines:
        done = subprocess.run(["bash", "-ec", f"{there}\n{line}"], cwd=repository, capture_output=True, text=True)
        assert done.returncode == 0, f"{line}: {done.stderr}"
        typed.told[line] = done.stdout + done.stderr
        typed.footage[line] = all_bytes(footage)
    return typed


def faces_of(frames: dict[str, Any]) -> dict[str, int]:
    """How many faces there are on each frame that has any."""
    return {name: len(entry["faces"]) for name, entry in frames.items() if entry["faces"]}


def test_every_command_is_shown(typed: Typed) -> None:
    shown = {name for name in COMMANDS if any(f"{line} ".startswith(f"faceset {name} ") for line in typed.told)}
    assert shown == COMMANDS.keys() - {"setup", "demo"}, "which are for the Makefile"


def test_install_replaces_one_file_and_undo_restores_every_byte(typed: Typed) -> None:
    alignments = "portraits/alignments.fsa"
    told, footage = typed.told, typed.footage
    assert "Nothing was changed" in told["faceset install portraits --dry-run"]
    assert footage["faceset install portraits --dry-run"] == typed.original

    installed = footage["faceset install portraits"]
    changed = {name for name, data in typed.original.items() if installed[name] != data}
    assert changed == {alignments}
    (backup,) = {name for name in installed.keys() - typed.original if name.endswith(".fsa")}
    assert f"The original is footage/{backup}." in told["faceset install portraits"]
    assert installed[backup] == typed.original[alignments]

    assert footage["faceset install portraits --undo"] == typed.original
    assert all_bytes(typed.folder / "footage") == typed.original, "nor does any other command touch footage"


def test_a_thinned_out_copy_gives_rows_that_keep_what_is_left(typed: Typed) -> None:
    index = pd.read_parquet(typed.folder / "results/facesets/collins/faceset.parquet")
    left = set(index["face_id"][index["source"] == "interview"])
    assert 0 < len(left) < len(index)
    tracks = pd.read_parquet(typed.folder / "results/clusters.parquet").set_index("face_id")["track"]
    rows = read_keep_list(typed.folder / "new-rows.tsv")
    assert {(row.decision, row.scope) for row in rows} == {("keep", "cluster"), ("drop", "track")}
    dropped = {tracks[row.face] for row in rows if row.scope == "track"}
    assert {face for face in index["face_id"] if tracks[face] not in dropped} == left
    (told,) = [told for line, told in typed.told.items() if "keep-from-folder" in line]
    assert f"{len(left)} of the faceset's {len(index)} faces are there" in told
    assert "new-rows.tsv: written. To use it, compare it with config/keep/collins.tsv" in told


def test_alignments_come_back_from_face_pictures_and_names_too(typed: Typed) -> None:
    cleaned = typed.frames("results/facesets/collins/interview/alignments.fsa")
    rebuilt = typed.frames("rebuilt/interview--interview_alignments.fsa")
    assert faces_of(rebuilt) == faces_of(cleaned)
    pictures = sorted((typed.folder / "sorted").iterdir())
    lines = [f"{path.name} -> {path.name.removeprefix('interview--')}" for path in pictures]
    assert typed.told["faceset rename sorted --dry-run"].splitlines()[:-1] == lines


def test_exported_faces_are_the_cleaned_ones_and_frames_are_drawn(typed: Typed) -> None:
    cleaned = typed.frames("results/facesets/main/interview/alignments.fsa")
    exported = json.loads((typed.folder / "interview.json").read_text())
    assert {name: len(faces) for name, faces in exported.items() if faces} == faces_of(cleaned)
    assert list(exported) == list(cleaned)
    drawn = sorted((typed.folder / "drawn").iterdir())
    assert [path.name for path in drawn] == [f"interview_{number:06d}.png" for number in (1, 101, 201)]
    assert all(cv2.imread(str(path)) is not None for path in drawn)


@pytest.mark.parametrize("name", ["ordered.fsa", "with-identities.fsa", "smooth.fsa"])
def test_what_rewrites_alignments_keeps_their_frames_and_faces(typed: Typed, name: str) -> None:
    cleaned, written = typed.frames("results/facesets/main/interview/alignments.fsa"), typed.frames(name)
    assert list(written) == list(cleaned)
    assert faces_of(written) == faces_of(cleaned)
    identities = {key for entry in written.values() for face in entry["faces"] for key in face["identity"]}
    assert identities == ({"dlib_resnet_v1"} if name == "with-identities.fsa" else set())


def test_your_own_footage_in_five_minutes(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "config").mkdir(parents=True)
    (work / "config/config.yaml").write_text(block_with("sources: config/sources.tsv"))
    footage = tmp_path / "footage"
    for film in ("film1", "film2"):
        shutil.copytree(PHOTOS / "frames", footage / f"{film}_frames")
    shutil.copyfile(PHOTOS / "alignments.fsa", footage / "film1_frames/alignments.fsa")
    shutil.copyfile(PHOTOS / "alignments.fsa", footage / "film2.fsa")
    table = block_with("/footage/film1.mp4").replace("film1.mp4", "film1_frames")
    (work / "config/sources.tsv").write_text(table.replace("/footage/", f"{footage}/"))
    command = block_with("--snakefile <repository>").replace("<repository>", str(REPOSITORY))
    done = subprocess.run(
        shlex.split(command.replace("<work>", str(work))), cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Sources: 2, 28 frames, 64 faces" in done.stdout
    assert (work / "results/report.html").is_file()
    assert list((work / "results/facesets/main/faces").iterdir())

    profile = ("--workflow-profile", str(REPOSITORY / "profiles/cpu"), "--cores", "1")
    again = snakemake(work, *profile)
    assert again.nothing_to_do, "another device setting recomputes nothing"


def test_the_keep_list_shown_is_one(tmp_path: Path) -> None:
    path = tmp_path / "main.tsv"
    path.write_text(block_with("decision\tscope"))
    assert [row.scope for row in read_keep_list(path)] == ["cluster", "track", "face"]
