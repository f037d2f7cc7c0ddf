"""Small made-up footage, alignments and tables, the same ones every time."""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from faceset.alignments.files import Alignments, from_msgpack, fsa_bytes, msgpack_bytes
from faceset.crops.chips import crop_faces
from faceset.digests import file_digest
from faceset.face_ids import face_id
from faceset.footage.files import list_pictures
from faceset.footage.frames import list_frames
from faceset.footage.parts import Outputs
from faceset.geometry.mean_faces import LANDMARKS_98_TO_68, MEAN_FACE_51
from faceset.models.embeddings import Embeddings, Metric, write_embeddings
from faceset.project.project import Project, load_project
from faceset.project.validation import load_config
from faceset.stages.graph import instances_of
from faceset.stages.table import STAGES
from faceset.store.parts import WHOLE
from faceset.tables.parquet import write_table
from faceset.tables.schema import Schema
from faceset.training.pictures.png import encode
from faceset.training.pixels import pack
from faceset.workflow.jobs import run_stage
from faceset.workflow.rule_jobs import run_rule

WIDTH, HEIGHT = 96, 64


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A blurred picture, BGR, unlike that of every other number."""
    noise = np.random.default_rng(number).integers(0, 256, (8, 12, 3), np.uint8)
    return np.asarray(cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def write_pictures(folder: Path, names: Iterable[str], width: int = WIDTH, height: int = HEIGHT) -> Path:
    """A folder of pictures, each of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        assert cv2.imwrite(str(folder / name), picture(number, width, height))
    return folder


def write_video(
    path: Path,
    frames: int = 30,
    codec: str = "libx264",
    first_pts: int = 0,
    keyframes: Sequence[int] = (),
    options: Mapping[str, str] | None = None,
) -> Path:
    """A video of 25 frames a second, with B-frames, and a keyframe every tenth frame or at `keyframes`."""
    gop = {"g": "10" if not keyframes else "1000", "bf": "3"}
    threads = {"threads": "1"}  # else an encoder's choices would depend on the number of cores
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={**gop, **threads, **(options or {})})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = first_pts + number, Fraction(1, 25)
            if number in keyframes:
                frame.pict_type = av.video.frame.PictureType.I
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn_quarter_clockwise(video: Path) -> None:
    """Say in an MP4's track header that the picture is to be shown turned, as phones do."""
    data = bytearray(video.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    assert struct.unpack(">9i", data[matrix : matrix + 36])[0] == 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, HEIGHT << 16, 0, 1 << 30)
    video.write_bytes(data)


def landmarks(x: float, y: float, edge: float, points: int = 68) -> list[list[float]]:
    """Landmarks shaped like the mean face, in a square whose top left corner is (x, y)."""
    jaw = np.stack([np.linspace(0, 1, 17), 0.5 + 0.5 * np.sin(np.linspace(0, np.pi, 17))], axis=1)
    shape = np.concatenate([jaw, MEAN_FACE_51])
    if points != 68:
        wanted = np.full((points, 2), 0.5)
        wanted[LANDMARKS_98_TO_68 if points == 98 else slice(None)] = shape if points == 98 else shape[:points]
        shape = wanted
    found: list[list[float]] = (shape * edge + (x, y)).tolist()
    return found


def face(x: int = 20, y: int = 10, edge: int = 40, **changes: Any) -> dict[str, Any]:
    """A face of alignments; `changes` replace its entries."""
    return {
        "x": x,
        "y": y,
        "w": edge,
        "h": edge,
        "landmarks_xy": landmarks(x, y, edge),
        "mask": {},
        "identity": {},
        "thumb": None,
        **changes,
    }


def alignments(frames: Mapping[str, list[dict[str, Any]]], notes: tuple[str, ...] = ()) -> Alignments:
    """Alignments as read, of faces by frame name."""
    entries = {name: {"faces": faces, "video_meta": {}} for name, faces in frames.items()}
    read = from_msgpack(msgpack_bytes({"__meta__": {"version": 2.4}, "__data__": entries}), "made up")
    return Alignments(read.data, notes)


def write_rows(path: Path, schema: Schema, rows: Sequence[Mapping[str, Any]]) -> Path:
    """A table of these rows; columns that a row does not have are empty, if they may be, or zero."""
    zero: dict[str, Any] = {"string": "", "bool": False, "list<float32>": [], "list<int32>": []}
    blank = {column.name: None if column.nullable else zero.get(column.type, 0) for column in schema.columns}
    write_table(path, schema, {name: [{**blank, **row}[name] for row in rows] for name in schema.names})
    return path


def write_vectors(
    path: Path, faces: Sequence[str], vectors: NDArray[np.floating], metric: Metric = "euclidean"
) -> Path:
    """An embeddings table."""
    write_embeddings(path, Embeddings(list(faces), vectors.astype(np.float32), metric), "made_up", "0" * 64)
    return path


def write_frames(footage: Path, output: Path) -> Path:
    """The `frames` table of some footage."""
    files = list_pictures(footage) if footage.is_dir() else [footage]
    list_frames(footage, {file: file_digest(file) for file in files}, output)
    return output


def png(image: NDArray[np.uint8], text: str) -> bytes:
    """A face picture: a BGR image with a text in its chunk."""
    return encode(image.shape[1], image.shape[0], pack(image), text)


def ids(source: str, count: int, index: int = 0) -> list[str]:
    """The ids of one face in each of `count` frames."""
    return [face_id(source, f"{number + 1:06d}", index) for number in range(count)]


CONFIG = {"facesets": {"main": {"policy": "all", "extract": {"size_px": 64}}}}
PICTURES = ("a.png", "b.png", "c.png")


def write_project(folder: Path) -> None:
    """A working directory with one source, `photos`: three pictures with a face each."""
    write_pictures(folder / "photos", PICTURES)
    write_alignments(folder, {name: [face()] for name in PICTURES})
    write_sources(folder, "photos")


def write_alignments(folder: Path, frames: Mapping[str, list[dict[str, Any]]]) -> None:
    """The alignments of the project's pictures."""
    (folder / "photos" / "alignments.fsa").write_bytes(fsa_bytes(alignments(frames).data))


def write_sources(folder: Path, frames: str) -> None:
    """The project's table of sources."""
    (folder / "config").mkdir(exist_ok=True)
    text = f"source\tframes\talignments\trights\nphotos\t{frames}\t\tmade up\n"
    (folder / "config" / "sources.tsv").write_text(text)


def project(**changes: Any) -> Project:
    """The project in the current folder; `changes` replace entries of its config."""
    return load_project({**CONFIG, **changes})


class FolderParts:
    """Parts of work, remembered in a folder; `made` tells which were asked to be made."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.folder, self.names = folder, names
        self.made: list[str] = []

    def is_whole(self, parts: Sequence[Any]) -> bool:
        return WHOLE.is_whole(parts)

    def share(self, parts: Sequence[Any]) -> Sequence[Any]:
        return WHOLE.of(parts)

    def find(self, digest: str) -> Outputs | None:
        paths = {name: self.folder / digest / name for name in self.names}
        return paths if all(path.exists() for path in paths.values()) else None

    def make(self, digest: str, work: Callable[[Outputs], str]) -> Outputs:
        self.made.append(digest)
        (self.folder / digest).mkdir(parents=True)
        paths = {name: self.folder / digest / name for name in self.names}
        work(paths)
        return paths


def crop_into(folder: Path, footage: Path, frames: Path, faces: Path, parts: FolderParts | None = None) -> None:
    """The tables `chips` and `measures` of some faces of some footage."""
    outputs = {name: folder / name for name in ("chips", "measures")}
    crop_faces(footage, frames, faces, outputs, parts or FolderParts(folder / "parts", *outputs))


def learn_footage(of: Project) -> None:
    """What the job that lists frames does first."""
    for source in of.sources.values():
        of.footage_digests(source).learn()


def run_first(stage: str, shard: str = "", **changes: Any) -> bool:
    """Run a stage in the current folder, for the first instance of it; returns whether anything was computed.

    With `shard`, that share of its parts. `changes` replace entries of the project's config.
    """
    of = project(**changes)
    share = {"shard": shard} if shard else {}
    return run_stage(of, stage, **first_instance(of, stage), **share)


def first_instance(of: Project, stage: str) -> dict[str, str]:
    """The first instance of a stage in a project."""
    return dict(next(iter(instances_of(of, STAGES[stage]))))


def run_job(stage: str, prefix: str = "", **changes: Any) -> str:
    """Run the job of a stage's rule in the current folder, for its first instance, as Snakemake does; returns its log.

    Where it fails, it ends in SystemExit, with its log in `log_of` the stage.
    """
    instance = first_instance(project(**changes), stage)
    log = log_of(stage, prefix, **changes)
    log.parent.mkdir(parents=True, exist_ok=True)
    run_rule(rule_job(stage, instance, log, {**CONFIG, **changes}, prefix))
    return log.read_text()


def log_of(stage: str, prefix: str = "", **changes: Any) -> Path:
    """The log of the job that `run_job` runs."""
    return Path(prefix + STAGES[stage].log.format(**first_instance(project(**changes), stage)))


def rule_job(
    stage: str, instance: Mapping[str, str], log: Path, config: Mapping[str, Any], prefix: str = ""
) -> SimpleNamespace:
    """What Snakemake hands to the script of a rule, as far as it is read."""
    return SimpleNamespace(
        params=SimpleNamespace(stage=stage, settings=asdict(load_config(config))),
        wildcards=instance,
        output=[prefix + STAGES[stage].record.format(**instance)],
        log=[str(log)],
        resources={},
        threads=1,
    )
