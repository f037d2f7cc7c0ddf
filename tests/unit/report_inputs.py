"""A small made-up project, as the tables that the report and the summary read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from faceset.alignments.problems import Problem, problem_sentence
from faceset.alignments.tables import FACES, PROBLEMS
from faceset.crops.tables import CHIPS, MEASURES
from faceset.decisions.kinds import Notice, Reason
from faceset.decisions.sentences import notice_sentence, reason_sentence
from faceset.decisions.tables import MANIFEST, NOTICES
from faceset.footage.tables import FRAMES
from faceset.people.tables import CLUSTERS, MERGE_CANDIDATES, NEARNESS, SPLIT_CANDIDATES, STRICTNESS_CHANGES, TRACKS
from faceset.report.inputs import FacesetTables, ReportInputs, ReportSettings, SourceTables
from faceset.tables.parquet import TableWriter, write_table
from factory import write_rows

SETTINGS = ReportSettings("dlib_resnet_v1", threshold=0.6, strictness=0.5, method="default")
TRACK_FACES = 5


def plain_chip(face: str) -> bytes:
    """A 384 px picture of one colour, a different one for each face."""
    shade = np.random.default_rng(list(face.encode())).integers(0, 256, 3)
    return cv2.imencode(".jpg", np.full((384, 384, 3), shade, np.uint8))[1].tobytes()


@dataclass
class Inputs:
    """Faces of `people` people in turn, person 0 most often, spread over the sources; one face a frame."""

    folder: Path
    sources: dict[str, int]
    people: int = 3
    facesets: tuple[str, ...] = ("main",)
    rights: str = "own footage"
    notices: list[Notice] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    references: tuple[str, ...] = ()
    row_note: str | None = None
    chip: Callable[[str], bytes] = plain_chip

    def person_of(self, place: int) -> int:
        """Which person the face at this place of its source is: half of the faces are person 0's."""
        return 0 if place % 2 == 0 else 1 + (place // 2) % max(self.people - 1, 1) if self.people > 1 else 0

    def write(self) -> ReportInputs:
        """Write all tables; returns what `write_report` takes."""
        faces = [(source, place) for source, count in self.sources.items() for place in range(count)]
        ids = {(source, place): f"{source}/{place + 1:06d}_0" for source, place in faces}
        members: dict[int, list[str]] = {}
        for face in faces:
            members.setdefault(self.person_of(face[1]), []).append(ids[face])
        tables: dict[str, dict[str, Path]] = {
            name: {source: self.folder / source / f"{name}.parquet" for source in self.sources}
            for name in ("frames", "faces", "problems", "chips", "measures", "tracks")
        }
        track_of: dict[str, str] = {}
        for source, count in self.sources.items():
            (self.folder / source).mkdir(parents=True, exist_ok=True)
            runs: dict[int, list[str]] = {}
            for place in range(count):
                run = runs.setdefault(self.person_of(place), [])
                run.append(ids[source, place])
                track_of[run[-1]] = run[(len(run) - 1) // TRACK_FACES * TRACK_FACES]
            self._write_source(source, count, [ids[source, place] for place in range(count)], track_of, tables)
        nearness = self._write_nearness(list(members.values()))
        return ReportInputs(
            {
                source: SourceTables(self.rights, **{name: paths[source] for name, paths in tables.items()})
                for source in self.sources
            },
            {
                name: FacesetTables(list(self.sources), manifest, notices, nearness.get(name))
                for name, manifest, notices in self._write_facesets(faces, ids, members, track_of)
            },
            self._write_clusters(faces, ids, members, track_of),
            **self._write_doubts(list(members.values())),
        )

    def _write_source(
        self, source: str, count: int, faces: list[str], track_of: dict[str, str], tables: dict[str, dict[str, Path]]
    ) -> None:
        random = np.random.default_rng(7)
        frames = [f"{place + 1:06d}" for place in range(count)]
        write_table(
            tables["frames"][source],
            FRAMES,
            {
                "position": range(count),
                "frame": frames,
                "name": [f"{frame}.jpg" for frame in frames],
                "digest": ["0" * 64] * count,
                "pts": [None] * count,
                "keyframe": [True] * count,
                "width": [640] * count,
                "height": [360] * count,
                "rotation": [0] * count,
            },
        )
        write_table(
            tables["faces"][source],
            FACES,
            {
                "face_id": faces,
                "frame": frames,
                "face_index": [0] * count,
                "position": range(count),
                **{edge: [value] * count for edge, value in zip("xywh", (200, 80, 120, 150), strict=True)},
                "landmarks": [[1.0, 2.0] * 68] * count,
                "problem": [None] * count,
            },
        )
        problems = [{**vars(problem), "detail": problem_sentence(problem)} for problem in self.problems]
        write_rows(tables["problems"][source], PROBLEMS, problems)
        with TableWriter(tables["chips"][source], CHIPS, group_rows=16) as writer:
            writer.add(face_id=faces, sha256=[bytes(32)] * count, chip=[self.chip(face) for face in faces])
        spreads = {"size": (110, 20), "yaw": (5, 15), "pitch": (-4, 8), "roll": (0, 4), "blur": (1.2, 0.4)}
        write_table(
            tables["measures"][source],
            MEASURES,
            {
                **{column.name: np.zeros(count) for column in MEASURES.columns if column.type == "float32"},
                "face_id": faces,
                "distance": random.uniform(0.02, 0.06, count),
                "blur_fft": random.uniform(5, 20, count),
                **{name: random.normal(middle, width, count) for name, (middle, width) in spreads.items()},
            },
        )
        write_table(tables["tracks"][source], TRACKS, {"face_id": faces, "track": [track_of[face] for face in faces]})

    def _write_clusters(
        self,
        faces: list[tuple[str, int]],
        ids: dict[tuple[str, int], str],
        members: dict[int, list[str]],
        track_of: dict[str, str],
    ) -> Path:
        path = self.folder / "clusters.parquet"
        people = [self.person_of(place) for _, place in faces]
        write_table(
            path,
            CLUSTERS,
            {
                "face_id": [ids[face] for face in faces],
                "source": [source for source, _ in faces],
                "track": [track_of[ids[face]] for face in faces],
                "cluster": [members[person][0] for person in people],
                "order": range(len(faces)),
                "distance": [0.7 if self.is_outlier(place) else 0.3 for _, place in faces],
                "next_cluster": [
                    members[min(members.keys() - {person})][0] if len(members) > 1 else None for person in people
                ],
                "next_distance": [0.9 if len(members) > 1 else None] * len(faces),
                "outlier": [self.is_outlier(place) for _, place in faces],
            },
        )
        return path

    def _write_doubts(self, members: list[list[str]]) -> dict[str, Path]:
        """The first two clusters may be one person, and the first of three faces or more may be two.

        A looser setting would join the last cluster to the first, a stricter one would part the first.
        """
        paths = {
            name: self.folder / f"{name}.parquet"
            for name in ("merge_candidates", "split_candidates", "strictness_changes")
        }
        one, other = ([members[place][0]] if len(members) > 1 else [] for place in (0, 1))
        write_table(
            paths["merge_candidates"], MERGE_CANDIDATES, {"cluster": one, "other": other, "distance": [0.65] * len(one)}
        )
        two = [faces for faces in members[:1] if len(faces) > 2]
        doubts = {
            "cluster": [faces[0] for faces in two],
            "face": [faces[2] for faces in two],
            "faces": [len(faces) // 3 for faces in two],
            "distance": [0.55] * len(two),
            "share": [0.5] * len(two),
        }
        write_table(paths["split_candidates"], SPLIT_CANDIDATES, doubts)
        steps = {
            "direction": ["looser", "stricter"] if one else [],
            "cluster": one * 2,
            "other": [members[-1][0], None] if one else [],
        }
        write_table(paths["strictness_changes"], STRICTNESS_CHANGES, steps)
        return paths

    def _write_nearness(self, members: list[list[str]]) -> dict[str, Path]:
        """The least cluster is the nearest to the references."""
        paths = {}
        for name in self.references:
            paths[name] = self.folder / f"nearness-{name}.parquet"
            nearest_first = sorted(members, key=len)
            nearness = {
                "cluster": [faces[0] for faces in nearest_first],
                "faces": [len(faces) for faces in nearest_first],
                "distance": [0.25 + place for place in range(len(nearest_first))],
                "near": [place == 0 for place in range(len(nearest_first))],
            }
            write_table(paths[name], NEARNESS, nearness)
        return paths

    @staticmethod
    def is_outlier(place: int) -> bool:
        """Whether the face at this place of its source lies far from its cluster."""
        return place % 20 == 6

    def _write_facesets(
        self,
        faces: list[tuple[str, int]],
        ids: dict[tuple[str, int], str],
        members: dict[int, list[str]],
        track_of: dict[str, str],
    ) -> Iterator[tuple[str, Path, Path]]:
        # Person 0 is kept but for every tenth face, which is too small, each by another number of pixels.
        people = [self.person_of(place) for _, place in faces]
        small = [place % 10 == 0 for _, place in faces]
        reasons = [
            Reason(False, "policy", "not_largest")
            if person
            else Reason(False, "filter", "min_size_px", value=40 + place % 40, limit=80)
            if tiny
            else Reason(True, "row", "cluster", 2, note=self.row_note)
            for (_, place), person, tiny in zip(faces, people, small, strict=True)
        ]
        notices = [{**vars(notice), "detail": notice_sentence(notice)} for notice in self.notices]
        rows = [
            {
                "face_id": ids[source, place],
                "source": source,
                "frame": f"{place + 1:06d}",
                "face_index": 0,
                "track": track_of[ids[source, place]],
                "cluster": members[person][0],
                **vars(reason),
                "reason": reason_sentence(reason),
            }
            for (source, place), person, reason in zip(faces, people, reasons, strict=True)
        ]
        for name in self.facesets:
            folder = self.folder / "facesets" / name
            folder.mkdir(parents=True, exist_ok=True)
            manifest = write_rows(folder / "manifest.parquet", MANIFEST, rows)
            yield name, manifest, write_rows(folder / "notices.parquet", NOTICES, notices)
