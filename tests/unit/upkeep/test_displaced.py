"""Promises where something else stands in the place of a file of the store, or of a record.

Whatever reads it either goes on or says in one line what is wrong; after `verify`, the next run has all results again.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.store.objects import Store
from faceset.upkeep.du import usage_table
from faceset.upkeep.gc import collect
from faceset.upkeep.verify import verify
from faceset.workflow.priming import forecast, prime
from faceset.workflow.records import read_record
from two_sources import current, everything, run_all

pytest_plugins = ("two_sources",)

STORE = Store(Path("store"))


def quiet(line: str) -> None:
    """Tells nobody."""


def action_of(stage: str) -> Path:
    return next(path for path in sorted(Path("store/actions").glob("*/*")) if f'"stage":"{stage}"' in path.read_text())


def object_of(result: str) -> Path:
    return Path("results", result).resolve()


def folder_in_place(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def loop_in_place(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def file_in_place_of_its_folder(path: Path) -> None:
    shutil.rmtree(path.parent)
    path.parent.write_bytes(b"what is this")


def endless_size(path: Path) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"size":', '"size":Infinity,"was":', 1))


def deep(path: Path) -> None:
    path.write_text("[" * 100_000)


IN_PLACE = (folder_in_place, loop_in_place, file_in_place_of_its_folder)
Damage = Callable[[Path], None]


@pytest.mark.parametrize("place", [lambda: action_of("cluster"), lambda: object_of("clusters.parquet")], ids="ao")
@pytest.mark.parametrize("damage", IN_PLACE)
@pytest.mark.usefixtures("folder")
def test_verify_takes_away_what_is_no_file_and_the_next_run_has_all_again(
    damage: Damage, place: Callable[[], Path]
) -> None:
    before = everything(Path("results"))
    damage(place())
    assert not verify(STORE, quiet)
    prime(current())
    run_all()
    assert everything(Path("results")) == before
    assert verify(STORE, quiet)


@pytest.mark.parametrize("place", [lambda: action_of("cluster"), lambda: object_of("clusters.parquet")], ids="ao")
@pytest.mark.parametrize("damage", IN_PLACE)
@pytest.mark.usefixtures("folder")
def test_a_run_heals_it_without_verify(damage: Damage, place: Callable[[], Path]) -> None:
    before = everything(Path("results"))
    damage(place())
    prime(current())
    run_all()
    assert everything(Path("results")) == before


@pytest.mark.parametrize("damage", [endless_size, deep])
@pytest.mark.usefixtures("folder")
def test_an_action_that_is_nonsense_is_none(damage: Damage) -> None:
    path = action_of("cluster")
    damage(path)
    assert "cluster" in forecast(current())
    prime(current())
    run_all()
    assert verify(STORE, quiet)


@pytest.mark.parametrize("damage", [folder_in_place, loop_in_place, endless_size, deep])
@pytest.mark.usefixtures("folder")
def test_a_record_that_is_none_is_said_by_whoever_reads_it(damage: Damage) -> None:
    record = Path("results/cluster.json")
    damage(record)
    with pytest.raises(FacesetError, match=r"results/cluster\.json: "):
        read_record(record)
    with pytest.raises(FacesetError, match=r"so what it needs is not known|not a record of Faceset's"):
        collect(STORE, 0, True, quiet)
    with suppress(FacesetError):
        prime(current())
    if damage is not folder_in_place and damage is not loop_in_place:
        assert read_record(record).outputs, "what is a file of ours is written again"


@pytest.mark.usefixtures("folder")
def test_a_root_that_is_no_file_keeps_everything_where_it_is() -> None:
    (root,) = Path("store/roots").iterdir()
    folder_in_place(root)
    with pytest.raises(FacesetError, match=r"damaged\. Delete it"):
        collect(STORE, 0, False, quiet)


@pytest.mark.parametrize("damage", IN_PLACE)
@pytest.mark.usefixtures("folder")
def test_what_takes_how_much_is_told_all_the_same(damage: Damage) -> None:
    damage(action_of("cluster"))
    assert "crop" in usage_table(STORE)
