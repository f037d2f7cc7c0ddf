"""Problems: what is odd about a source's alignments, as enumerations and numbers, and the sentences made of them."""

from dataclasses import dataclass
from typing import Literal

FaceProblem = Literal[
    "frame_missing",
    "too_few_landmarks",
    "not_finite",
    "landmarks_in_one_place",
    "landmarks_far_outside",
    "box_far_outside",
    "extras_not_finite",
    "outside_frame",
]
"""Why a face cannot be used."""

ProblemKind = Literal[
    "frame_without_entry",
    "entry_without_frame",
    "no_faces",
    "several_faces",
    "bad_face",
    "footage_cut_short",
    "note",
]
"""What is odd about a source's alignments."""

_FACE_SENTENCES: dict[FaceProblem, str] = {
    "frame_missing": "its frame is not in the footage",
    "too_few_landmarks": "too few landmarks to tell who it is",
    "not_finite": "landmarks that are not numbers",
    "landmarks_in_one_place": "landmarks all in one place",
    "landmarks_far_outside": "landmarks far beyond its frame",
    "box_far_outside": "a box far beyond its frame",
    "extras_not_finite": "a mask or an identity with numbers that are not finite",
    "outside_frame": "wholly outside its frame",
}


@dataclass(frozen=True)
class Problem:
    """A row of the `problems` table, but for its sentence; the schema says what each column means."""

    kind: ProblemKind
    frame: str = ""
    face_index: int | None = None
    count: int | None = None
    total: int | None = None
    problem: FaceProblem | None = None
    note: str | None = None

    @property
    def order(self) -> tuple[str, str, int, str]:
        """What the table is sorted by."""
        return self.kind, self.frame, -1 if self.face_index is None else self.face_index, self.note or ""


def face_sentence(problem: FaceProblem) -> str:
    """Why a face cannot be used, in words."""
    return _FACE_SENTENCES[problem]


def problem_sentence(problem: Problem) -> str:
    """A problem in words; none where its kind says it all."""
    match problem:
        case Problem(kind="note", note=str(text)):
            return text
        case Problem(kind="footage_cut_short", count=missing, total=total):
            return f"{missing} of {total} frames cannot be decoded"
        case Problem(kind="entry_without_frame", count=faces):
            return f"{faces} faces of a frame that is not in the footage"
        case Problem(kind="several_faces", count=faces):
            return f"{faces} faces"
        case Problem(kind="bad_face", face_index=index, problem=why, count=landmarks) if why:
            return f"face {index}: {face_sentence(why)}{'' if landmarks is None else f' ({landmarks})'}"
    return ""
