"""Tracks: faces of one source that follow each other over frames and are surely one person."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from faceset.alignments.tables import FACES
from faceset.arrays import Float32, Float64
from faceset.geometry.boxes import overlaps
from faceset.models.embeddings import Metric, distances, read_embeddings
from faceset.people.tables import TRACKS
from faceset.progress import Progress
from faceset.tables.parquet import read_table, write_table

MAX_GAP_FRAMES = 5
MIN_OVERLAP = 0.3
# Faces of consecutive frames are far more alike than a person is over a film: what is nearer the threshold is doubt.
DISTANCE_SHARE = 0.75


@dataclass
class _Track:
    """A track that may still grow: its name, last frame and box, and the sum of its embeddings."""

    name: str
    position: int
    box: Float64
    total: Float64
    length: int = 1

    @property
    def mean(self) -> Float64:
        return self.total / self.length


def link_tracks(
    face_ids: list[str],
    positions: npt.NDArray[np.integer],
    boxes: npt.NDArray[np.integer],
    vectors: Float32,
    metric: Metric,
    threshold: float,
) -> list[str]:
    """The track of each of N faces, named by the track's first face.

    A face continues a track if its box overlaps the track's last one and its embedding is well within the threshold
    of the track's mean; each track takes one face a frame at most. Everything else begins a new track.

    Parameters
    ----------
    face_ids, positions, boxes, vectors
        Ids, frame positions (N,), boxes (N, 4) and embeddings (N, D), ordered by position.
    metric, threshold
        Of the identity model.
    """
    names = [""] * len(face_ids)
    live: list[_Track] = []
    frames, starts = np.unique(positions, return_index=True)
    ends = [*starts, len(face_ids)][1:]
    for position, start, end in Progress(list(zip(frames, starts, ends, strict=True)), "frames tracked"):
        live = [track for track in live if position - track.position <= MAX_GAP_FRAMES]
        rows = range(start, end)
        for row, track in _match(live, boxes[start:end], vectors[start:end], metric, threshold * DISTANCE_SHARE):
            face = start + row
            names[face] = track.name
            track.position, track.box = int(position), boxes[face].astype(np.float64)
            track.total += vectors[face]
            track.length += 1
        for face in rows:
            if not names[face]:
                names[face] = face_ids[face]
                box, total = boxes[face].astype(np.float64), vectors[face].astype(np.float64)
                live.append(_Track(face_ids[face], int(position), box, total))
    return names


def _match(
    live: list[_Track],
    boxes: npt.NDArray[np.integer],
    vectors: Float32,
    metric: Metric,
    limit: float,
) -> list[tuple[int, _Track]]:
    if not live:
        return []
    apart = distances(vectors, [track.mean for track in live], metric)
    possible = (overlaps(boxes, [track.box for track in live]) >= MIN_OVERLAP) & (apart <= limit)
    never = 1e6
    pairs = zip(*linear_sum_assignment(np.where(possible, apart, never)), strict=True)
    return [(int(row), live[column]) for row, column in pairs if possible[row, column]]


def make_tracks(faces: Path, embeddings: Path, output: Path, threshold: float) -> None:
    """Write the `tracks` table of a source, from its faces and embeddings. Faces without embedding are left out."""
    found = read_embeddings(embeddings)
    row_of = {face: row for row, face in enumerate(found.face_ids)}
    table = read_table(faces, FACES, ["face_id", "position", "x", "y", "w", "h"]).to_pandas()
    table = table[table["face_id"].isin(row_of.keys())].sort_values("position", kind="stable")
    ids = table["face_id"].tolist()
    tracks = link_tracks(
        ids,
        table["position"].to_numpy(np.int64),
        table[["x", "y", "w", "h"]].to_numpy(np.int64),
        found.vectors[[row_of[face] for face in ids]],
        found.metric,
        threshold,
    )
    write_table(output, TRACKS, {"face_id": ids, "track": tracks})
