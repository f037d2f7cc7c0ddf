"""Promises of forgetting: nothing of a source or faceset is left anywhere, all else is, and a scan finds leftovers."""

import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.people.tables import TRACKS
from faceset.store.actions import Action, Artifact, Instance, Provenance
from faceset.store.locks import shared
from faceset.store.objects import Store
from faceset.upkeep import forget as module
from faceset.upkeep.contents import ListedAction, Subject, read_actions
from faceset.upkeep.forget import forget
from faceset.upkeep.leftovers import find_leftovers
from faceset.workflow.priming import prime
from faceset.workflow.roots import Root
from factory import write_rows
from two_sources import current, everything, run_all, settle

pytest_plugins = ("two_sources",)

PHOTOS = ("source", "photos")
MORE = ("source", "more")
OTHER = ("faceset", "other")


def run(subject: Subject = PHOTOS, everywhere: bool = False, dry_run: bool = False) -> str:
    said: list[str] = []
    forget(Store(Path("store")), Root(Path.cwd()), subject, everywhere, dry_run, said.append)
    return "\n".join(said)


def put(data: Path) -> Artifact:
    store = Store(Path("store"))
    with store.workspace() as work:
        return store.put(data.rename(work / "made"))


def remember(stage: str, instance: Instance | None = None, **outputs: Artifact) -> str:
    """Have the store know a made-up action; returns its key."""
    provenance = Provenance(stage, tuple(outputs))
    Store(Path("store")).remember(Action(outputs, "cpu"), provenance, instance or {})
    return provenance.key


def frames_actions() -> list[ListedAction]:
    return [action for action in read_actions(Store(Path("store")))[0] if action.stage == "frames"]


def mine(folder: Path) -> dict[str, bytes]:
    """What is the user's."""
    return {
        path: data
        for path, data in everything(folder).items()
        if path.split("/")[0] in ("photos", "more", "config", "notes.txt")
    }


def edit_keep_list() -> None:
    """A result of today that differs, so that an old one is in the store too."""
    Path("config/keep").mkdir(exist_ok=True)
    Path("config/keep/main.tsv").write_text("decision\tscope\tface\ndrop\tface\tphotos/b_0\n")
    prime(current())
    run_all()


@pytest.mark.parametrize("name", ["photos", "more"])
def test_of_a_forgotten_source_no_byte_is_left_and_what_is_the_users_stays(folder: Path, name: str) -> None:
    edit_keep_list()
    before = mine(folder)
    tables = ("faces", "chips", "measures", "embeddings", "tracks")
    chips = {(folder / "results" / name / f"{table}.parquet").resolve() for table in tables}
    pictures = {path.read_bytes() for path in folder.glob(f"results/facesets/*/faces/{name}--*")}
    assert len(pictures) >= 2
    said = run(("source", name))
    assert f"nothing of the source {name} is among it" in said
    assert "Take its row out of sources.tsv" in said
    assert mine(folder) == before
    assert not any(path.exists() for path in chips)
    assert len(list(folder.glob("store/footage/*"))) == 2, "of the other source, here and where this was copied from"
    left = everything(folder)
    assert not pictures & set(left.values())
    elsewhere = {path: data for path, data in left.items() if path not in before and ".log" not in path}
    assert [path for path, data in elsewhere.items() if f"{name}/".encode() in data] == []
    assert [path for path in elsewhere if f"/{name}/" in path or f"/{name}--" in path] == []
    assert not (folder / "results/report.html").exists()


@pytest.mark.usefixtures("folder")
def test_what_is_of_other_sources_alone_stays_and_is_still_known() -> None:
    per_source = [path for path in Path("results/more").glob("*.json") if not path.is_symlink()]
    before = {path: path.read_bytes() for path in per_source}
    pictures = {path: path.read_bytes() for path in Path("results/facesets").glob("*/faces/more--*")}
    run()
    assert {path: path.read_bytes() for path in per_source} == before
    assert {path: path.read_bytes() for path in pictures} == pictures
    computed = run_all()
    assert not [target for target in computed if target.split()[0] in ("ingest", "crop", "embed") and "more" in target]
    assert [target for target in computed if target.startswith("extract") and target.endswith("more")] == []


def test_the_next_run_makes_all_of_it_again_as_it_was(folder: Path) -> None:
    before = everything(folder / "results")
    run()
    prime(current())
    assert run_all()
    after = everything(folder / "results")
    assert {path for path in before if before[path] != after.get(path)} <= {
        "facesets/main/.faces.json",
        "facesets/other/.faces.json",
    }


def test_of_a_forgotten_faceset_its_own_stages_go_and_the_shared_ones_stay(folder: Path) -> None:
    shutil.rmtree(folder / "logs", ignore_errors=True)
    before = mine(folder)
    edited = len(list((folder / "store/objects").glob("*/*")))
    said = run(("faceset", "main"))
    assert "config.yaml" in said
    assert mine(folder) == before
    assert not (folder / "results/facesets/main").exists()
    assert not list((folder / "store/cuts/photos").rglob("*.parquet"))
    assert list((folder / "store/cuts/more").rglob("*.parquet")), "other has them too"
    assert not (folder / "results/report.html").exists()
    assert 0 < len(list((folder / "store/objects").glob("*/*"))) < edited
    assert {target.split()[0] for target in run_all() if "main" not in target} == {"report"}


@pytest.mark.usefixtures("folder")
def test_of_two_facesets_with_the_same_faces_one_is_forgotten_and_the_other_keeps_all() -> None:
    kept = {path: path.read_bytes() for path in Path("results/facesets/main").rglob("*") if path.is_file()}
    run(OTHER)
    assert not Path("results/facesets/other").exists()
    assert {path: path.read_bytes() for path in kept} == kept
    shutil.rmtree("results/facesets/main/faces")
    prime(current())
    assert sorted(Path("results/facesets/main/faces").iterdir()) == sorted(
        path for path in kept if path.parent.name == "faces"
    )


def test_a_dry_run_changes_nothing(folder: Path) -> None:
    before = everything(folder)
    assert "Nothing was changed." in run(dry_run=True)
    assert {**everything(folder), "store/lock": b""} == {**before, "store/lock": b""}


@pytest.mark.usefixtures("folder")
def test_files_of_the_users_among_the_results_are_named_and_stay() -> None:
    for name in ("results/photos/notes.txt", "results/facesets/main/faces/mine.png"):
        Path(name).write_text("mine")
    said = run()
    for name in ("results/photos/notes.txt", "results/facesets/main/faces/mine.png"):
        assert name in said
        assert Path(name).read_text() == "mine"


@pytest.mark.parametrize("which", range(0, 24, 3))
def test_what_nothing_names_could_be_of_it_and_goes(folder: Path, which: int) -> None:
    (folder / "orphan").write_bytes(b"pixels of who knows whom")
    orphan = put(folder / "orphan")
    for name in ("quarantine/x/chips", "tmp/y/half", "cuts/photos/z/.half"):
        (folder / "store" / name).parent.mkdir(parents=True)
        (folder / "store" / name).write_bytes(b"faces")
    damaged = sorted((folder / "store/actions").glob("*/*"))[which]
    damaged.write_bytes(b"{")
    run()
    assert not Store(folder / "store").has(orphan)
    assert not list((folder / "store/quarantine").iterdir())
    assert not list((folder / "store/tmp").iterdir())
    assert not damaged.exists()


def test_another_working_directory_with_results_of_it_stops_it_unless_it_is_meant(folder: Path) -> None:
    other = folder.parent / "second"
    shutil.copytree(folder, other, symlinks=True)
    shutil.rmtree(other / "store")
    (other / "store").symlink_to(folder / "store")
    with chdir(other):
        settle()
    before = everything(folder)
    with pytest.raises(FacesetError, match=r"other working directories .*second.*--everywhere"):
        run()
    assert {**everything(folder), "store/lock": b""} == {**before, "store/lock": b""}
    run(everywhere=True)
    for path in (folder, other):
        assert not list(path.glob("results/facesets/*/faces/photos--*"))
        assert not (path / "results/photos").exists()
        assert not (path / "results/report.html").exists()


def test_a_second_source_with_the_same_footage_keeps_its_frames(folder: Path) -> None:
    shutil.rmtree(folder / "more")
    shutil.copytree(folder / "photos", folder / "more")
    settle()
    run_all()
    frames = (folder / "results/more/frames.parquet").resolve()
    assert frames == (folder / "results/photos/frames.parquet").resolve()
    (shared_action,) = [action for action in frames_actions() if frames.name in action.digests]
    assert shared_action.subjects == {PHOTOS, MORE}
    run(MORE)
    assert frames.exists()
    (left,) = [action for action in frames_actions() if frames.name in action.digests]
    assert (left.key, left.subjects) == (shared_action.key, {PHOTOS})
    assert b'"more"' not in left.path.read_bytes()
    assert not (folder / "results/more").exists()
    assert not [target for target in run_all() if "photos" in target and target.split()[0] in ("frames", "embed")]


def test_called_again_after_an_interruption_at_any_removal_it_ends_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = folder.parent / "whole"
    shutil.copytree(folder, whole, symlinks=True)
    shutil.rmtree(whole / "store/roots")
    with chdir(whole):
        run()
    remove, left = module.remove, [0]

    def interrupted(path: Path) -> int:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return remove(path)

    monkeypatch.setattr(module, "remove", interrupted)
    for removals in range(0, 200, 7):
        left[0] = removals
        try:
            run()
            break
        except KeyboardInterrupt:
            continue
    assert removals > 20
    stores = [set(everything(path / "store")) - {"lock"} for path in (folder, whole)]
    assert {path for path in stores[0] if not path.startswith("roots/")} == {
        path for path in stores[1] if not path.startswith("roots/")
    }


def test_the_scan_finds_what_was_planted_of_every_kind(folder: Path) -> None:
    run()
    store = Store(folder / "store")

    def left() -> list[str]:
        return find_leftovers(store, [Root(folder)], PHOTOS, {"ab" * 32}, set())

    assert left() == []
    table = put(write_rows(folder / "table", TRACKS, [{"face_id": "photos/a_0", "track": "more/d_0"}]))
    remember("somewhere", table=table)
    (folder / "page").write_text("<p>the largest cluster, photos/a_0, was kept")
    page = put(folder / "page")
    key = remember("x", {"source": "photos"})
    pack = folder / "store/cuts/photos/context/pack.parquet"
    pack.parent.mkdir(parents=True)
    pack.write_bytes(b"pixels")
    link = folder / "results/old.parquet"
    link.symlink_to(f"../store/objects/ab/{'ab' * 32}")
    found = "\n".join(left())
    for what in (table.sha256, page.sha256, key, str(pack), str(link)):
        assert what in found
    (folder / "innocent").write_text("<p>my-photos/a_0 photos photos/ xphotos/a_0")
    assert put(folder / "innocent").sha256 not in "\n".join(left())


def test_a_leftover_is_an_error(folder: Path) -> None:
    remember("foreign", table=put(write_rows(folder / "table", TRACKS, [{"face_id": "photos/a_0"}])))
    with pytest.raises(FacesetError, match="1 things are left of the source photos"):
        run()


@pytest.mark.usefixtures("folder")
def test_an_unknown_name_is_told_and_a_run_is_not_disturbed() -> None:
    with pytest.raises(FacesetError, match=r"nothing is known of the source foto; did you mean photos\?"):
        run(("source", "foto"))
    with pytest.raises(FacesetError, match="nothing is known of the faceset photos; known here: main, other"):
        run(("faceset", "photos"))
    with shared(Path("store")), pytest.raises(FacesetError, match="a run is using this store"):
        run()
