"""What the README says to type works as it stands there."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

from conftest import snakemake
from test_bad_input import PHOTOS

from faceset.keep_list import read_keep_list
from faceset.project import REPOSITORY

README = (REPOSITORY / "README.md").read_text()
BLOCKS = [
    re.sub(r"^   ", "", block, flags=re.MULTILINE) for block in re.findall(r"```\w*\n(.*?)```", README, re.DOTALL)
]


def block_with(text: str) -> str:
    (block,) = [block for block in BLOCKS if text in block]
    return block


def test_every_link_leads_somewhere() -> None:
    for document in ("README.md", "profiles/README.md", "config/README.md", "docs/tables.md"):
        folder = (REPOSITORY / document).parent
        for target in re.findall(r"\]\(([^)#]+)\)", (REPOSITORY / document).read_text()):
            assert (folder / target).exists(), f"{document}: {target}"


def test_make_demo_ends_with_the_summary_and_is_done_once() -> None:
    assert "make demo" in BLOCKS[0]
    first = subprocess.run(["make", "demo"], cwd=REPOSITORY, capture_output=True, text=True)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "People: 4 " in first.stdout
    assert "Next: open results/report.html" in first.stdout
    second = subprocess.run(["make", "demo"], cwd=REPOSITORY, capture_output=True, text=True)
    assert second.returncode == 0
    assert ": done" not in second.stdout + second.stderr
    assert "People: 4 " in second.stdout


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
    assert again.nothing_to_do, "another device setting makes nothing anew"


def test_the_keep_list_shown_is_one(tmp_path: Path) -> None:
    path = tmp_path / "main.tsv"
    path.write_text(block_with("decision\tscope"))
    assert [row.scope for row in read_keep_list(path)] == ["cluster", "track", "face"]


def test_every_command_shown_is_one() -> None:
    from faceset.__main__ import _parser

    lines = [line.split("#")[0].split() for line in block_with("faceset install").splitlines() if line]
    for words in lines:
        assert words[0] == "faceset"
        _parser().parse_args(words[1:])
