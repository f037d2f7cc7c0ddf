"""What the demo's footage promises. The pictures come from the package cache, which set-up fills."""

import csv
from collections import Counter
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from faceset.alignments.files import read_alignments
from faceset.demo.footage import HEIGHT, WIDTH, compose

CACHE = Path(__file__).parents[3] / ".cache" / "packages"


def compose_quietly(out: Path) -> None:
    compose(CACHE, out, say=lambda _: None)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    compose_quietly(out)
    return out


@pytest.fixture(scope="module")
def truth(demo: Path) -> list[dict[str, str]]:
    with (demo / "truth.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_composing_again_touches_nothing_that_is_there(demo: Path) -> None:
    cleaned = demo / "footage" / "portraits" / "alignments_backup.fsa"
    cleaned.write_bytes(b"a user's")
    before = {path: path.stat().st_mtime_ns for path in demo.rglob("*")}
    compose_quietly(demo)
    assert {path: path.stat().st_mtime_ns for path in demo.rglob("*")} == before
    cleaned.unlink()


def test_an_outdated_composition_gives_way_to_the_same_bytes_as_a_fresh_one(demo: Path, tmp_path: Path) -> None:
    portraits = tmp_path / "footage" / "portraits"
    portraits.mkdir(parents=True)
    (portraits / "frame_999999.jpg").write_bytes(b"a frame that is no more")
    (tmp_path / "truth.csv").write_text("other faces\n")
    (tmp_path / "composition.sha256").write_text("another version\n")
    compose_quietly(tmp_path)
    assert contents(tmp_path) == contents(demo)


def test_a_film_that_was_lost_is_made_again(demo: Path) -> None:
    film = demo / "footage" / "interview.mp4"
    before = film.read_bytes()
    film.unlink()
    compose_quietly(demo)
    assert film.read_bytes() == before


def test_two_sources_show_four_people_often_enough(truth: list[dict[str, str]]) -> None:
    seen = Counter((row["source"], row["person"]) for row in truth)
    people = {"obama", "biden", "collins", "carphone"}
    assert set(seen) == {(source, person) for source in ("interview", "portraits") for person in people}
    assert len(truth) >= 450
    assert min(seen.values()) >= 30


def test_there_are_frames_of_two_people_and_frames_of_nobody(demo: Path, truth: list[dict[str, str]]) -> None:
    faces = Counter((row["source"], row["frame"]) for row in truth)
    for source, frames in (("interview", 240), ("portraits", 200)):
        counts = Counter(faces[source, f"{'frame_' * (source == 'portraits')}{n:06d}"] for n in range(1, frames + 1))
        assert set(counts) == {0, 1, 2}
        assert min(counts[0], counts[2]) >= 10
        assert counts.total() == frames
    with av.open(demo / "footage" / "interview.mp4", "r") as film:
        stream = film.streams.video[0]
        decoded = [(frame.width, frame.height) for frame in film.decode(stream)]
        assert stream.average_rate == 25
    assert decoded == [(WIDTH, HEIGHT)] * 240


def test_the_alignments_are_the_truth_of_the_folder(demo: Path, truth: list[dict[str, str]]) -> None:
    folder = demo / "footage" / "portraits"
    frames = read_alignments(folder / "alignments.fsa").frames
    assert sorted(frames) == sorted(path.name for path in folder.glob("*.jpg"))
    boxes = [(Path(name).stem, *(face[key] for key in "xywh")) for name in frames for face in frames[name]["faces"]]
    assert boxes == [
        (row["frame"], *(int(row[key]) for key in "xywh")) for row in truth if row["source"] == "portraits"
    ]
    for frame in frames.values():
        for face in frame["faces"]:
            landmarks = np.array(face["landmarks_xy"])
            assert landmarks.shape == (68, 2)
            assert np.all((landmarks >= 0) & (landmarks < (WIDTH, HEIGHT)))


@pytest.mark.parametrize("person", ["biden", "collins"])
def test_landmarks_lie_on_the_same_pixels_of_a_face_however_it_is_framed(
    demo: Path, truth: list[dict[str, str]], person: str
) -> None:
    folder = demo / "footage" / "portraits"
    frames = read_alignments(folder / "alignments.fsa").frames
    rows = [row for row in truth if row["source"] == "portraits" and row["person"] == person]
    reference = np.empty(0)
    faces = []
    for row in rows:
        entry = next(face for face in frames[f"{row['frame']}.jpg"]["faces"] if str(face["x"]) == row["x"])
        landmarks = np.array(entry["landmarks_xy"])
        if not reference.size:
            reference = landmarks
        upright = cv2.estimateAffinePartial2D(landmarks, reference)[0]
        image = cv2.imread(str(folder / f"{row['frame']}.jpg"), cv2.IMREAD_GRAYSCALE)
        low, high = reference.min(axis=0).astype(int), reference.max(axis=0).astype(int)
        aligned = cv2.warpAffine(image, upright, (WIDTH, HEIGHT))[low[1] : high[1], low[0] : high[0]]
        faces.append(cv2.resize(aligned, (32, 32), interpolation=cv2.INTER_AREA).ravel())
    assert np.corrcoef(faces).min() > 0.9
