"""Promises of clusters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from faceset.clustering import PAIR_SHARE, group_tracks, likely_pairs, make_clusters, simultaneous_tracks
from faceset.embeddings import Metric, distances
from faceset.errors import FacesetError
from faceset.face_ids import face_id
from faceset.schemas import CLUSTERS, FACES, PAIRS, TRACKS
from faceset.tables import read_table
from factory import write_rows, write_vectors

THRESHOLD = 0.6
NOTHING = np.empty((0, 2), np.int64)


def partition(labels: NDArray[np.int64]) -> set[frozenset[int]]:
    """Which items are together, whatever the labels are called."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


def by_the_book(apart: NDArray[np.float64], cannot_link: set[tuple[int, int]]) -> set[frozenset[int]]:
    """Average linkage as defined: join the two nearest groups until none are near enough."""
    groups = [frozenset({item}) for item in range(len(apart))]
    while True:
        joins = [
            (float(np.mean([apart[one, two] for one in a for two in b])), a, b)
            for place, a in enumerate(groups)
            for b in groups[:place]
            if not any((min(one, two), max(one, two)) in cannot_link for one in a for two in b)
        ]
        near = [join for join in joins if join[0] <= THRESHOLD]
        if not near:
            return set(groups)
        _, a, b = min(near, key=lambda join: join[0])
        groups = [group for group in groups if group not in (a, b)] + [a | b]


def cloud(seed: int, count: int) -> NDArray[np.float64]:
    """Vectors of a few people, near enough to each other that some pairs are in doubt."""
    random = np.random.default_rng(seed)
    people = random.normal(0, 0.4, (3, 4))
    return np.asarray(people[random.integers(0, 3, count)] + random.normal(0, 0.2, (count, 4)))


some_pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda pair: pair[0] < pair[1]))


@given(st.integers(0, 10**6), st.integers(2, 12))
def test_without_constraints_it_is_average_linkage(seed: int, count: int) -> None:
    vectors = cloud(seed, count)
    found = group_tracks(vectors, NOTHING, "euclidean", THRESHOLD)
    assert partition(found.labels) == by_the_book(distances(vectors, vectors, "euclidean"), set())


@given(st.integers(0, 10**6), some_pairs)
def test_two_tracks_that_can_not_link_never_do_and_all_else_is_average_linkage(
    seed: int, pairs: list[tuple[int, int]]
) -> None:
    vectors = cloud(seed, 12)
    cannot = np.array(sorted(set(pairs)), np.int64).reshape(-1, 2)
    labels = group_tracks(vectors, cannot, "euclidean", THRESHOLD).labels
    assert not (labels[cannot[:, 0]] == labels[cannot[:, 1]]).any()
    assert partition(labels) == by_the_book(distances(vectors, vectors, "euclidean"), set(pairs))


@given(st.integers(0, 10**6), some_pairs, st.permutations(range(12)))
def test_the_order_of_tracks_does_not_change_groups(seed: int, pairs: list[tuple[int, int]], order: list[int]) -> None:
    vectors = cloud(seed, 12)
    place = np.argsort(order)
    cannot = np.array(pairs, np.int64).reshape(-1, 2)
    plain = group_tracks(vectors, cannot, "euclidean", THRESHOLD).labels
    shuffled = group_tracks(vectors[order], place[cannot].reshape(-1, 2), "euclidean", THRESHOLD).labels
    assert partition(plain) == partition(shuffled[place])


@given(st.integers(0, 10**6))
def test_the_order_keeps_every_group_together(seed: int) -> None:
    found = group_tracks(cloud(seed, 12), NOTHING, "euclidean", THRESHOLD)
    assert sorted(found.order) == list(range(12))
    changes = np.count_nonzero(np.diff(found.labels[np.argsort(found.order)]))
    assert changes == len(np.unique(found.labels)) - 1


@pytest.mark.parametrize("count", [0, 1])
def test_none_and_one_are_grouped_too(count: int) -> None:
    found = group_tracks(np.zeros((count, 4)), NOTHING, "cosine", THRESHOLD)
    assert len(found.labels) == len(found.order) == count


def test_all_faces_of_a_crowd_in_one_frame_stay_apart() -> None:
    cannot = simultaneous_tracks(pd.Series(["a"] * 6), np.arange(6))
    assert len(cannot) == 15
    assert len(partition(group_tracks(np.zeros((6, 4)), cannot, "euclidean", THRESHOLD).labels)) == 6


def test_tracks_of_one_frame_are_simultaneous_and_each_pair_is_told_once() -> None:
    frames = pd.Series(["a", "a", "b", "b", "c", "d", "d", "d"])
    tracks = np.array([3, 1, 1, 3, 0, 2, 0, 1])
    assert sorted(simultaneous_tracks(frames, tracks).tolist()) == [[0, 1], [0, 2], [1, 2], [1, 3]]


Face = tuple[str, int, int, str, NDArray[np.float64]]
"""Source, frame, index, track and embedding of a face."""


def clusters(
    folder: Path, faces: Sequence[Face], sources: Sequence[str] = (), metrics: Mapping[str, Metric] | None = None
) -> pd.DataFrame:
    """The clusters table of some faces, by face id."""
    paths: dict[str, dict[str, Path]] = {"faces": {}, "embeddings": {}, "tracks": {}}
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
        paths["faces"][source] = write_rows(of_source / "faces.parquet", FACES, rows)
        paths["tracks"][source] = write_rows(of_source / "tracks.parquet", TRACKS, tracks)
        paths["embeddings"][source] = write_vectors(of_source / "embeddings.parquet", names, vectors, metric)
    make_clusters(*paths.values(), folder / "clusters.parquet", folder / "pairs.parquet", THRESHOLD)
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


def test_a_cluster_is_named_by_its_most_central_face(tmp_path: Path) -> None:
    places = (0.0, 0.2, 0.25, 0.5)
    found = clusters(tmp_path, [("a", frame, 0, f"a/{frame}", at(x)) for frame, x in enumerate(places)])
    assert set(found["cluster"]) == {"a/000002_0"}
    np.testing.assert_allclose(found["distance"], np.abs(np.array(places) - np.mean(places)), atol=1e-6)


def test_of_equally_central_faces_the_first_id_names_the_cluster(tmp_path: Path) -> None:
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
    expected = [(tmp_path / name).read_bytes() for name in ("clusters.parquet", "pairs.parquet")]
    clusters(tmp_path, [faces[place] for place in random.permutation(len(faces))], sources=("b", "a"))
    assert [(tmp_path / name).read_bytes() for name in ("clusters.parquet", "pairs.parquet")] == expected


def test_two_clusters_that_may_be_one_person_are_listed_the_larger_first(tmp_path: Path) -> None:
    near = THRESHOLD * (1 + PAIR_SHARE) / 2
    faces = [("a", 1, 0, "a/1", at(0)), ("a", 2, 0, "a/2", at(near)), ("a", 3, 0, "a/2", at(near))]
    far = ("a", 9, 0, "a/9", at(0, THRESHOLD * PAIR_SHARE + 0.1))
    clusters(tmp_path, [*faces, far])
    (pair,) = read_table(tmp_path / "pairs.parquet", PAIRS).to_pylist()
    assert (pair["cluster"], pair["other"]) == ("a/000002_0", "a/000001_0")
    assert pair["distance"] == pytest.approx(near)


def test_two_clusters_seen_in_one_frame_are_not_listed_as_one_person(tmp_path: Path) -> None:
    clusters(tmp_path, [("a", 1, 0, "a/1", at(0)), ("a", 1, 1, "a/2", at(0.1))])
    assert len(read_table(tmp_path / "pairs.parquet", PAIRS)) == 0


def test_no_faces_make_no_clusters(tmp_path: Path) -> None:
    assert clusters(tmp_path, [], sources=("a", "b")).empty
    assert len(clusters(tmp_path, [("a", 1, 0, "a/1", at(0))], sources=("a", "b"))) == 1


def test_embeddings_of_different_models_are_refused(tmp_path: Path) -> None:
    faces = [("a", 1, 0, "a/1", at(1)), ("b", 1, 0, "b/1", at(1))]
    with pytest.raises(FacesetError, match="of different models"):
        clusters(tmp_path, faces, metrics={"b": "cosine"})


def test_clusters_that_may_be_one_person_are_paired_nearest_first() -> None:
    centres = np.array([at(0), at(0.7), at(5), at(5.4), at(9)])
    sizes = np.array([2, 9, 4, 4, 1])
    none = np.empty((0, 2), np.int64)
    found = likely_pairs(centres, none, sizes, "euclidean", 0.75)
    assert [(pair.larger, pair.smaller) for pair in found] == [(2, 3), (1, 0)]
    assert [pair.distance for pair in found] == pytest.approx([0.4, 0.7])


def test_clusters_seen_in_one_frame_are_never_paired() -> None:
    centres = np.array([at(0), at(0.1)])
    apart = np.array([[0, 1]])
    assert likely_pairs(centres, apart, np.array([1, 1]), "euclidean", 0.75) == []
