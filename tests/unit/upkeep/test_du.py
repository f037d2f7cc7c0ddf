"""Promises of the store's disk usage: every object is counted once, in the row of its stage and source."""

import shutil
from pathlib import Path

import pytest

from faceset.store.objects import Store
from faceset.upkeep.contents import people_bytes
from faceset.upkeep.du import usage_table

pytest_plugins = ("two_sources",)


def table() -> dict[str, str]:
    """The lines by what they begin with, their size's unit and number."""
    lines = usage_table(Store(Path("store"))).splitlines()
    return {" ".join(line.split()[:-3]): " ".join(line.split()[-3:]) for line in lines}


@pytest.mark.usefixtures("folder")
def test_every_result_has_its_row_and_all_are_counted_once() -> None:
    rows = table()
    chips = Path("results/photos/chips.parquet").stat().st_size
    measures = Path("results/photos/measures.parquet").stat().st_size
    assert rows["crop photos"] == f"2 {people_bytes(chips + measures)}"
    assert {"frames more", "embed more", "cluster", "manifest main", "extract main photos", "report"} <= rows.keys()
    objects = list(Path("store/objects").glob("*/*"))
    total = sum(path.stat().st_size for path in objects)
    assert rows["all objects"] == f"{len(objects)} {people_bytes(total)}"
    counted = [int(row.split()[0]) for name, row in rows.items() if row[0].isdigit() and name != "all objects"]
    assert sum(counted) == len(objects)
    assert "cuts" in usage_table(Store(Path("store")))


@pytest.mark.usefixtures("folder")
def test_equal_results_of_several_have_one_row_and_what_nothing_names_another() -> None:
    text = usage_table(Store(Path("store")))
    assert "(several): equal results of several rows, kept and counted once." in text  # tables of no problems
    assert "(none)" not in text
    shutil.rmtree("store/actions")
    assert "(none): named by no action" in usage_table(Store(Path("store")))


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (1_440_000_000, "1.4 GB"),
     (2 * 10**15, "2,000.0 TB")],
)  # fmt: skip
def test_sizes_are_for_people(size: int, said: str) -> None:
    assert people_bytes(size) == said
