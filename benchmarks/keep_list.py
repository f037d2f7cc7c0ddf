"""An edit of the keep-list: what it costs beside extracting everything, whatever the number of faces."""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.extraction import HEIGHT, PLACES, WIDTH, prepare, write_folder
from benchmarks.measuring import cost_of, table
from faceset.decisions.keep_list import HEADER
from faceset.decisions.manifest import ManifestInputs, ManifestOutputs, ManifestSettings, make_manifest
from faceset.digests import file_digest
from faceset.people.tables import CLUSTERS, TRACKS
from faceset.project.config import Filters
from faceset.tables.parquet import write_table
from faceset.training.assembled_folder import sync_folder_with_index
from faceset.training.assembly import make_index
from faceset.training.cleaned import CleanInputs, CleanOutputs, CleanSettings, clean_alignments
from faceset.training.extraction import ExtractInputs, ExtractSettings, extract_faces, extracted_files
from faceset.training.packs import Cuts

SIZE_PX = 256
ADDED = 500
FACES = (10_000, 50_000)


def report() -> list[str]:
    """Measure with some numbers of faces."""
    rows = []
    for count in FACES:
        cost = cost_of(keep_and_keep_more, count)
        everything, edit, again = cost.result
        share = f"{100 * edit / everything:.1f} %"
        rows.append((f"{count:,}", f"{everything:.0f}", f"{edit:.1f}", share, f"{again:.1f}", f"{cost.peak_mb:.0f}"))
    return [
        "# An edit of the keep-list",
        "",
        f"Frames of {WIDTH} x {HEIGHT} with {len(PLACES)} faces each, extracted at {SIZE_PX} px. First all people but",
        f"one are kept; then a row adds her {ADDED} faces; then the row is taken out. From the manifest to the folder",
        "to train on, the work alone, without Snakemake's start of five jobs.",
        "",
        *table(("faces", "all, s", "a person added, s", "share", "taken out, s", "peak MB"), rows),
    ]


def keep_and_keep_more(count: int) -> tuple[float, float, float]:
    """Extract all but one person's of about `count` faces, add her, take her out again. Returns the seconds of each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        footage = write_folder(folder / "film", count // len(PLACES))
        work = folder / "tables"
        faces = prepare(footage, work)
        everybody = _write_people(work, faces)
        decide = _decider(folder, footage, work)
        return decide(everybody[1:]), decide(everybody), decide(everybody[1:])


def _write_people(work: Path, faces: int) -> list[str]:
    """Write who is who: the first ADDED faces are one person's, the others of people of many faces."""
    ids = [f"film/{face // len(PLACES) + 1:06d}_{face % len(PLACES)}" for face in range(faces)]
    people = np.maximum(0, (np.arange(faces) - ADDED) // 5000 + 1)
    of_person = [ids[np.flatnonzero(people == person)[0]] for person in range(people.max() + 1)]
    clusters = [of_person[person] for person in people]
    known = {"face_id": ids, "source": ["film"] * faces, "track": ids, "cluster": clusters, "next_cluster": clusters}
    known["outlier"] = np.zeros(faces, np.bool_)
    for schema in (TRACKS, CLUSTERS):
        columns = {name: known.get(name, np.zeros(faces, np.float32)) for name in schema.names}
        columns |= {"order": np.arange(faces, dtype=np.int32)} if "order" in columns else {}
        write_table(work / schema.name, schema, columns)
    return of_person


def _decider(folder: Path, footage: Path, work: Path) -> Callable[[list[str]], float]:
    """A function that makes the folder to train on hold these people, and tells how long it took."""
    keep_list, step = folder / "keep.tsv", folder / "step"
    step.mkdir()
    threads = len(os.sched_getaffinity(0))
    filters = asdict(Filters())

    def pictures(_: str, wanted: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        return extracted_files(step / "extracted", step / "msgpack", False, _cuts(folder), wanted)

    def decide(people: list[str]) -> float:
        rows = [f"keep\tcluster\t{person}\t\t\t" for person in people]
        keep_list.write_text("\n".join([HEADER, *rows, ""]))
        started = time.perf_counter()
        of_film = [{"film": work / name} for name in ("faces", "measures", "tracks")]
        decided_from = ManifestInputs(*of_film, work / "clusters", keep_list)
        decided = ManifestOutputs(step / "manifest", step / "notices")
        make_manifest(decided_from, ManifestSettings("largest", filters), decided)
        cleaned_from = CleanInputs(work / "alignments", work / "frames", [decided.manifest])
        cleaned = CleanOutputs(step / "fsa", step / "msgpack", step / "kept")
        clean_alignments(cleaned_from, CleanSettings("film", None), cleaned)
        of_work = [work / name for name in ("frames", "faces", "measures")]
        inputs = ExtractInputs(footage, *of_work, step / "msgpack", step / "kept")
        settings = ExtractSettings(SIZE_PX, min_size_percent=0, every=1, picture_code="")
        extract_faces(inputs, settings, _cuts(folder), step / "extracted", threads)
        make_index({"film": step / "extracted"}, step / "manifest", step / "index")
        sync_folder_with_index(folder / "faces", step / "index", file_digest(step / "index"), pictures)
        return time.perf_counter() - started

    return decide


def _cuts(folder: Path) -> Cuts:
    return Cuts(folder / "cuts", "film", lambda path: path)
