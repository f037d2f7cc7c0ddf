"""Reading and writing alignments of many faces: does time and memory grow as the faces do, and how fast?"""

import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measuring import cost_of, table
from faceset.alignments.files import Alignments, fsa_chunks, msgpack_chunks, read_alignments

SIZES = (10_000, 100_000)
FACES_IN_A_FRAME = 3


def report() -> list[str]:
    """Measure at each size."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for count in SIZES:
            files = {form: Path(folder) / f"alignments.{form}" for form in ("fsa", "msgpack")}
            cost_of(write_made_up, count, files["fsa"], files["msgpack"])
            for form, path in files.items():
                reading = cost_of(read, path)
                both = cost_of(read_and_write, path, path.with_suffix(".again"))
                rows.append(_row(f"read {form}", count, reading.seconds, reading.peak_mb, path))
                rows.append(_row(f"write {form}", count, both.result, both.peak_mb, path))
    return [
        "# Alignments",
        "",
        f"Made-up alignments, {FACES_IN_A_FRAME} faces a frame, each with 68 landmarks, a thumb, a mask of 128 x 128",
        "and an identity of 512 numbers. Peak memory is that of the whole process; to write, it has read them first.",
        "",
        *table(("what", "faces", "seconds", "µs a face", "peak MB", "file MB"), rows),
    ]


def _row(what: str, count: int, seconds: float, peak_mb: float, path: Path) -> tuple[object, ...]:
    megabytes = path.stat().st_size / 2**20
    return (
        what,
        f"{count:,}",
        f"{seconds:.1f}",
        f"{seconds / count * 1e6:.0f}",
        f"{peak_mb:,.0f}",
        f"{megabytes:,.0f}",
    )


def read(path: Path) -> int:
    """Read a file and count its faces."""
    return sum(len(frame["faces"]) for frame in read_alignments(path).frames.values())


def read_and_write(path: Path, again: Path) -> float:
    """Read a file and write it again. Returns the seconds that writing took."""
    alignments = read_alignments(path)
    started = time.perf_counter()
    _write(alignments, path.suffix, again)
    return time.perf_counter() - started


def _write(alignments: Alignments, suffix: str, path: Path) -> None:
    chunks = fsa_chunks if suffix == ".fsa" else msgpack_chunks
    with path.open("wb") as file:
        file.writelines(chunks(alignments.data))


def write_made_up(count: int, fsa: Path, msgpack: Path) -> None:
    """Write alignments of `count` faces in both forms."""
    random = np.random.default_rng(1)
    frames = {
        f"film_{number + 1:06d}.mp4": {
            "faces": list(_faces(min(FACES_IN_A_FRAME, count - number * FACES_IN_A_FRAME), random)),
            "video_meta": {"pts_time": number, "keyframe": number % 50 == 0},
        }
        for number in range(-(-count // FACES_IN_A_FRAME))
    }
    data = Alignments({"__meta__": {"version": 2.4}, "__data__": frames}, 2.4, ())
    _write(data, ".fsa", fsa)
    _write(data, ".msgpack", msgpack)


def _faces(count: int, random: np.random.Generator) -> Iterator[dict[str, object]]:
    for _ in range(count):
        centre, radius = random.integers(50, 78, 2), int(random.integers(30, 50))
        mask = cv2.GaussianBlur(cv2.circle(np.zeros((128, 128), np.uint8), centre.tolist(), radius, 255, -1), (0, 0), 3)
        picture = cv2.resize(random.integers(0, 256, (24, 24, 3), np.uint8), (96, 96), interpolation=cv2.INTER_CUBIC)
        yield {
            "x": 300,
            "y": 200,
            "w": 180,
            "h": 220,
            "landmarks_xy": _float32_values(random.random((68, 2)) * 200 + 300),
            "mask": {
                "bisenet-fp_face": {
                    "mask": zlib.compress(mask.tobytes()),
                    "affine_matrix": random.random((2, 3)) * 3,
                    "interpolator": 1,
                    "stored_size": 128,
                    "stored_centering": "face",
                }
            },
            "identity": {"vggface2": _float32_values(random.normal(size=512))},
            "thumb": cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes(),
        }


def _float32_values(values: np.ndarray) -> np.ndarray:
    """Numbers as other programs write them: of float32 precision, as float64."""
    return values.astype(np.float32).astype(np.float64)
