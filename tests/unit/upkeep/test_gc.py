"""Promises of garbage collection: nothing that is named or was of use goes, all else does, and no run is disturbed."""

import os
import shutil
import tempfile
import time
from contextlib import chdir
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faceset.errors import FacesetError
from faceset.project.catalogue import Catalogue
from faceset.project.project import MODEL_CATALOGUE, Project
from faceset.project.validation import load_config
from faceset.store.actions import Action, Provenance
from faceset.store.locks import shared
from faceset.store.objects import Store
from faceset.upkeep.gc import SECONDS_A_DAY, collect
from faceset.workflow.priming import prime
from faceset.workflow.roots import Root, note_root
from two_sources import current, everything, run_all, settle

pytest_plugins = ("two_sources",)


def run(store: Path = Path("store"), keep_days: float = 0, dry_run: bool = False) -> str:
    said: list[str] = []
    collect(Store(store), keep_days, dry_run, said.append)
    return "\n".join(said)


def age(*paths: Path, days: float = 100) -> None:
    """Make files look as old as that."""
    moment = time.time() - days * SECONDS_A_DAY
    for path in paths:
        os.utime(path, (moment, moment), follow_symlinks=False)


def age_all(days: float = 100) -> None:
    age(*(path for path in Path("store").rglob("*") if path.is_file()), days=days)


@dataclass
class Made:
    """One action: what its outputs hold, how old it is, and in which working directories a record names it."""

    data: list[int]
    days: int
    roots: set[int] = field(default_factory=set)


PREFIXES = ("", "", "a/")  # of the results in each working directory
few = st.integers(0, len(PREFIXES) - 1)
made = st.builds(Made, st.lists(st.integers(0, 9), min_size=1, max_size=3), st.integers(0, 20), st.sets(few))


@settings(max_examples=40, deadline=None)
@given(st.lists(made, max_size=8), st.integers(0, 20), st.sets(few), st.lists(st.integers(10, 14)))
def test_in_any_store_exactly_what_is_named_or_was_of_use_stays(
    actions: list[Made], keep_days: int, gone: set[int], orphans: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        store = Store(folder / "store")
        with shared(store.root):
            pass  # the store is begun
        kept_actions, kept_objects = set(), set()
        in_store = Project(load_config({"store": str(store.root)}), {}, Catalogue(MODEL_CATALOGUE))
        for number, prefix in enumerate(PREFIXES):
            (folder / str(number)).mkdir()
            with chdir(folder / str(number)):
                note_root(replace(in_store, prefix=prefix))
        for number, of in enumerate(actions):
            with store.workspace() as work:
                outputs = {}
                for position, data in enumerate(of.data):
                    (work / "made").write_bytes(bytes([data]))
                    outputs[f"{position}"] = store.put(work / "made")
            provenance = Provenance("frames", tuple(outputs), settings={"number": number})
            key = provenance.key
            store.remember(Action(outputs, f"run {number}"), provenance, {"source": f"film{number}"})
            age(store.root / "actions" / key[:2] / f"{key}.json", days=of.days + 0.5)
            for root in of.roots:
                path = Root(folder / str(root), PREFIXES[root]).path(f"results/film{number}/frames.json")
                path.parent.mkdir(parents=True)
                path.write_bytes(Action(outputs, f"run {number}").to_bytes())
            if of.days < keep_days or of.roots - gone:
                kept_actions.add(key)
                kept_objects |= {artifact.sha256 for artifact in outputs.values()}
        for data in orphans:
            with store.workspace() as work:
                (work / "made").write_bytes(bytes([data]))
                store.put(work / "made")
        for number in gone:
            shutil.rmtree(folder / str(number))
        before = everything(store.root)
        run(store.root, keep_days, dry_run=True)
        assert everything(store.root) == before
        run(store.root, keep_days)
        assert {path.stem for path in store.root.glob("actions/*/*")} == kept_actions
        assert {path.name for path in store.root.glob("objects/*/*")} == kept_objects


@pytest.mark.usefixtures("folder")
def test_all_of_a_finished_project_stays_however_old_and_it_is_still_known() -> None:
    age_all()
    prime(current())  # of use again, so that files stay even if nothing named them
    before = everything(Path.cwd())
    assert "Removed: 0 objects, 0 cut faces, 0 actions; 0 bytes are free." in run()
    age_all()
    run()
    assert everything(Path.cwd()) == before
    assert prime(current()).missing == 0


def test_results_of_another_working_directory_stay_until_it_is_gone(folder: Path) -> None:
    other = folder.parent / "other"
    shutil.copytree(folder, other, symlinks=True)
    shutil.rmtree(other / "store")
    (other / "store").symlink_to(folder / "store")
    with chdir(other):
        settle()
    shutil.rmtree(folder / "results")
    age_all()
    assert str(other) in run()
    assert prime(current()).missing == 0
    shutil.rmtree(folder / "results")
    shutil.rmtree(other)
    age_all()
    run()
    assert not list(Path("store/objects").glob("*/*"))
    assert not list(Path("store/actions").glob("*/*"))
    assert not list(Path("store/cuts").rglob("*.parquet"))


@pytest.mark.usefixtures("folder")
def test_faces_that_no_faceset_extracts_any_more_go_out_of_their_packs_and_the_others_stay() -> None:
    Path("config/keep").mkdir()
    Path("config/keep/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/b_0\n")
    prime(current())
    run_all()
    age_all()
    before = {picture.name: picture.read_bytes() for picture in Path("results/facesets/main/faces").iterdir()}
    assert ", 1 cut faces, " in run()
    shutil.rmtree("results")
    assert prime(current()).missing == 0
    assert {path.name: path.read_bytes() for path in Path("results/facesets/main/faces").iterdir()} == before
    assert "photos--b_0.png" not in before


@pytest.mark.usefixtures("folder")
def test_what_crashes_left_and_what_was_set_aside_long_ago_goes() -> None:
    store = Path("store")
    for name in ("tmp/left/half", "quarantine/old/bad", "quarantine/new/bad", "actions/00/.half"):
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_bytes(b"half")
    age(store / "quarantine/old")
    run(keep_days=30)
    assert not list(store.glob("tmp/*"))
    assert [path.name for path in store.glob("quarantine/*")] == ["new"]
    assert not list(store.glob("actions/*/.*"))


@pytest.mark.usefixtures("folder")
def test_while_a_run_uses_the_store_nothing_goes() -> None:
    before = everything(Path("store"))
    shutil.rmtree("results")
    with shared(Path("store")), pytest.raises(FacesetError, match="a run is using this store"):
        run()
    assert everything(Path("store")) == before


@pytest.mark.usefixtures("folder")
def test_a_record_that_can_not_be_read_stops_it() -> None:
    record = Path("results/photos/embed.json")
    record.write_text("{")
    before = everything(Path("store"))
    with pytest.raises(FacesetError, match=r"photos/embed\.json"):
        run()
    assert everything(Path("store")) == before


def test_days_are_no_less_than_none(folder: Path) -> None:
    with pytest.raises(FacesetError, match="from 0"):
        run(folder / "store", -1)
