"""Promises of clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.errors import FacesetError
from faceset.face_ids import face_id
from faceset.models.embeddings import Metric
from faceset.people import neighbours
from faceset.people.clusters import (
    MERGE_CANDIDATE_SHARE,
    ClusterOutputs,
    Rules,
    SourceTables,
    face_weights,
    make_clusters,
    weighted_means,
)
from faceset.people.grouping import LINKAGE_SHARE
from faceset.people.tables import CLUSTERS, MERGE_CANDIDATES, SPLIT_CANDIDATES, STRICTNESS_CHANGES, TRACKS
from faceset.tables.parquet import read_table
from factory import write_rows, write_vectors

THRESHOLD = 0.6
OUTPUTS = ("clusters.parquet", "merge_candidates.parquet", "split_candidates.parquet", "strictness_changes.parquet")


Face = tuple[str, int, int, str, NDArray[np.float64]]
"""Source, frame, index, track and embedding of a face."""


def clusters(
    folder: Path,
    faces: Sequence[Face],
    sources: Sequence[str] = (),
    metrics: Mapping[str, Metric] | None = None,
    **rules: Any,
) -> pd.DataFrame:
    """The clusters table of some faces, by face id."""
    tables = {}
    for source in sources or sorted({face[0] for face in faces}):
        here = [face for face in faces if face[0] == source]
        names = [face_id(source, f"{frame:06d}", index) for _, frame, index, _, _ in here]
        of_source = folder / source
        of_source.mkdir(exist_ok=True)
        rows: list[dict[str, Any]] = [
            {"face_id": name, "frame": f"{face[1]:06d}", "position": face[1]}
            for name, face in zip(names, here, strict=True)
        ]
        tracks = [{"face_id": name, "track": face[3]} for name, face in zip(names, here, strict=True)]
        vectors = np.array([face[4] for face in here]).reshape(len(here), 4)
        metric = (metrics or {}).get(source, "euclidean")
        measures = [{"face_id": name, "size": 100, "blur": 1} for name in names]
        tables[source] = SourceTables(
            faces=write_rows(of_source / "faces.parquet", FACES, rows),
            measures=write_rows(of_source / "measures.parquet", MEASURES, measures),
            embeddings=write_vectors(of_source / "embeddings.parquet", names, vectors, metric),
            tracks=write_rows(of_source / "tracks.parquet", TRACKS, tracks),
        )
    make_clusters(tables, Rules(THRESHOLD, **rules), ClusterOutputs(*(folder / name for name in OUTPUTS)))
    table = read_table(folder / "clusters.parquet", CLUSTERS).to_pandas()
    assert table["face_id"].is_monotonic_increasing
    return table.set_index("face_id")


def at(*values: float) -> NDArray[np.float64]:
    return np.array([*values, 0, 0, 0, 0][:4], np.float64)


def test_one_person_over_two_sources_is_one_cluster(tmp_path: Path) -> None:
    found = clusters(
        tmp_path,
        [("b", 1, 0, "b/1", at(0.1)), ("a", 1, 0, "a/1", at(0)), ("a", 1, 1, "a/2", at(5)), ("b", 2, 0, "b/2", at(5))],
    )
    assert found["cluster"].nunique() == 2
    assert found.loc["a/000001_0", "cluster"] == found.loc["b/000001_0", "cluster"]
    assert found.loc["a/000001_1", "cluster"] == found.loc["b/000002_0", "cluster"]
    assert found["source"].tolist() == ["a", "a", "b", "b"]


def test_frames_of_one_name_in_two_sources_are_not_one_frame(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", 1, 0, "a/1", at(0)), ("b", 1, 0, "b/1", at(0))])
    assert found["cluster"].nunique() == 1


def test_two_faces_of_one_frame_are_two_people_however_alike(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", 1, 0, "a/1", at(0)), ("a", 1, 1, "a/2", at(0))])
    assert found["cluster"].tolist() == ["a/000001_0", "a/000001_1"]


def test_a_cluster_is_named_by_its_medoid(tmp_path: Path) -> None:
    places = (0.0, 0.2, 0.25, 0.5)
    found = clusters(tmp_path, [("a", frame, 0, f"a/{frame}", at(x)) for frame, x in enumerate(places)])
    assert set(found["cluster"]) == {"a/000002_0"}
    np.testing.assert_allclose(found["distance"], np.abs(np.array(places) - np.mean(places)), atol=1e-6)


def test_of_several_medoids_the_first_id_names_the_cluster(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", frame, 0, "a/1", at(0.25)) for frame in (3, 1, 2)])
    assert set(found["cluster"]) == {"a/000001_0"}


def test_a_face_beyond_the_threshold_is_an_outlier(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", frame, 0, "a/1", at(0 if frame else 0.9)) for frame in range(10)])
    assert found["outlier"].tolist() == [True] + [False] * 9


def test_the_order_puts_clusters_and_tracks_side_by_side(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    faces = [
        ("a", 10 * track + frame, 0, f"a/{track}", at(5 * (track % 3)) + random.normal(0, 0.05, 4))
        for track in range(9)
        for frame in (1, 0)
    ]
    found = clusters(tmp_path, faces).sort_values("order")
    assert found["order"].tolist() == list(range(18))
    for column, groups in (("cluster", 3), ("track", 9)):
        assert (found[column] != found[column].shift()).sum() == groups
    assert all(part.index.is_monotonic_increasing for _, part in found.groupby("track"))


def test_the_order_of_rows_and_sources_changes_no_byte(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    faces = [
        (source, frame, 0, f"{source}/{frame // 4}", at(frame // 4 % 3) + random.normal(0, 0.1, 4))
        for source in ("a", "b")
        for frame in range(20)
    ]
    clusters(tmp_path, faces)
    expected = [(tmp_path / name).read_bytes() for name in OUTPUTS]
    clusters(tmp_path, [faces[place] for place in random.permutation(len(faces))], sources=("b", "a"))
    assert [(tmp_path / name).read_bytes() for name in OUTPUTS] == expected


def test_neither_threads_nor_the_order_of_rows_change_a_byte_where_the_search_is_by_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "EXACT_PAIRS", 50_000)
    random = np.random.default_rng(1)
    person = random.integers(0, 60, 1500)
    vectors = random.normal(size=(60, 4))[person] + random.normal(0, 0.08, (1500, 4))
    faces = [("a", n // 2, n % 2, f"a/{n // 8}_{n % 2}", vectors[n]) for n in range(1500)]
    made = []
    threads = faiss.omp_get_max_threads()
    try:
        for count in (1, 2):
            faiss.omp_set_num_threads(count)
            clusters(tmp_path, [faces[place] for place in random.permutation(1500)])
            made.append([(tmp_path / name).read_bytes() for name in OUTPUTS])
    finally:
        faiss.omp_set_num_threads(threads)
    assert made[0] == made[1]


def test_two_clusters_that_may_be_one_person_are_listed_the_larger_first(tmp_path: Path) -> None:
    near = THRESHOLD * (1 + MERGE_CANDIDATE_SHARE) / 2
    faces = [("a", 1, 0, "a/1", at(0)), ("a", 2, 0, "a/2", at(near)), ("a", 3, 0, "a/2", at(near))]
    far = ("a", 9, 0, "a/9", at(0, THRESHOLD * MERGE_CANDIDATE_SHARE + 0.1))
    clusters(tmp_path, [*faces, far])
    (pair,) = read_table(tmp_path / "merge_candidates.parquet", MERGE_CANDIDATES).to_pylist()
    assert (pair["cluster"], pair["other"]) == ("a/000002_0", "a/000001_0")
    assert pair["distance"] == pytest.approx(near)


def test_two_clusters_seen_in_one_frame_are_not_listed_as_one_person(tmp_path: Path) -> None:
    clusters(tmp_path, [("a", 1, 0, "a/1", at(0)), ("a", 1, 1, "a/2", at(0.1))])
    assert len(read_table(tmp_path / "merge_candidates.parquet", MERGE_CANDIDATES)) == 0


def test_no_faces_make_no_clusters(tmp_path: Path) -> None:
    assert clusters(tmp_path, [], sources=("a", "b")).empty
    assert len(clusters(tmp_path, [("a", 1, 0, "a/1", at(0))], sources=("a", "b"))) == 1


def test_embeddings_of_different_models_are_refused(tmp_path: Path) -> None:
    faces = [("a", 1, 0, "a/1", at(1)), ("b", 1, 0, "b/1", at(1))]
    with pytest.raises(FacesetError, match="of different models"):
        clusters(tmp_path, faces, metrics={"b": "cosine"})


def crowd(source: str, people: int, frames: int, seed: int) -> list[Face]:
    """Faces of people that a source shows again and again, each face a track of its own."""
    random = np.random.default_rng(seed)
    return [
        (source, frame, person, f"{source}/{frame}_{person}", np.eye(4)[person] + random.normal(0, 0.05, 4))
        for frame in range(frames)
        for person in range(people)
    ]


def test_a_new_source_changes_no_name_of_clusters_it_adds_nobody_to(tmp_path: Path) -> None:
    old = crowd("b", people=3, frames=8, seed=0)
    before = clusters(tmp_path, old)
    stranger = [(*face[:4], face[4] - 3) for face in crowd("a", people=1, frames=5, seed=1)]
    after = clusters(tmp_path, [*stranger, *old])
    pd.testing.assert_series_equal(after.loc[before.index, "cluster"], before["cluster"])
    assert after["cluster"].nunique() == before["cluster"].nunique() + 1


def test_the_next_cluster_is_told_and_how_far_it_is(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", n, 0, f"a/{n}", at(x)) for n, x in enumerate((0, 0.1, 2, 2.1, 6))])
    assert found["next_cluster"].tolist() == ["a/000002_0", "a/000002_0", "a/000000_0", "a/000000_0", "a/000002_0"]
    np.testing.assert_allclose(found["next_distance"], [2.05, 1.95, 1.95, 2.05, 3.95], atol=1e-6)


def test_a_cluster_alone_has_no_next_one(tmp_path: Path) -> None:
    found = clusters(tmp_path, [("a", 1, 0, "a/1", at(0))])
    assert found["next_cluster"].isna().all()
    assert found["next_distance"].isna().all()


def test_where_duplicates_are_allowed_a_mirror_shows_the_same_person(tmp_path: Path) -> None:
    mirror = [("a", 1, 0, "a/1", at(0)), ("a", 1, 1, "a/2", at(0))]
    assert clusters(tmp_path, mirror)["cluster"].nunique() == 2
    assert clusters(tmp_path, mirror, duplicates=["a"])["cluster"].nunique() == 1
    assert clusters(tmp_path, mirror, duplicates=["b"])["cluster"].nunique() == 2


def test_strictness_moves_what_is_one_person(tmp_path: Path) -> None:
    faces = [("a", 1, 0, "a/1", at(0)), ("a", 2, 0, "a/2", at(THRESHOLD))]
    for scale, people in ((0.5, 2), (1, 2), (1.5, 1)):
        assert clusters(tmp_path, faces, threshold_scale=scale)["cluster"].nunique() == people


def test_ward_regards_neither_tracks_nor_frames(tmp_path: Path) -> None:
    faces = [
        ("a", frame, person, f"a/{frame % 2}", at(*vector))
        for frame in range(5)
        for person, vector in enumerate(((0, 0), (0, 0.01), (0, 20), (30, 0), (30, 20)))
    ]
    found = clusters(tmp_path, faces, method="ward")
    of_person = found.groupby(found.index.str[-1])["cluster"]
    assert of_person.nunique().tolist() == [1] * 5
    first = of_person.first()
    assert first["0"] == first["1"] != first["3"]


def test_a_cluster_of_two_people_is_listed_with_the_smaller_one_s_medoid(tmp_path: Path) -> None:
    near = 0.8 * THRESHOLD
    faces = [("a", n, 0, f"a/{n}", at(near * (n >= 9), 0.001 * n)) for n in range(14)]
    assert clusters(tmp_path, faces)["cluster"].nunique() == 1
    (doubt,) = read_table(tmp_path / "split_candidates.parquet", SPLIT_CANDIDATES).to_pylist()
    assert (doubt["face"], doubt["faces"]) == ("a/000011_0", 5)
    assert doubt["distance"] == pytest.approx(near, abs=1e-3)
    assert doubt["share"] > 0.99


def test_one_person_is_no_doubt(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    clusters(tmp_path, [("a", n, 0, f"a/{n}", random.normal(0, 0.05, 4)) for n in range(60)])
    assert len(read_table(tmp_path / "split_candidates.parquet", SPLIT_CANDIDATES)) == 0


def test_strictness_changes_tell_who_would_be_merged_and_who_would_be_split(tmp_path: Path) -> None:
    loose, tight = (THRESHOLD * (1 + shift) * LINKAGE_SHARE for shift in (0.05, -0.05))
    faces = [
        *(("a", n, 0, f"a/{n}", at(0)) for n in range(6)),
        *(("a", n, 0, f"a/{n}", at(loose)) for n in range(10, 15)),
        *(("a", n, 0, f"a/{n}", at(9)) for n in range(20, 25)),
        *(("a", n, 0, f"a/{n}", at(9, tight)) for n in range(30, 36)),
        *(("a", n, 0, f"a/{n}", at(0, 9)) for n in range(40, 44)),
    ]
    assert clusters(tmp_path, faces)["cluster"].nunique() == 4
    assert read_table(tmp_path / "strictness_changes.parquet", STRICTNESS_CHANGES).to_pylist() == [
        {"direction": "looser", "cluster": "a/000000_0", "other": "a/000010_0"},
        {"direction": "stricter", "cluster": "a/000030_0", "other": None},
    ]
    for change, count in ((0.1, 3), (-0.1, 5)):
        assert clusters(tmp_path, faces, threshold_scale=1 + change)["cluster"].nunique() == count


def test_large_sharp_faces_count_most_in_a_track() -> None:
    measures = pd.DataFrame({"size": [100.0, 50, 100, 30, 7], "blur": [2.0, 2, 0, 0, 9]})
    found = face_weights(measures, np.array(["one", "one", "one", "two", "three"]))
    np.testing.assert_allclose(found, [1, 0.5, 0.05, 0.05, 1])


def test_means_are_those_of_each_group_whatever_the_order() -> None:
    random = np.random.default_rng(0)
    vectors, groups = random.normal(size=(200, 5)).astype(np.float32), random.permutation(200) % 7
    weights = random.random(200) + 0.1
    expected = [np.average(vectors[groups == group], axis=0, weights=weights[groups == group]) for group in range(7)]
    np.testing.assert_allclose(weighted_means(vectors, groups, weights, 7), expected, atol=1e-6)
