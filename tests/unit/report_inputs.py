"""A small made-up project, as the tables that the report and the summary read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from faceset.alignments.tables import FACES, PROBLEMS
from faceset.crops.tables import CHIPS, MEASURES
from faceset.decisions.tables import MANIFEST, NOTICES
from faceset.footage.tables import FRAMES
from faceset.people.tables import CLUSTERS, DOUBTS, NEARNESS, PAIRS, STEPS, TRACKS
from faceset.tables.parquet import TableWriter, write_table

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
    notices: list[tuple[str, str, str]] = field(default_factory=list)
    problems: list[tuple[str, str, str]] = field(default_factory=list)
    strictness: float = 0.5
    method: str = "default"
    references: tuple[str, ...] = ()
    row_reason: str = "keep-list line 2: keep cluster"
    chip: Callable[[str], bytes] = plain_chip

    def person_of(self, place: int) -> int:
        """Which person the face at this place of its source is: half of the faces are person 0's."""
        return 0 if place % 2 == 0 else 1 + (place // 2) % max(self.people - 1, 1) if self.people > 1 else 0

    def write(self) -> dict[str, Any]:
        """Write all tables; returns the arguments of `write_report`, but for the output."""
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
        return {
            "model": "dlib_resnet_v1",
            "threshold": 0.6,
            "strictness": self.strictness,
            "method": self.method,
            "rights": dict.fromkeys(self.sources, self.rights),
            "facesets": {name: list(self.sources) for name in self.facesets},
            **tables,
            "clusters": self._write_clusters(faces, ids, members, track_of),
            **self._write_doubts(list(members.values())),
            **self._write_facesets(faces, ids, members, track_of),
        }

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
        kinds, where, details = zip(*self.problems, strict=True) if self.problems else ([], [], [])
        write_table(tables["problems"][source], PROBLEMS, {"kind": kinds, "frame": where, "detail": details})
        with TableWriter(tables["chips"][source], CHIPS, group_rows=16) as writer:
            writer.add(face_id=faces, sha256=[bytes(32)] * count, chip=[self.chip(face) for face in faces])
        spreads = {"size": (110, 20), "yaw": (5, 15), "pitch": (-4, 8), "roll": (0, 4), "blur": (1.2, 0.4)}
        write_table(
            tables["measures"][source],
            MEASURES,
            {
                "face_id": faces,
                "distance": random.uniform(0.02, 0.06, count),
                **dict.fromkeys(("head_x", "head_y"), np.zeros(count)),
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

    def _write_doubts(self, members: list[list[str]]) -> dict[str, Any]:
        """The first two clusters may be one person, and the first of three faces or more may be two.

        A looser setting would join the last cluster to the first, a stricter one would part the first. The least
        cluster is the nearest to the references.
        """
        paths: dict[str, Any] = {name: self.folder / f"{name}.parquet" for name in ("pairs", "doubts", "steps")}
        one, other = ([members[place][0]] if len(members) > 1 else [] for place in (0, 1))
        write_table(paths["pairs"], PAIRS, {"cluster": one, "other": other, "distance": [0.65] * len(one)})
        two = [faces for faces in members[:1] if len(faces) > 2]
        doubts = {
            "cluster": [faces[0] for faces in two],
            "face": [faces[2] for faces in two],
            "faces": [len(faces) // 3 for faces in two],
            "distance": [0.55] * len(two),
            "share": [0.5] * len(two),
        }
        write_table(paths["doubts"], DOUBTS, doubts)
        steps = {
            "step": ["looser", "stricter"] if one else [],
            "cluster": one * 2,
            "other": [members[-1][0], None] if one else [],
        }
        write_table(paths["steps"], STEPS, steps)
        paths["nearness"] = {}
        for name in self.references:
            paths["nearness"][name] = self.folder / f"nearness-{name}.parquet"
            nearest_first = sorted(members, key=len)
            nearness = {
                "cluster": [faces[0] for faces in nearest_first],
                "faces": [len(faces) for faces in nearest_first],
                "distance": [0.25 + place for place in range(len(nearest_first))],
                "near": [place == 0 for place in range(len(nearest_first))],
            }
            write_table(paths["nearness"][name], NEARNESS, nearness)
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
    ) -> dict[str, dict[str, Path]]:
        # Person 0 is kept but for every tenth face, which is too small, each by another number of pixels.
        people = [self.person_of(place) for _, place in faces]
        small = [place % 10 == 0 for _, place in faces]
        outcomes = [
            (False, "policy", "in no kept cluster")
            if person
            else (False, "filter", f"smaller than 80 px ({40 + place % 40} px)")
            if tiny
            else (True, "row", self.row_reason)
            for (_, place), person, tiny in zip(faces, people, small, strict=True)
        ]
        kept, decided_by, reasons = zip(*outcomes, strict=True) if outcomes else ([], [], [])
        kinds, about, details = zip(*self.notices, strict=True) if self.notices else ([], [], [])
        paths: dict[str, dict[str, Path]] = {"manifests": {}, "notices": {}}
        for name in self.facesets:
            folder = self.folder / "facesets" / name
            folder.mkdir(parents=True, exist_ok=True)
            paths["manifests"][name] = folder / "manifest.parquet"
            paths["notices"][name] = folder / "notices.parquet"
            write_table(
                folder / "manifest.parquet",
                MANIFEST,
                {
                    "face_id": [ids[face] for face in faces],
                    "source": [source for source, _ in faces],
                    "frame": [f"{place + 1:06d}" for _, place in faces],
                    "face_index": [0] * len(faces),
                    "track": [track_of[ids[face]] for face in faces],
                    "cluster": [members[person][0] for person in people],
                    "kept": kept,
                    "decided_by": decided_by,
                    "reason": reasons,
                },
            )
            write_table(folder / "notices.parquet", NOTICES, {"kind": kinds, "face": about, "detail": details})
        return paths
