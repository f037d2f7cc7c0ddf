"""A made-up project of a few people, and the manifest of a faceset of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from faceset.alignments.tables import FACES
from faceset.crops.tables import MEASURES
from faceset.decisions.keep_list import HEADER
from faceset.decisions.manifest import ManifestInputs, ManifestOutputs, ManifestSettings, Policy, make_manifest
from faceset.decisions.tables import MANIFEST, NOTICES
from faceset.face_ids import face_id
from faceset.people.tables import CLUSTERS, NEARNESS, TRACKS
from faceset.project.config import Filters
from faceset.tables.parquet import read_table
from factory import write_rows

NO_FILTERS = asdict(Filters())


@dataclass
class Faces:
    """Faces of a project, by source; `decide` makes the manifest of a faceset of some of the sources."""

    folder: Path
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, source: str, frame: int, person: str, index: int = 0, **values: Any) -> str:
        """Add a face to the track `{person}` of its source and to the cluster `{person}`; returns its id."""
        row = {
            "face_id": face_id(source, f"{frame:06d}", index),
            "source": source,
            "frame": f"{frame:06d}",
            "face_index": index,
            "position": frame - 1,
            "x": 100 * index,
            "y": 50,
            "w": 60,
            "h": 80,
            "landmarks": [],
            "problem": None,
            "track": f"{source} {person}",
            "cluster": person,
            "order": 0,
            **{column.name: 0.0 for column in MEASURES.columns if column.type == "float32"},
            "distance": 0.1,
            "next_cluster": None,
            "next_distance": None,
            "outlier": False,
            "size": 100.0,
            "blur": 10.0,
            **values,
        }
        self.rows.setdefault(source, []).append(row)
        return row["face_id"]

    def decide(
        self,
        keep_rows: list[str] | None = None,
        sources: tuple[str, ...] = ("film",),
        policy: Policy = "largest",
        filters: Mapping[str, float | None] = NO_FILTERS,
        nearness: list[dict[str, Any]] | None = None,
    ) -> "Outcome":
        """Make the manifest. The cells of a keep row are separated by tabs, or by blanks; a dash is an empty cell."""
        keep_list = None
        if keep_rows is not None:
            keep_list = self.folder / "keep.tsv"
            cells = [row.split("\t" if "\t" in row else " ") for row in keep_rows]
            lines = ["\t".join("" if cell == "-" else cell for cell in of_row) for of_row in cells]
            keep_list.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
        usable = {
            name: [row for row in rows if row["problem"] is None and row["cluster"] is not None]
            for name, rows in self.rows.items()
        }
        everyone = sorted((row for rows in usable.values() for row in rows), key=lambda row: row["face_id"])
        manifest, notices = self.folder / "manifest.parquet", self.folder / "notices.parquet"
        make_manifest(
            ManifestInputs(
                {name: write_rows(self.folder / f"{name}-faces", FACES, self.rows[name]) for name in sources},
                {name: write_rows(self.folder / f"{name}-measures", MEASURES, usable[name]) for name in sources},
                {name: write_rows(self.folder / f"{name}-tracks", TRACKS, usable[name]) for name in sources},
                write_rows(self.folder / "clusters", CLUSTERS, everyone),
                keep_list,
                write_rows(self.folder / "nearness", NEARNESS, nearness) if nearness is not None else None,
            ),
            ManifestSettings(policy, {**NO_FILTERS, **filters}),
            ManifestOutputs(manifest, notices),
        )
        return Outcome(
            manifest,
            read_table(manifest, MANIFEST).to_pylist(),
            read_table(notices, NOTICES).to_pylist(),
            manifest.read_bytes() + notices.read_bytes(),
        )


@dataclass
class Outcome:
    path: Path
    manifest: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    written: bytes

    @property
    def kept(self) -> set[str]:
        return {row["face_id"] for row in self.manifest if row["kept"]}

    def of(self, face: str) -> tuple[bool, str, str]:
        (row,) = [row for row in self.manifest if row["face_id"] == face]
        return row["kept"], row["decided_by"], row["reason"]

    def told(self, kind: str) -> list[str]:
        return [notice["detail"] for notice in self.notices if notice["kind"] == kind]


def ann_and_bob(folder: Path) -> Faces:
    """Ann in frames 1 to 6 and Bob in 1 to 4 of a film, Bob ten times in another source."""
    found = Faces(folder)
    for frame in range(1, 7):
        found.add("film", frame, "ann")
    for frame in range(1, 5):
        found.add("film", frame, "bob", index=1)
    for frame in range(1, 11):
        found.add("photos", frame, "bob")
    return found


ANN, BOB = "film/000001_0", "film/000001_1"


def all_of(person_index: int, count: int) -> set[str]:
    return {f"film/{frame:06d}_{person_index}" for frame in range(1, count + 1)}


def near(*clusters: tuple[str, float]) -> list[dict[str, Any]]:
    """Clusters and their distance to the reference, of a model whose threshold is 0.6."""
    return [{"cluster": name, "faces": 4, "distance": apart, "near": apart <= 0.6} for name, apart in clusters]
