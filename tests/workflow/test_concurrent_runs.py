"""Promises of one store that many runs use at once."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

from conftest import Run, all_bytes
from faceset.digests import file_digest
from faceset.project.project import REPOSITORY
from faceset.store.locks import CLAIMS
from test_bad_input import make_project

RUNS = 8
SMALLER = 4  # of them, with another size of pictures
OF_THE_SIZE = {"extract", "assemble", "crate"}


def test_eight_runs_on_one_store_make_everything_once_and_all_get_it(tmp_path: Path) -> None:
    folders = []
    for number in range(RUNS):
        folder = make_project(tmp_path / str(number))
        size = 64 if number < SMALLER else 128
        with (folder / "config/config.yaml").open("a") as config:
            config.write(
                f"store: {tmp_path / 'store'}\nfacesets: {{main: {{policy: all, extract: {{size_px: {size}}}}}}}\n"
            )
        folders.append(folder)
    command = [sys.executable, "-m", "snakemake", "--snakefile", REPOSITORY / "Snakefile", "--cores", "1"]
    running = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for folder in folders
    ]
    runs = [Run(run.wait(), text) for run in running for text in [run.communicate()[0]]]
    assert [run.code for run in runs] == [0] * RUNS, next(run.text for run in runs if run.code)

    made = Counter(target for run in runs for target in run.computed)
    assert set(made) == {"cluster", "report"} | {target for target in made if " " in target}
    for target, times in made.items():
        assert times == (2 if target.split()[0] in OF_THE_SIZE else 1), (target, times)
    for same in (folders[:SMALLER], folders[SMALLER:]):
        first, *others = [all_bytes(folder / "results") for folder in same]
        for other in others:
            different = {name for name in first.keys() | other.keys() if first.get(name) != other.get(name)}
            assert all(name.endswith(".faces.json") for name in different)  # these hold times
    objects = list((tmp_path / "store/objects").rglob("*"))
    assert all(file_digest(path) == path.name for path in objects if path.is_file())
    assert list((tmp_path / "store" / CLAIMS).iterdir()) == []
    assert list((tmp_path / "store/tmp").iterdir()) == []
