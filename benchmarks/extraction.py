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
from faceset.alignments.files import msgpack_bytes
from faceset.alignments.tables import FACES
from faceset.arrays import Image
from faceset.crops.tables import MEASURES
from faceset.face_ids import face_id, frame_of_key
from faceset.footage.digests import FootageDigests
from faceset.footage.files import frame_name
from faceset.footage.frames import list_frames, read_frames
from faceset.footage.tables import FRAMES as FRAMES_TABLE
from faceset.geometry.mean_faces import MEAN_FACE_51
from faceset.geometry.transforms import (
    PADDING_RATIO,
    base_matrices,
    crop_matrices,
    normalised_landmarks,
    poses,
    warp_face,
)
from faceset.tables.parquet import read_table, write_table
from faceset.training.extraction import ExtractInputs, ExtractSettings, extract_faces, extracted_files
from faceset.training.packs import Cuts
from faceset.training.pictures.png import encode
from faceset.training.pixels import pack
from faceset.training.tables import EXTRACTED, KEPT

FRAMES, MANY_FRAMES = 400, 3000
WIDTH, HEIGHT = 1280, 720
PLACES = ((120, 120, 210), (520, 220, 260), (900, 160, 180))  # left, top and edge of the faces of every frame
SIZE_PX = 512


def report() -> list[str]:
    """Measure a folder of JPEGs and a video."""
    cores = len(os.sched_getaffinity(0))
    rows, memory = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, footage in (("JPEG folder", write_folder(folder / "film")), ("MP4", _write_video(folder))):
            work = folder / kind
            faces = prepare(footage, work)
            for threads in sorted({1, cores}):
                # By turns, and the fastest of each: other work on the machine then disturbs both alike.
                rounds = [
                    (cost_of(extract, *args), cost_of(bare_loop, *args)) for args in [(footage, work, threads)] * 3
                ]
                extracting, bare = (
                    min(costs, key=lambda cost: sum(cost.result)) for costs in zip(*rounds, strict=True)
                )
                cut, written = extracting.result
                rates = (f"{faces / seconds:.0f}" for seconds in (cut, *bare.result))
                rows.append((kind, threads, *rates, f"{cut / sum(bare.result):.2f}", f"{faces / written:.0f}"))
        footage = write_folder(folder / "long film", MANY_FRAMES)
        for count, of in ((FRAMES, folder / "film"), (MANY_FRAMES, footage)):
            faces = prepare(of, folder / f"{count}")
            memory.append((f"{faces:,}", f"{cost_of(extract, of, folder / f'{count}', cores).peak_mb:.0f}"))
    return [
        "# Extraction",
        "",
        f"{FRAMES} frames of {WIDTH} x {HEIGHT} with {len(PLACES)} faces each, extracted at {SIZE_PX} px. The bare",
        "loop decodes, warps and encodes the same faces, from crops that are known, and does nothing else; its threads",
        "share nothing. Extraction also finds out what is to be cut and remembers it in the store; making the files to",
        "train on of it, with their headers, is measured by itself. Extraction decodes in one thread more than it cuts",
        "in, so a second core is of use to it with one thread as well. The fastest of three runs each.",
        "",
        *table(("footage", "threads", "faces a second", "bare loop", "times as long", "files a second"), rows),
        "",
        "Peak memory of extraction and files together, the whole process:",
        "",
        *table(("faces", "peak MB"), memory),
    ]


def prepare(footage: Path, work: Path) -> int:
    """Write what extraction reads into a new folder `work`. Returns the number of faces."""
    work.mkdir()
    list_frames(footage, FootageDigests(work, footage).learn(), work / "frames")
    rows = read_table(work / "frames", FRAMES_TABLE, ["frame", "name"]).to_pylist()
    names = [row["name"] or frame_name(footage.name, row["frame"]) for row in rows]
    faces = [[face(*place, number) for place in PLACES] for number in range(len(names))]
    frames = {name: {"faces": of_frame, "video_meta": {}} for name, of_frame in zip(names, faces, strict=True)}
    (work / "alignments").write_bytes(msgpack_bytes({"__meta__": {"version": 2.4}, "__data__": frames}))
    count = len(names) * len(PLACES)
    of_frames = [frame_of_key(name, not footage.is_dir()) for name in names]
    known = {
        "position": np.repeat(np.arange(len(names)), len(PLACES)),
        "frame": np.repeat(of_frames, len(PLACES)),
        "face_index": np.tile(np.arange(len(PLACES)), len(names)),
        "landmarks": [one["landmarks_xy"].ravel() for of_frame in faces for one in of_frame],
    }
    known["index"] = known["face_index"]
    known["face_id"] = [face_id("film", *face) for face in zip(known["frame"], known["index"], strict=True)]
    landmarks = np.stack(known["landmarks"]).reshape(count, -1, 2)
    offsets = poses(normalised_landmarks(landmarks)).offsets["head"]
    known |= {"head_x": offsets[:, 0], "head_y": offsets[:, 1], "problem": [None] * count}
    for schema in (FACES, MEASURES, KEPT):
        columns = {name: known.get(name, np.zeros(count)) for name in schema.names}
        columns |= {name: columns[name].astype(np.int32) for name in ("x", "y", "w", "h") if name in columns}
        write_table(work / schema.name, schema, columns)
    return count


def face(left: int, top: int, edge: int, seed: int) -> dict[str, Any]:
    """A face of alignments, shaped like the mean face, in a square of the frame."""
    random = np.random.default_rng(seed)
    jaw = np.stack([np.linspace(0, 1, 17), 0.5 + 0.5 * np.sin(np.linspace(0, np.pi, 17))], axis=1)
    points = np.concatenate([jaw, MEAN_FACE_51]) + random.normal(0, 0.01, (68, 2))
    points = points * edge + (left, top)
    box = {"x": left, "y": top, "w": edge, "h": edge}
    return {**box, "landmarks_xy": points, "mask": {}, "identity": {"vggface2": random.normal(size=512)}, "thumb": None}


def extract(footage: Path, work: Path, threads: int) -> tuple[float, float]:
    """Extract all faces, then make their files. Returns the seconds of both."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        out = Path(folder)
        inputs = ExtractInputs(
            footage, *(work / name for name in ("frames", "faces", "measures", "alignments", "kept"))
        )
        settings = ExtractSettings(SIZE_PX, min_size_percent=0, every=1, picture_code="")
        started = time.perf_counter()
        extract_faces(inputs, settings, _cuts(out), out / "extracted", threads)
        cut = time.perf_counter()
        names = read_table(out / "extracted", EXTRACTED, ["face_id", "file"])
        wanted = dict(zip(*(column.to_pylist() for column in names.columns), strict=True))
        for name, data in extracted_files(out / "extracted", inputs.alignments, footage.is_file(), _cuts(out), wanted):
            (out / name).write_bytes(data)
        return cut - started, time.perf_counter() - cut


def _cuts(folder: Path) -> Cuts:
    return Cuts(folder / "cuts", "film", lambda path: path)


def bare_loop(footage: Path, work: Path, threads: int) -> tuple[float]:
    """Decode, warp and encode the same faces, the frames dealt out to as many loops. Returns the seconds it took."""
    landmarks = np.array(read_table(work / "faces", FACES, ["landmarks"])["landmarks"].to_pylist(), np.float32)
    landmarks = landmarks.reshape(len(landmarks), -1, 2)
    base = base_matrices(landmarks)
    offsets = poses(normalised_landmarks(landmarks, base)).offsets["head"]
    matrices = crop_matrices(base, offsets, SIZE_PX, PADDING_RATIO["head"]).reshape(-1, len(PLACES), 2, 3)
    shares = [range(share * FRAMES // threads, (share + 1) * FRAMES // threads) for share in range(threads)]

    def loop(share: Sequence[int]) -> None:
        for position, picture in read_frames(footage, work / "frames", share):
            for matrix in matrices[position]:
                encode(SIZE_PX, SIZE_PX, pack(warp_face(picture, matrix, SIZE_PX)), "")

    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(loop, shares))
    return (time.perf_counter() - started,)


def made_up_picture(number: int) -> Image:
    random = np.random.default_rng(number)
    coarse = cv2.resize(random.integers(0, 256, (18, 32, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    grain = cv2.resize(random.integers(0, 24, (HEIGHT // 2, WIDTH // 2, 3), np.uint8), (WIDTH, HEIGHT))
    return np.asarray(cv2.add(coarse, grain), np.uint8)


def write_folder(footage: Path, frames: int = FRAMES) -> Path:
    """A folder of so many frames, FRAMES different ones."""
    footage.mkdir()
    for number in range(frames):
        path = footage / f"{number + 1:06d}.jpg"
        if number < FRAMES:
            cv2.imwrite(str(path), made_up_picture(number), [cv2.IMWRITE_JPEG_QUALITY, 90])
        else:
            path.hardlink_to(footage / f"{number % FRAMES + 1:06d}.jpg")
    return footage


def _write_video(folder: Path) -> Path:
    path = folder / "film.mp4"
    still = np.pad(made_up_picture(0), ((0, 0), (0, FRAMES), (0, 0)), mode="wrap")
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
