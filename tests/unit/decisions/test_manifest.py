"""Promises of the manifest: which faces a faceset keeps, why, and what a person is told."""

from pathlib import Path

import pytest

from decided import ANN, BOB, Faces, all_of, ann_and_bob, near


@pytest.fixture
def faces(tmp_path: Path) -> Faces:
    """Ann in frames 1 to 6 and Bob in 1 to 4 of a film, Bob ten times in another source."""
    return ann_and_bob(tmp_path)


# The table


def test_every_face_of_the_facesets_sources_has_one_row_in_source_and_frame_order(tmp_path: Path) -> None:
    faces = Faces(tmp_path)
    for frame, index in ((2, 0), (1, 1), (1, 0)):
        faces.add("b", frame, "ann", index)
    faces.add("b", 9, "ann", position=None, problem="frame_missing")
    faces.add("a", 1, "ann")
    faces.add("c", 1, "ann")
    outcome = faces.decide(sources=("b", "a"))
    ids = [row["face_id"] for row in outcome.manifest]
    assert ids == ["b/000001_0", "b/000001_1", "b/000002_0", "b/000009_0", "a/000001_0"]
    row = outcome.manifest[1]
    assert {name: row[name] for name in ("source", "frame", "face_index", "track", "cluster")} == {
        "source": "b",
        "frame": "000001",
        "face_index": 1,
        "track": "b ann",
        "cluster": "ann",
    }


def test_the_same_input_gives_the_same_bytes(faces: Faces) -> None:
    rows = [f"keep cluster {ANN}", f"drop face {BOB}"]
    assert faces.decide(rows).written == faces.decide(rows).written


def test_a_source_without_faces_is_no_error(tmp_path: Path) -> None:
    faces = Faces(tmp_path, {"film": []})
    outcome = faces.decide()
    assert outcome.manifest == []
    assert "have no faces" in outcome.told("empty")[0]
    assert [notice["kind"] for notice in outcome.notices] == ["policy", "empty"]


def test_a_face_with_a_problem_is_never_kept_and_says_so(faces: Faces) -> None:
    bad = faces.add("film", 7, "ann", problem="landmarks_in_one_place")
    outcome = faces.decide([f"keep cluster {ANN}", f"keep face {bad}"])
    assert outcome.of(bad) == (False, "problem", "landmarks all in one place")
    assert outcome.kept == all_of(0, 6)
    assert outcome.manifest[-1]["track"] is None
    assert outcome.manifest[-1]["cluster"] is None
    assert "line 3" in outcome.told("stale_row")[0]
    assert "landmarks all in one place" in outcome.told("stale_row")[0]


# Rows


def test_a_row_reaches_as_far_as_its_scope(faces: Faces) -> None:
    lone = faces.add("film", 9, "ann", track="film ann again")
    assert faces.decide([f"keep cluster {ANN}"]).kept == {*all_of(0, 6), lone}
    assert faces.decide([f"keep track {ANN}"]).kept == all_of(0, 6)
    assert faces.decide([f"keep face {ANN}"], policy="none").kept == {ANN}


def test_the_narrower_row_wins_whatever_the_order(faces: Faces) -> None:
    rows = ["drop face film/000002_0", f"keep cluster {ANN}", f"drop track {ANN}", "keep face film/000003_0"]
    for order in (rows, rows[::-1]):
        assert faces.decide(order).kept == {"film/000003_0"}
    outcome = faces.decide([f"drop cluster {BOB}", f"keep track {BOB}", "drop face film/000002_1"])
    assert outcome.kept == all_of(1, 4) - {"film/000002_1"}


def test_faces_that_no_row_reaches_are_dropped_once_a_row_keeps_a_cluster_or_track(faces: Faces) -> None:
    for scope in ("cluster", "track"):
        outcome = faces.decide([f"keep {scope} {BOB}"], policy="all")
        assert outcome.kept == all_of(1, 4)
        assert outcome.of(ANN) == (False, "row", "no row reaches it")
        assert not outcome.told("policy")


def test_the_reason_names_line_decision_and_note(faces: Faces) -> None:
    outcome = faces.decide([f"keep cluster {ANN} - - the_lead", "drop face film/000002_0"])
    assert outcome.of(ANN) == (True, "row", "keep-list line 2: keep cluster (the_lead)")
    assert outcome.of("film/000002_0") == (False, "row", "keep-list line 3: drop face")


def test_a_cluster_can_be_named_by_a_face_of_a_source_outside_the_faceset(faces: Faces) -> None:
    outcome = faces.decide(["keep cluster photos/000005_0", "drop face photos/000006_0"])
    assert outcome.kept == all_of(1, 4)
    assert outcome.notices == []


# Contradictions


@pytest.mark.parametrize("scope", ["cluster", "track"])
def test_rows_that_have_come_to_disagree_leave_their_group_undecided(faces: Faces, scope: str) -> None:
    rows = [f"keep {scope} {ANN}", f"drop {scope} film/000002_0", f"keep {scope} {BOB}", "keep face film/000003_0"]
    outcome = faces.decide(rows)
    assert outcome.kept == {*all_of(1, 4), "film/000003_0"}
    assert outcome.of(ANN) == (False, "undecided", "keep-list lines 2 and 3 contradict each other")
    assert outcome.notices[0]["kind"] == "contradiction"
    assert "2 (keep film/000001_0) and 3 (drop film/000002_0)" in outcome.notices[0]["detail"]


def test_rows_that_agree_about_one_cluster_are_no_contradiction(faces: Faces) -> None:
    outcome = faces.decide([f"keep cluster {ANN}", "keep cluster film/000002_0"])
    assert outcome.kept == all_of(0, 6)
    assert outcome.notices == []


# Rows that no longer fit


def test_a_row_with_a_box_follows_the_face_where_indices_have_shifted(faces: Faces) -> None:
    outcome = faces.decide([f"drop face {ANN} 102,52,60,80", f"keep track {ANN}"])
    assert outcome.of(BOB) == (False, "row", "keep-list line 2: drop face")
    assert outcome.kept == all_of(0, 6)
    (detail,) = outcome.told("moved_row")
    assert "line 2" in detail
    assert BOB in detail


def test_a_row_whose_index_is_gone_is_found_by_its_box(faces: Faces) -> None:
    outcome = faces.decide(["keep track film/000001_5 0,50,60,80"])
    assert outcome.kept == all_of(0, 6)
    assert len(outcome.told("moved_row")) == 1


def test_a_box_that_still_overlaps_by_half_is_the_same_face(faces: Faces) -> None:
    # The overlap of two 60 px wide boxes 20 px apart is 40 / 80.
    outcome = faces.decide([f"keep track {ANN} 20,50,60,80"])
    assert outcome.kept == all_of(0, 6)
    assert outcome.notices == []
    assert faces.decide([f"keep track {ANN} 21,50,60,80"]).told("stale_row")


@pytest.mark.parametrize(
    "row", ["keep cluster film/000001_0 500,50,60,80", "keep cluster film/000001_7", "keep cluster flim/000001_0"]
)
def test_a_stale_row_is_told_and_decides_nothing_nor_hands_over_to_the_policy(faces: Faces, row: str) -> None:
    outcome = faces.decide([row])
    assert outcome.kept == set()
    assert [notice["kind"] for notice in outcome.notices] == ["stale_row", "empty"]
    assert outcome.notices[0]["face"] == row.split(" ")[2]
    assert "line 2" in outcome.notices[0]["detail"]


def test_a_reach_that_has_changed_by_more_than_a_twentieth_is_told(faces: Faces) -> None:
    # Bob's cluster has 14 faces over all sources, his track in the film 4.
    assert faces.decide([f"keep cluster {BOB} - 14", f"keep track {ANN} - 6"]).notices == []
    outcome = faces.decide([f"keep cluster {BOB} - 15", f"keep track {BOB} - 3", f"keep face {BOB} - 9"])
    first, second = outcome.told("reach_changed")
    assert "line 2: the cluster had 15 faces when this was decided and has 14 now" in first
    assert "line 3: the track had 3 faces" in second


# Policy


def test_without_rows_the_policy_decides_and_says_so(faces: Faces) -> None:
    outcome = faces.decide(policy="all")
    assert len(outcome.kept) == 10
    assert "`all`" in outcome.told("policy")[0]
    outcome = faces.decide(policy="none")
    assert outcome.kept == set()
    assert [notice["kind"] for notice in outcome.notices] == ["policy", "empty"]
    assert "10 by policy" in outcome.told("empty")[0]


def test_the_largest_cluster_is_the_largest_among_the_facesets_sources(faces: Faces) -> None:
    outcome = faces.decide()
    assert outcome.kept == all_of(0, 6)
    assert outcome.of(ANN) == (True, "policy", "largest cluster")
    assert outcome.of(BOB) == (False, "policy", "not in the largest cluster")
    assert outcome.notices[0]["face"] == "ann"
    assert len(faces.decide(sources=("film", "photos")).kept) == 14


def test_equally_large_clusters_are_told_apart_by_their_ids(faces: Faces) -> None:
    faces.add("film", 7, "bob", index=1)
    faces.add("film", 8, "bob", index=1)
    assert faces.decide().kept == all_of(0, 6)


def test_rows_decide_before_the_policy_and_a_dropped_cluster_is_not_the_largest(faces: Faces) -> None:
    outcome = faces.decide([f"drop cluster {ANN}", "keep face film/000006_0", "drop face film/000004_1"])
    assert outcome.kept == {*all_of(1, 3), "film/000006_0"}
    assert len(outcome.told("policy")) == 1


def test_faces_dropped_one_by_one_do_not_change_which_cluster_is_largest(faces: Faces) -> None:
    outcome = faces.decide([f"drop track {ANN}"])
    assert outcome.kept == set()
    assert outcome.of(BOB) == (False, "policy", "not in the largest cluster")


# Reference


def test_with_a_reference_the_nearest_cluster_is_kept_instead_of_the_largest(faces: Faces) -> None:
    outcome = faces.decide(nearness=near(("bob", 0.25), ("ann", 0.5)))
    assert outcome.kept == all_of(1, 4)
    assert outcome.of(BOB) == (True, "policy", "cluster nearest to the reference")
    assert outcome.of(ANN) == (False, "policy", "not in the cluster nearest to the reference")
    assert outcome.notices[0]["face"] == "bob"
    assert (
        "the nearest cluster, bob with 4 faces of this faceset, at a distance of 0.25 (the next one is at 0.5)"
        in (outcome.told("policy")[0])
    )


def test_if_no_cluster_is_near_the_reference_nothing_is_kept_and_it_is_said(faces: Faces) -> None:
    outcome = faces.decide(nearness=near(("bob", 0.7), ("ann", 0.8)))
    assert outcome.kept == set()
    assert [notice["kind"] for notice in outcome.notices] == ["policy", "empty"]
    assert "not even the nearest, bob with 4 faces of this faceset, at a distance of 0.7" in outcome.told("policy")[0]


def test_a_cluster_that_a_row_drops_is_not_the_nearest(faces: Faces) -> None:
    assert faces.decide([f"drop cluster {BOB}"], nearness=near(("bob", 0.2), ("ann", 0.5))).kept == all_of(0, 6)
    assert "no cluster is left" in faces.decide([f"drop cluster {BOB}"], nearness=near(("bob", 0.2))).told("policy")[0]


def test_rows_and_the_other_policies_go_before_the_reference(faces: Faces) -> None:
    ranks = near(("bob", 0.2), ("ann", 0.5))
    outcome = faces.decide([f"keep cluster {ANN}"], nearness=ranks)
    assert outcome.kept == all_of(0, 6)
    assert not outcome.notices
    assert len(faces.decide(policy="all", nearness=ranks).kept) == 10
    assert not faces.decide(policy="none", nearness=ranks).kept


# Filters


@pytest.mark.parametrize(
    ("values", "filters", "reason"),
    [
        ({"size": 63.0}, {"min_size_px": 80}, "smaller than 80 px (63 px)"),
        ({"blur": 2.5}, {"min_blur": 4.0}, "less sharp than 4 (2.5)"),
        ({"distance": 0.5}, {"max_distance": 0.3}, "further than 0.3 from the mean face (0.5)"),
    ],
)
def test_a_filter_drops_what_is_out_of_bounds_and_says_by_how_much(
    faces: Faces, values: dict[str, float], filters: dict[str, float], reason: str
) -> None:
    poor = faces.add("film", 7, "ann", **values)
    outcome = faces.decide([f"keep cluster {ANN}"], filters=filters)
    assert outcome.of(poor) == (False, "filter", reason)
    assert outcome.kept == all_of(0, 6)
    assert poor in faces.decide([f"keep cluster {ANN}", f"keep face {poor}"], filters=filters).kept


def test_a_face_at_the_bound_or_without_the_measure_passes(faces: Faces) -> None:
    at, unknown = faces.add("film", 7, "ann", size=80.0), faces.add("film", 8, "ann", size=float("nan"))
    assert {at, unknown} <= faces.decide(filters={"min_size_px": 80}).kept


def test_a_filter_does_not_take_over_what_was_dropped_before(faces: Faces) -> None:
    outcome = faces.decide([f"keep cluster {ANN}", "drop face film/000002_0"], filters={"min_size_px": 200})
    assert outcome.of("film/000002_0")[1] == "row"
    assert outcome.of(BOB)[1] == "row"
    assert outcome.of(ANN)[1] == "filter"
    assert "5 by filter, 5 by row" in outcome.told("empty")[0]
