"""Promises of reasons and notices: they are columns, and sentences are only made of them."""

from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from decided import ANN, BOB, Faces, Outcome, ann_and_bob, near
from faceset.alignments.problems import FaceProblem
from faceset.decisions.kinds import CAUSES, RULES, DecidedBy, Notice, NoticeKind, PolicyRule, Reason
from faceset.decisions.manifest import Policy
from faceset.decisions.sentences import notice_sentence, reason_sentence
from faceset.decisions.tallies import decision_tallies
from faceset.project.config import Faceset

TRICKY = "(63 px) line 3: drop face, keep-list lines 4 and 5 (7)"


@pytest.fixture
def faces(tmp_path: Path) -> Faces:
    return ann_and_bob(tmp_path)


def every_outcome(faces: Faces) -> list[Outcome]:
    """Manifests in which everything occurs that can be decided and told."""
    bad = {code: faces.add("film", 10 + place, "cid", problem=code) for place, code in enumerate(get_args(FaceProblem))}
    faces.add("film", 20, "dan", size=10.0)
    faces.add("film", 21, "dan", blur=1.0)
    faces.add("film", 22, "dan", distance=0.9)
    loose = faces.add("film", 23, "eve", track=None, cluster=None)
    filters = {"min_size_px": 50, "min_blur": 5, "max_distance": 0.5}
    dropped = [f"drop cluster {face}" for face in (ANN, BOB, "film/000020_0")]
    empty = Faces(faces.folder, {"none": []})
    return [
        faces.decide(["keep cluster film/000020_0", f"keep track {ANN}", f"drop face {BOB}"], filters=filters),
        faces.decide([f"keep cluster {ANN}", "drop cluster film/000002_0"]),
        faces.decide([f"keep track {BOB} 0,50,60,80 9", f"keep face {ANN} 400,9,9,9", "keep face film/000077_0"]),
        faces.decide([f"keep face {bad['not_finite']}", f"drop cluster {loose}", "drop cluster elsewhere/1_0"]),
        faces.decide(policy="all"),
        faces.decide(policy="none"),
        faces.decide(dropped),
        faces.decide(nearness=near(("bob", 0.25), ("ann", 0.5))),
        faces.decide(nearness=near(("bob", 0.75))),
        faces.decide(dropped, nearness=near(("bob", 0.25))),
        empty.decide(sources=("none",)),
    ]


def test_every_reason_and_notice_occurs_and_its_sentence_is_that_of_its_columns(faces: Faces) -> None:
    outcomes = every_outcome(faces)
    reasons, notices = [], []
    for outcome in outcomes:
        for row in outcome.manifest:
            reason = Reason(**{name: row[name] for name in Reason.__dataclass_fields__})
            assert row["reason"] == reason_sentence(reason) != ""
            reasons.append(reason)
        for row in outcome.notices:
            lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
            notice = Notice(**{name: lists.get(name, row[name]) for name in Notice.__dataclass_fields__})
            assert row["detail"] == notice_sentence(notice)
            notices.append(notice)
    assert {(reason.decided_by, reason.rule) for reason in reasons} == {
        (by, rule) for by, rules in RULES.items() for rule in get_args(rules)
    }
    assert RULES.keys() == set(get_args(DecidedBy))
    assert {notice.kind for notice in notices} == set(get_args(NoticeKind))
    for kind in get_args(NoticeKind):
        expected = set(get_args(CAUSES[kind])) if kind in CAUSES else {None}
        assert {notice.cause for notice in notices if notice.kind == kind} == expected


def test_no_sentence_shows_a_missing_value(faces: Faces) -> None:
    for outcome in every_outcome(faces):
        for text in [row["reason"] for row in outcome.manifest] + [row["detail"] for row in outcome.notices]:
            assert "None" not in text
            assert "nan" not in text
            assert "{" not in text


def test_rules_are_named_as_the_config_names_them() -> None:
    assert set(get_args(Policy)) == set(get_args(Faceset.__annotations__["policy"])) < set(get_args(PolicyRule))


def test_the_columns_say_which_row_or_which_value_decided(faces: Faces) -> None:
    poor = faces.add("film", 7, "ann", size=63.5)
    rows = [f"keep cluster {ANN} - - lead", f"drop track {BOB}", "keep track film/000002_1", "drop track film/000003_1"]
    by_face = {row["face_id"]: row for row in faces.decide(rows, filters={"min_size_px": 80.25}).manifest}

    def shown(face: str) -> tuple[Any, ...]:
        return tuple(
            by_face[face][name] for name in ("rule", "row_line", "other_line", "value", "limit", "note", "reason")
        )

    assert shown(ANN) == ("cluster", 2, None, None, None, "lead", "keep-list line 2: keep cluster (lead)")
    assert shown(BOB) == ("contradiction", 3, 4, None, None, None, "keep-list lines 3 and 4 contradict each other")
    assert shown(poor) == ("min_size_px", None, None, 63.5, 80.25, None, "smaller than 80.25 px (63.5 px)")


def test_the_notice_of_a_contradiction_names_all_its_rows(faces: Faces) -> None:
    faces_named = [ANN, "film/000002_0", "film/000003_0"]
    rows = [f"{said} cluster {face}" for said, face in zip(("keep", "keep", "drop"), faces_named, strict=True)]
    (notice,) = [row for row in faces.decide(rows).notices if row["kind"] == "contradiction"]
    assert (notice["lines"], notice["decisions"], notice["faces"]) == ([2, 3, 4], ["keep", "keep", "drop"], faces_named)
    assert (notice["scope"], notice["group"], notice["face"]) == ("cluster", "ann", ANN)


def test_tallies_are_counts_by_rule_and_row_whatever_the_values(faces: Faces) -> None:
    for frame in range(7, 12):
        faces.add("film", frame, "ann", size=float(frame))
    for frame in range(12, 15):
        faces.add("film", frame, "ann", distance=frame / 10)
    faces.add("film", 15, "ann", problem="not_finite")
    rows = [f"keep cluster {ANN}", "drop face film/000002_0", "drop face film/000003_0"]
    outcome = faces.decide(rows, filters={"min_size_px": 80, "max_distance": 0.3})
    tallies = decision_tallies(outcome.path)
    assert {(tally.kept, tally.decided_by, tally.reason): tally.faces for tally in tallies} == {
        (True, "row", "keep-list line 2: keep cluster"): 4,
        (False, "filter", "smaller than 80 px"): 5,
        (False, "row", "no row reaches it"): 4,
        (False, "filter", "further than 0.3 from the mean face"): 3,
        (False, "problem", "landmarks that are not numbers"): 1,
        (False, "row", "keep-list line 3: drop face"): 1,
        (False, "row", "keep-list line 4: drop face"): 1,
    }
    by_columns = Counter((row["kept"], row["decided_by"], row["rule"], row["row_line"]) for row in outcome.manifest)
    assert sorted(tally.faces for tally in tallies) == sorted(by_columns.values())


def test_a_note_like_a_sentence_of_ours_changes_neither_columns_nor_tallies(faces: Faces) -> None:
    outcome = faces.decide([f"keep\tcluster\t{ANN}\t\t\t{TRICKY}", f"drop\tface\tfilm/000002_0\t\t\t{TRICKY}"])
    assert [(tally.faces, tally.reason) for tally in decision_tallies(outcome.path) if tally.decided_by == "row"] == [
        (5, f"keep-list line 2: keep cluster ({TRICKY})"),
        (4, "no row reaches it"),
        (1, f"keep-list line 3: drop face ({TRICKY})"),
    ]
    noted = [row for row in outcome.manifest if row["note"]]
    assert {(row["rule"], row["row_line"], row["note"]) for row in noted} == {
        ("cluster", 2, TRICKY),
        ("face", 3, TRICKY),
    }
