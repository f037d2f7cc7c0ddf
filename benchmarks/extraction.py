"""Extraction of training faces: how many a second, beside a bare loop over the same pixels on as many cores."""

import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.measuring import cost_of, table
from faceset.alignments import face_landmarks, msgpack_bytes, read_msgpack
from faceset.extraction import extract_faces
from faceset.face_ids import face_id, frame_of_key
from faceset.face_png import encode
from faceset.footage import Picture, list_frames, read_frames
from faceset.geometry import PADDING_RATIO, base_matrices, crop_matrices, normalised_landmarks, poses, warp_face
from faceset.geometry_constants import MEAN_FACE_51
from faceset.schemas import KEPT
from faceset.tables import write_table

FRAMES = 200
WIDTH, HEIGHT = 1280, 720
PLACES = ((120, 120, 210), (520, 220, 260), (900, 160, 180))  # left, top and edge of the faces of every frame
SIZE_PX = 512


def report() -> list[str]:
    """Measure a folder of JPEGs and a video."""
    cores = len(os.sched_getaffinity(0))
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, footage in (("JPEG folder", _write_folder(folder)), ("MP4", _write_video(folder))):
            work = folder / kind
            work.mkdir()
            faces = prepare(footage, work)
            for threads in sorted({1, cores}):
                # By turns, and the fastest of each: other work on the machine then disturbs both alike.
                rounds = [
                    (cost_of(extract, *args), cost_of(bare_loop, *args)) for args in [(footage, work, threads)] * 3
                ]
                extracting, bare = (min(costs, key=lambda cost: cost.result) for costs in zip(*rounds, strict=True))
                rates = (f"{faces / cost.result:.0f}" for cost in (extracting, bare))
                ratio = f"{extracting.result / bare.result:.2f}"
                rows.append((kind, threads, *rates, ratio, f"{extracting.peak_mb:.0f}"))
    return [
        "# Extraction",
        "",
        f"{FRAMES} frames of {WIDTH} x {HEIGHT} with {len(PLACES)} faces each, extracted at {SIZE_PX} px. The bare",
        "loop decodes, finds the pose, warps and encodes the same faces, and neither labels, digests nor writes them;",
        "its threads share nothing. The fastest of three runs each.",
        "",
        *table(("footage", "threads", "faces a second", "bare loop", "times as long", "peak MB"), rows),
    ]


def prepare(footage: Path, work: Path) -> int:
    """Write what extraction reads. Returns the number of faces."""
    list_frames(footage, work / "frames")
    names = sorted(path.name for path in footage.iterdir()) if footage.is_dir() else _video_names(footage)
    random = np.random.default_rng(2)
    frames = {name: {"faces": [_face(*place, random) for place in PLACES], "video_meta": {}} for name in names}
    (work / "alignments").write_bytes(msgpack_bytes({"__meta__": {"version": 2.4}, "__data__": frames}))
    rows = [
        (face_id("film", frame, index), frame, position, index)
        for position, name in enumerate(names)
        for frame in [frame_of_key(name, not footage.is_dir())]
        for index in range(len(PLACES))
    ]
    columns = dict(zip(("face_id", "frame", "position", "index"), zip(*rows, strict=True), strict=True))
    write_table(work / "kept", KEPT, columns)
    return len(rows)


def _video_names(video: Path) -> list[str]:
    return [f"{video.stem}_{number + 1:06d}{video.suffix}" for number in range(FRAMES)]


def _face(left: int, top: int, edge: int, random: np.random.Generator) -> dict[str, Any]:
    jaw = np.stack([np.linspace(0, 1, 17), 0.5 + 0.5 * np.sin(np.linspace(0, np.pi, 17))], axis=1)
    points = np.concatenate([jaw, MEAN_FACE_51]) + random.normal(0, 0.01, (68, 2))
    points = points * edge + (left, top)
    box = {"x": left, "y": top, "w": edge, "h": edge}
    return {**box, "landmarks_xy": points, "mask": {}, "identity": {"vggface2": random.normal(size=512)}, "thumb": None}


def extract(footage: Path, work: Path, threads: int) -> float:
    """Extract all faces. Returns the seconds it took."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        out = Path(folder)
        inputs = footage, work / "frames", work / "alignments", work / "kept"
        started = time.perf_counter()
        extract_faces(*inputs, out / "faces", out / "extracted", SIZE_PX, 0, 1, threads)
        return time.perf_counter() - started


def bare_loop(footage: Path, work: Path, threads: int) -> float:
    """Decode, warp and encode the same faces, the frames dealt out to as many loops. Returns the seconds it took."""
    frames = list(read_msgpack(work / "alignments").frames.values())
    landmarks = [[face_landmarks(face) for face in frame["faces"]] for frame in frames]
    shares = [range(share * FRAMES // threads, (share + 1) * FRAMES // threads) for share in range(threads)]

    def loop(share: Sequence[int]) -> None:
        for position, picture in read_frames(footage, work / "frames", share):
            for points in landmarks[position]:
                _bare_face(picture, points[None])

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(loop, shares))
    return time.perf_counter() - started


def _bare_face(picture: Picture, landmarks: np.ndarray) -> bytes:
    base = base_matrices(landmarks)
    offset = poses(normalised_landmarks(landmarks, base)).offsets["head"]
    matrix = crop_matrices(base, offset, SIZE_PX, PADDING_RATIO["head"])[0]
    return encode(warp_face(picture, matrix, SIZE_PX), "")


def _picture(number: int) -> Picture:
    random = np.random.default_rng(number)
    coarse = cv2.resize(random.integers(0, 256, (18, 32, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(random.integers(0, 24, (HEIGHT // 2, WIDTH // 2, 3), np.uint8), (WIDTH, HEIGHT))
    return np.asarray(cv2.add(coarse, grain), np.uint8)


def _write_folder(folder: Path) -> Path:
    footage = folder / "film"
    footage.mkdir()
    for number in range(FRAMES):
        cv2.imwrite(str(footage / f"{number + 1:06d}.jpg"), _picture(number), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return footage


def _write_video(folder: Path) -> Path:
    path = folder / "film.mp4"
    still = np.pad(_picture(0), ((0, 0), (0, FRAMES), (0, 0)), mode="wrap")
    options = {"g": "50", "crf": "20", "preset": "veryfast", "threads": "1"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(FRAMES):
            moved = np.ascontiguousarray(still[:, number : number + WIDTH])
            frame = av.VideoFrame.from_ndarray(moved, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path
