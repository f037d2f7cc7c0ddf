"""Promises of turning a folder that somebody thinned out into keep-list rows."""

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from faceset.alignments.tables import FACES
from faceset.commands.keep_from_folder import keep_from_folder, write_keep_list
from faceset.crops.tables import MEASURES
from faceset.decisions.keep_list import HEADER, read_keep_list
from faceset.decisions.manifest import ManifestInputs, ManifestOutputs, ManifestSettings, make_manifest
from faceset.decisions.tables import MANIFEST
from faceset.errors import FacesetError
from faceset.face_ids import face_id
from faceset.people.tables import CLUSTERS, TRACKS
from faceset.tables.parquet import read_table
from faceset.training.assembly import assembled_name
from faceset.training.pictures.png import header_text
from faceset.training.pixels import pixel_digest
from faceset.training.tables import FACESET
from factory import landmarks, png, write_rows

SOURCES = ("film", "party")


@dataclass
class Scene:
    """Made-up faces of two sources, a keep-list, and the pictures of the faces that the faceset keeps."""

    folder: Path
    faces: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in SOURCES})
    keep_list: Path | None = None
    still: bool = False
    every: int = 1

    @property
    def pictures(self) -> Path:
        return self.folder / "pictures"

    def add(self, source: str, person: str, first_frame: int, count: int, index: int = 0, top: int = 0) -> list[str]:
        """A track of a person, a pixel lower in each frame from `top` on; returns its faces' ids."""
        frames = range(first_frame, first_frame + count)
        track = face_id(source, f"{first_frame:06d}", index)
        rows = [
            {
                "face_id": face_id(source, f"{frame:06d}", index),
                "source": source,
                "frame": f"{frame:06d}",
                "face_index": index,
                "position": frame - 1,
                "x": 50 * index,
                "y": top + frame,
                "w": 30 + len(person),
                "h": 30,
                "size": 10.0 * (frame % 7),
                "track": track,
                "cluster": person,
            }
            for frame in frames
        ]
        self.faces[source] += rows
        return [row["face_id"] for row in rows]

    def decide(self, *rows: str) -> None:
        """Write the keep-list, of rows like `keep cluster film/000001_0`."""
        self.keep_list = self.folder / "keep.tsv"
        self.keep_list.write_text("\n".join([HEADER, *("\t".join(row.split()) for row in rows)]))

    def manifest(self, keep_list: Path | None, name: str = "manifest", min_size_px: float = 0.0) -> set[str]:
        """Make the manifest; returns the kept faces."""
        paths: dict[str, dict[str, Path]] = {"faces": {}, "tracks": {}, "measures": {}}
        for source, rows in self.faces.items():
            for kind, schema in (("faces", FACES), ("tracks", TRACKS), ("measures", MEASURES)):
                file = self.folder / f"{source}.{kind}"
                known = [{column: row[column] for column in schema.names if column in row} for row in rows]
                paths[kind][source] = write_rows(file, schema, known)
        names = set(CLUSTERS.names)
        every = [{k: v for k, v in row.items() if k in names} for rows in self.faces.values() for row in rows]
        clusters = write_rows(self.folder / "clusters", CLUSTERS, every)
        filters = {"min_size_px": min_size_px, "min_blur": 0.0, "max_distance": None}
        outputs = self.folder / name, self.folder / "notices"
        tables = paths["faces"], paths["measures"], paths["tracks"]
        inputs = ManifestInputs(*tables, clusters, keep_list)
        make_manifest(inputs, ManifestSettings("largest", filters), ManifestOutputs(*outputs))
        rows = read_table(outputs[0], MANIFEST, ["face_id", "kept"]).to_pylist()
        return {row["face_id"] for row in rows if row["kept"]}

    def extract(self, min_size_px: float = 0.0) -> list[str]:
        """Put pictures of the kept faces of every Nth frame into a folder, and index them; returns the faces."""
        kept = self.manifest(self.keep_list, min_size_px=min_size_px)
        self.pictures.mkdir()
        index = []
        in_frame: dict[tuple[str, str], int] = {}
        for number, row in enumerate(row for source in SOURCES for row in self.faces[source]):
            if row["face_id"] not in kept:
                continue
            clean_index = in_frame.setdefault((row["source"], row["frame"]), -1) + 1
            in_frame[row["source"], row["frame"]] = clean_index
            if row["position"] % self.every:
                continue
            original = f"{self.stem(row)}_{clean_index}.png"
            header = {
                "alignments_version": 2.4,
                "original_filename": original,
                "face_index": clean_index,
                "source_filename": f"{self.stem(row)}.jpg",
                "source_is_video": False,
                "source_frame_dims": [360, 640],
            }
            image = np.full((8, 8, 3), 7, np.uint8)
            image[:3] = 0 if self.still else (number % 256, number // 256, 99)
            entry = {side: row[side] for side in "xywh"} | {"landmarks_xy": landmarks(5, 5, 20)}
            text = header_text(entry | {"mask": {}, "identity": {}, "thumb": None}, header)
            file = assembled_name(row["source"], original)
            (self.pictures / file).write_bytes(png(image, text))
            index.append(
                {"file": file, "pixels": pixel_digest(image)} | {k: row[k] for k in ("face_id", "source", "cluster")}
            )
        write_rows(self.folder / "faceset", FACESET, index)
        self.index = {row["face_id"]: row["file"] for row in index}
        return list(self.index)

    def stem(self, row: dict[str, Any]) -> str:
        return f"frame_{row['frame']}"

    def rows(self, pass_over_unknown: bool = False) -> str:
        self.said: list[str] = []
        faces = {source: self.folder / f"{source}.faces" for source in SOURCES}
        tables = self.folder / "faceset", self.folder / "manifest", self.folder / "clusters", faces
        return keep_from_folder(self.pictures, *tables, self.said.append, pass_over_unknown)

    def decisions(self) -> list[str]:
        return [" ".join(line.split("\t")[:3]) for line in self.rows().splitlines()[1:]]

    def remove(self, *faces: str) -> None:
        for face in faces:
            (self.pictures / self.index[face]).unlink()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def two_people(scene: Scene) -> Scene:
    """A lead in three tracks of two sources, and a friend in one; both kept."""
    scene.add("film", "film/000001_0", 1, 6)
    scene.add("film", "film/000001_0", 20, 4)
    scene.add("party", "film/000001_0", 1, 4, top=100)
    scene.add("film", "film/000001_1", 1, 5, index=1)
    scene.decide("keep cluster film/000001_0", "keep cluster film/000001_1")
    scene.extract()
    return scene


def test_nothing_gone_keeps_each_person_with_one_row(two_people: Scene) -> None:
    assert two_people.decisions() == ["keep cluster film/000001_0", "keep cluster film/000001_1"]


def test_a_face_a_track_and_a_person_that_are_gone_are_one_row_each(two_people: Scene) -> None:
    two_people.remove("film/000003_0", *(f"film/{frame:06d}_0" for frame in range(20, 24)))
    two_people.remove(*(f"film/{frame:06d}_1" for frame in range(1, 6)))
    text = two_people.rows()
    assert [line.split("\t")[:5] for line in text.splitlines()[1:]] == [
        ["keep", "cluster", "film/000001_0", "0,1,43,30", "14"],
        ["drop", "face", "film/000003_0", "0,3,43,30", "1"],
        ["drop", "track", "film/000020_0", "0,20,43,30", "4"],
        ["drop", "cluster", "film/000001_1", "50,1,43,30", "5"],
    ]
    assert two_people.said[0].startswith("9 of the faceset's 19 faces are there (9 known by their pixels, 0 by")


def test_sorting_renaming_and_subfolders_change_nothing(two_people: Scene) -> None:
    two_people.remove("film/000003_0")
    expected = two_people.rows()
    files = sorted(two_people.pictures.iterdir())
    random.Random(1).shuffle(files)
    (two_people.pictures / "good" / "best").mkdir(parents=True)
    for number, path in enumerate(files):
        # As sorting does: each gets the name of another order, and some a suffix that another program writes.
        path.rename(two_people.pictures / ("good/best" if number % 2 else "good") / f"{number:05d}.PNG")
    assert two_people.rows() == expected


def test_a_picture_saved_again_by_another_program_is_known_by_its_pixels(two_people: Scene) -> None:
    path = two_people.pictures / two_people.index["film/000002_0"]
    pixels = cv2.imread(str(path))
    assert pixels is not None
    cv2.imwrite(str(path), pixels)  # the header is gone
    assert two_people.decisions() == ["keep cluster film/000001_0", "keep cluster film/000001_1"]


def change_pixels(path: Path) -> None:
    """As a program that keeps headers does."""
    data = path.read_bytes()
    start = data.index(b"iTXt") - 4
    length = int.from_bytes(data[start : start + 4], "big")
    text = data[start + 8 + 13 : start + 8 + length].decode()
    path.write_bytes(png(np.full((8, 8, 3), 200, np.uint8), text))


def test_a_picture_with_other_pixels_is_known_by_its_header(two_people: Scene) -> None:
    change_pixels(two_people.pictures / two_people.index["film/000002_0"])
    assert two_people.decisions() == ["keep cluster film/000001_0", "keep cluster film/000001_1"]
    assert "18 known by their pixels, 1 by their headers" in two_people.said[0]


def test_a_header_that_means_faces_of_two_sources_is_refused(scene: Scene) -> None:
    scene.add("film", "film/000001_0", 1, 2)
    scene.add("party", "film/000001_0", 1, 2)
    scene.extract()
    change_pixels(scene.pictures / scene.index["party/000001_0"])
    with pytest.raises(FacesetError, match=r"party--frame_000001_0\.png.*film/000001_0 or party/000001_0"):
        scene.rows()


def test_a_header_of_a_face_somewhere_else_in_that_frame_is_no_match(scene: Scene) -> None:
    scene.add("film", "film/000001_0", 1, 3)
    scene.extract()
    path = scene.pictures / scene.index["film/000001_0"]
    text = path.read_bytes().replace(b"'y': 1,", b"'y': 7,")  # of other alignments, where the box differs
    start = text.index(b"iTXt") - 4
    length = int.from_bytes(text[start : start + 4], "big")
    path.write_bytes(png(np.zeros((8, 8, 3), np.uint8), text[start + 21 : start + 8 + length].decode()))
    with pytest.raises(FacesetError, match="not a picture of any face of this faceset"):
        scene.rows()


def test_equal_pictures_of_a_still_are_told_apart_by_their_headers(scene: Scene) -> None:
    scene.still = True
    scene.add("film", "film/000001_0", 1, 6)
    scene.extract()
    scene.remove("film/000004_0")
    assert scene.decisions() == ["keep cluster film/000001_0", "drop face film/000004_0"]


def test_copies_of_a_picture_are_fine_but_not_two_different_ones(two_people: Scene) -> None:
    path = two_people.pictures / two_people.index["film/000002_0"]
    copy = two_people.pictures / "zz copy.png"
    shutil.copy(path, copy)
    assert "keep cluster film/000001_0" in two_people.decisions()
    change_pixels(copy)
    with pytest.raises(FacesetError, match=r"film--frame_000002_0\.png and .*zz copy\.png are two different pictures"):
        two_people.rows()


def test_a_stranger_is_refused_by_name_or_passed_over_when_asked(two_people: Scene) -> None:
    cv2.imwrite(str(two_people.pictures / "a stranger.png"), np.full((8, 8, 3), 31, np.uint8))
    with pytest.raises(FacesetError, match=r"a stranger\.png: has no face data"):
        two_people.rows()
    assert two_people.rows(pass_over_unknown=True).count("\n") == 3
    assert "1 pictures are of no face of the faceset and were passed over" in two_people.said[0]


@pytest.mark.parametrize("pass_over_unknown", [False, True])
def test_a_broken_picture_is_refused_by_name(two_people: Scene, pass_over_unknown: bool) -> None:
    (two_people.pictures / two_people.index["film/000002_0"]).write_bytes(b"")
    with pytest.raises(FacesetError, match=r"film--frame_000002_0\.png"):
        two_people.rows(pass_over_unknown)


def test_a_folder_of_another_faceset_drops_nothing_but_is_refused(two_people: Scene) -> None:
    for path in two_people.pictures.iterdir():
        path.unlink()
    cv2.imwrite(str(two_people.pictures / "a stranger.png"), np.full((8, 8, 3), 31, np.uint8))
    with pytest.raises(FacesetError, match="none of its pictures is of this faceset"):
        two_people.rows(pass_over_unknown=True)


def test_faces_that_were_never_extracted_do_not_count_as_gone(scene: Scene) -> None:
    scene.every = 3
    scene.add("film", "film/000001_0", 1, 12)
    assert len(scene.extract()) == 4
    assert scene.decisions() == ["keep cluster film/000001_0"]
    scene.remove("film/000001_0")
    assert scene.decisions() == ["keep cluster film/000001_0", "drop face film/000001_0"]


def test_a_single_face_of_a_person_left_does_not_bring_the_policy_back(scene: Scene) -> None:
    scene.add("film", "film/000001_0", 1, 10)
    scene.add("film", "film/000001_1", 1, 4, index=1)
    faces = scene.extract()
    scene.remove(*faces[1:])
    new = scene.folder / "new.tsv"
    new.write_text(scene.rows())
    assert scene.manifest(new, "again") == {"film/000001_0"}


@pytest.mark.parametrize("seed", range(12))
def test_the_rows_alone_give_the_faceset_of_the_folder(scene: Scene, seed: int) -> None:
    rng = random.Random(seed)
    tracks = [
        scene.add(source, f"person{rng.randrange(3)}/000001_0", 1 + 20 * number, rng.randrange(1, 9), index)
        for source in SOURCES
        for number in range(4)
        for index in range(2)
    ]
    people = sorted({row["cluster"] for rows in scene.faces.values() for row in rows})
    names = {row["cluster"]: row["face_id"] for rows in scene.faces.values() for row in rows}
    for rows in scene.faces.values():  # a cluster is named by one of its faces
        for row in rows:
            row["cluster"] = names[row["cluster"]]
    dropped, kept = rng.sample(tracks, 2)
    scene.decide(
        *(f"keep cluster {names[person]}" for person in rng.sample(people, rng.randrange(1, len(people) + 1))),
        f"drop track {dropped[0]}",
        f"keep track {kept[0]}",
        *(f"{rng.choice(['keep', 'drop'])} face {rng.choice(track)}" for track in rng.sample(tracks, 3)),
    )
    faces = scene.extract(min_size_px=15.0)
    gone = {face for face in faces if rng.random() < rng.choice([0.1, 0.5, 0.9])} - {faces[0]}
    gone |= set(rng.choice(tracks)) & set(faces[1:])
    scene.remove(*gone)
    new = scene.folder / "new.tsv"
    write_keep_list(new, scene.rows())
    assert scene.manifest(new, "again", min_size_px=15.0) == set(faces) - gone


def test_a_keep_list_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keep" / "main.tsv"
    write_keep_list(path, f"{HEADER}\nkeep\tcluster\tfilm/000001_0\t\t\t\n")
    assert read_keep_list(path)[0].face == "film/000001_0"
    with pytest.raises(FacesetError, match=r"main\.tsv: exists already"):
        write_keep_list(path, HEADER)
    assert len(read_keep_list(path)) == 1
