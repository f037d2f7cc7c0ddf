"""Cleaned alignments: those of a source, with the faces that a faceset keeps and no others."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc

from faceset.alignments.files import fsa_chunks, msgpack_chunks, read_msgpack
from faceset.decisions.tables import MANIFEST
from faceset.face_ids import face_id, frame_of_key
from faceset.footage.files import frame_name
from faceset.footage.tables import FRAMES
from faceset.tables.parquet import read_table, write_table
from faceset.training.tables import KEPT


@dataclass(frozen=True)
class CleanInputs:
    """What cleaned alignments are made from.

    Parameters
    ----------
    alignments
        As ingest wrote them (msgpack).
    frames
        The source's `frames` table.
    manifests
        `manifest` tables: a face stays that any of them keeps.
    """

    alignments: Path
    frames: Path
    manifests: Sequence[Path]


@dataclass(frozen=True)
class CleanSettings:
    """The source's name, and the file name of its video as it is called now, None for a folder of pictures."""

    source: str
    video: str | None


@dataclass(frozen=True)
class CleanOutputs:
    """Where the cleaned alignments go, in both forms, and the `kept` table of their faces' ids, in the same order."""

    fsa: Path
    alignments: Path
    kept: Path


def clean_alignments(inputs: CleanInputs, settings: CleanSettings, outputs: CleanOutputs) -> None:
    """Write a source's alignments with only the kept faces, as faceswap reads them and as we do.

    Every frame stays, in its order and with its video_meta, also where no face is left. Entries are named after the
    footage as it is called now; one of a frame that the footage does not have keeps its name.
    """
    source, video = settings.source, settings.video
    footage = {
        row["frame"]: row for row in read_table(inputs.frames, FRAMES, ["frame", "position", "name"]).to_pylist()
    }
    kept = _kept_faces(inputs.manifests, source)
    read = read_msgpack(inputs.alignments)
    entries, rows = {}, []
    for key, entry in read.frames.items():
        frame = frame_of_key(key, video is not None)
        ids = [face_id(source, frame, index) for index in range(len(entry["faces"]))]
        stay = [index for index, name in enumerate(ids) if name in kept]
        rows += [(ids[old], frame, footage[frame]["position"], new) for new, old in enumerate(stay)]
        name = key if frame not in footage else frame_name(video, frame) if video else footage[frame]["name"]
        entries[name] = {**entry, "faces": [entry["faces"][index] for index in stay]}
    data = {**read.data, "__data__": entries}
    for output, chunks in ((outputs.fsa, fsa_chunks(data)), (outputs.alignments, msgpack_chunks(data))):
        with output.open("wb") as file:
            file.writelines(chunks)
    columns = zip(*rows, strict=True) if rows else [()] * len(KEPT.columns)
    write_table(outputs.kept, KEPT, dict(zip(KEPT.names, columns, strict=True)))


def _kept_faces(manifests: Sequence[Path], source: str) -> set[str]:
    kept: set[str] = set()
    for path in manifests:
        table = read_table(path, MANIFEST, ["face_id", "source", "kept"])
        kept.update(table.filter(pc.field("kept") & (pc.field("source") == source))["face_id"].to_pylist())
    return kept
