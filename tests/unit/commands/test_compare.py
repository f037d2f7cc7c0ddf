"""Promises of comparing two clusterings: what is told of clusters, and of the keep-list rows that they touch."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from faceset.alignments.tables import FACES
from faceset.commands.compare import compare, compare_clusters, find_table, read_clusters
from faceset.decisions.keep_list import HEADER
from faceset.errors import FacesetError
from faceset.face_ids import split_face_id
from faceset.people.tables import CLUSTERS
from faceset.stages.table import STAGES
from faceset.store.actions import Action
from faceset.store.objects import Store
from faceset.workflow.records import publish
from factory import ids, project, write_project, write_rows

A, B, C = ids("film", 6), ids("film", 6, 1), ids("more", 4)


def clusters(path: Path, groups: dict[str, Sequence[str]]) -> Path:
    """A clusters table of faces by cluster; a face's track is its source's in the cluster."""
    rows = [
        {"face_id": face, "source": face.split("/")[0], "track": f"{face.split('/')[0]} {name}", "cluster": name}
        for name, faces in groups.items()
        for face in faces
    ]
    return write_rows(path, CLUSTERS, sorted(rows, key=lambda row: row["face_id"]))


def told(
    folder: Path, old: dict[str, Sequence[str]], new: dict[str, Sequence[str]], rows: Sequence[str] = ()
) -> list[str]:
    """What is said of two clusterings, under a keep-list whose cells are separated by blanks."""
    keep_list = folder / "main.tsv"
    keep_list.write_text("\n".join([HEADER, *("\t".join(row.split(" ")) for row in rows)]))
    faces: dict[str, Path] = {}
    for source in ("film", "more"):
        now = sorted(face for group in new.values() for face in group if face.startswith(source))
        frames = [
            {"face_id": face, "frame": split_face_id(face)[1], "x": 100 * split_face_id(face)[2], "w": 50, "h": 50}
            for face in now
        ]
        faces[source] = write_rows(folder / source, FACES, frames)
    lines: list[str] = []
    before, after = clusters(folder / "old", old), clusters(folder / "new", new)
    compare(before, after, {"main": keep_list}, {"main": faces}, lines.append)
    return lines


def block(lines: Sequence[str], title: str) -> list[str]:
    """The lines under a title."""
    start = next(number for number, line in enumerate(lines) if line.startswith(title))
    end = next((number for number in range(start + 1, len(lines)) if not lines[number].startswith(" ")), len(lines))
    return [line.strip() for line in lines[start + 1 : end]]


def test_equal_clusters_are_all_unchanged(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A, "b": B}, {"a": A, "b": B}, ["keep cluster film/000001_0"])
    assert lines[0] == "12 faces of 2 people before, 12 of 2 now; 12 of these faces are the same."
    assert [line for line in lines[1:] if not line.endswith(": 0")] == ["Unchanged: 2"]


def test_a_merge_tells_how_much_of_each_went_in(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A, "b": B[:4], "c": B[4:]}, {"a": [*A, *B[:3]], "b": [B[3]], "c": B[4:]})
    assert block(lines, "Merged: 1") == ["a, 9 faces now, holds", "6 of 6 faces of a", "3 of 4 faces of b"]
    assert block(lines, "Split: 1") == [
        "b, 4 faces before, went into",
        "a, 9 faces now, with 3",
        "b, 1 face now, with 1",
    ]
    assert lines[-2:] == ["Unchanged: 1", "Keep-list rows that reach other faces: 0"]


def test_a_split_tells_where_the_parts_went(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A}, {"a": A[:4], "x": A[4:]})
    assert block(lines, "Split: 1") == [
        "a, 6 faces before, went into",
        "a, 4 faces now, with 4",
        "x, 2 faces now, with 2",
    ]


def test_a_small_cluster_taken_in_by_a_part_of_a_large_one_is_not_lost_sight_of(tmp_path: Path) -> None:
    found = compare_clusters(
        read_clusters(clusters(tmp_path / "old", {"large": [*A, *C], "small": B[:2]})),
        read_clusters(clusters(tmp_path / "new", {"large": A, "part": [*C, *B[:2]]})),
    )
    assert [share.old for share in found.merged["part"]] == ["large", "small"]
    assert [share.new for share in found.split["large"]] == ["large", "part"]
    assert not found.vanished
    assert not found.appeared


def test_added_and_removed_sources_show_as_appeared_vanished_and_changed(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A, "b": B}, {"a": [*A[1:], *C[:2]], "c": C[2:]})
    assert block(lines, "Appeared: 1") == ["c, 2 faces"]
    assert block(lines, "Vanished: 1") == ["b, 6 faces"]
    assert block(lines, "Changed: 1") == ["a, 6 faces before, 7 now (+2 -1)"]


def test_a_new_name_for_the_same_faces_is_told_as_such(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A, "b": B}, {"a": A, "x": B})
    assert block(lines, "Of the same faces under another name: 1") == ["b -> x, 6 faces"]
    assert "Unchanged: 1" in lines


def test_clusters_are_listed_with_the_largest_first_then_by_name(tmp_path: Path) -> None:
    lines = told(tmp_path, {"a": A}, {"a": A, "z": C[:2], "y": C[2:], "x": B[:3]})
    assert block(lines, "Appeared: 3") == ["x, 3 faces", "y, 2 faces", "z, 2 faces"]


def test_rows_that_reach_other_faces_are_told_and_others_not(tmp_path: Path) -> None:
    rows = [f"keep cluster {A[0]}", f"drop track {B[0]}", f"drop cluster {C[0]}", f"drop face {A[1]}"]
    lines = told(tmp_path, {"a": A, "b": B, "c": C}, {"a": [*A, *B[:2]], "b": B[2:], "c": C}, rows)
    assert block(lines, "Keep-list rows that reach other faces: 2") == [
        f"main, line 2 (keep cluster {A[0]}): 6 faces before, 8 now (+2 -0)",
        f"main, line 3 (drop track {B[0]}): 6 faces before, 8 now (+6 -4)",
    ]


def test_a_row_about_a_face_that_is_gone_is_told_with_what_it_reached(tmp_path: Path) -> None:
    rows = [f"keep cluster {A[0]} 0,0,50,50", f"drop face {A[0]}"]
    lines = told(tmp_path, {"a": A, "b": B}, {"a": A[1:], "b": B}, rows)
    assert block(lines, "Keep-list rows that reach other faces: 2") == [
        f"main, line 2 (keep cluster {A[0]}): 6 faces before, 0 now (+0 -6)",
        f"main, line 3 (drop face {A[0]}): 1 face before, 0 now (+0 -1)",
    ]


def test_a_row_means_the_face_at_its_box_as_in_the_manifest(tmp_path: Path) -> None:
    rows = [f"keep cluster {A[0]} 100,0,50,50"]
    lines = told(tmp_path, {"a": A, "b": B}, {"a": A, "b": B[:5], "c": [B[5]]}, rows)
    assert block(lines, "Keep-list rows") == [f"main, line 2 (keep cluster {A[0]}): 6 faces before, 5 now (+0 -1)"]


def test_a_table_is_found_by_its_folder_and_by_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    of = project()
    store = of.store
    with store.workspace() as folder:
        names = {name: clusters(folder / name, {"a": A}) for name in STAGES["cluster"].outputs}
        action = Action({name: store.put(path) for name, path in names.items()}, "cpu")
    publish(of, STAGES["cluster"], {}, action)
    table = store.object_path(action.outputs["clusters"])
    Path("results/cluster.json").rename("before.json")
    assert find_table(Path("results"), store).resolve() == table.resolve()
    assert find_table(Path("before.json"), store) == table
    table.unlink()
    with pytest.raises(FacesetError, match=r"before\.json: the store store no longer has the clusters"):
        find_table(Path("before.json"), store)


def test_what_is_no_clusters_table_is_named(tmp_path: Path) -> None:
    other = write_rows(tmp_path / "faces.parquet", FACES, [])
    text = tmp_path / "notes.parquet"
    text.write_text("no table")
    for path in (other, text):
        with pytest.raises(FacesetError, match=f"{path.name}: not a .*clusters table"):
            read_clusters(path)
    with pytest.raises(FacesetError, match=r"nowhere: no such file\. Name a clusters\.parquet"):
        find_table(tmp_path / "nowhere", Store(tmp_path / "store"))


def test_a_table_of_another_version_is_read_by_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    columns = {"face_id": A, "track": A, "cluster": ["a"] * len(A), "colour": ["red"] * len(A)}
    pq.write_table(pa.table(columns), path)
    assert read_clusters(path)["cluster"].to_dict() == dict.fromkeys(A, "a")
