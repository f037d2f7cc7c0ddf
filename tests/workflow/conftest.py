"""The demo, run once from its footage for all tests of the workflow."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from faceset.project.project import REPOSITORY

DEMO = REPOSITORY / "demo"


@dataclass(frozen=True)
class Run:
    """One call of snakemake: its exit code, all it printed, and which targets computed or were known."""

    code: int
    text: str

    @property
    def computed(self) -> list[str]:
        return sorted(re.findall(r"^faceset: (.+): done$", self.text, re.MULTILINE))

    @property
    def stages(self) -> set[str]:
        return {target.split()[0] for target in self.computed}

    @property
    def planned(self) -> dict[str, int]:
        """How many jobs Snakemake planned of each rule, by its table of them."""
        _, _, table = self.text.partition("\nJob stats:\n")
        counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        assert counts.pop("total", 0) == sum(counts.values())
        return counts

    @property
    def nothing_to_do(self) -> bool:
        return "Nothing to be done" in self.text


OFFLINE = ("unshare", "--net", *(() if os.geteuid() == 0 else ("--map-root-user",)))
"""What a command line begins with to run with no network, not even loopback."""


def snakemake(
    folder: Path, *arguments: str, prefix: tuple[str, ...] = (), snakefile: Path = REPOSITORY / "Snakefile"
) -> Run:
    """Run the workflow in a working directory, as a user would."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--directory", folder]
    command = [*prefix, *command, *(arguments or ("--cores", "2"))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    return Run(done.returncode, done.stdout + done.stderr)


def make_demo_folder(folder: Path) -> Path:
    """A working directory like demo/, on the same footage."""
    assert (DEMO / "footage").is_dir(), "no demo footage: run `make setup` and `faceset demo demo`"
    shutil.copytree(REPOSITORY / "config" / "demo" / "config", folder / "config")
    (folder / "footage").symlink_to(DEMO / "footage")
    return folder


def all_bytes(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path, not following links."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@dataclass(frozen=True)
class Demo:
    folder: Path
    run: Run
    footage_before: dict[str, bytes]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo's working directory after a run from nothing on both cores."""
    folder = make_demo_folder(tmp_path_factory.mktemp("demo"))
    before = all_bytes(DEMO / "footage")
    run = snakemake(folder)
    assert run.code == 0, run.text
    return Demo(folder, run, before)
