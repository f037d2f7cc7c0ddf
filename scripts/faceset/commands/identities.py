"""Write a source's cleaned alignments with the embeddings of its faces as faceswap's identities."""

import argparse
from collections.abc import Callable
from pathlib import Path

from faceset.atomic import write_new_file
from faceset.console import say
from faceset.face_ids import frame_of_key
from faceset.footage.files import is_video
from faceset.project.current import add_project_options, check_faceset, current_project, source_named
from faceset.training.tables import KEPT
from faceset.workflow.results import Results

HELP = "write cleaned alignments with our embeddings as identities"
EXAMPLE = "faceset identities main film1 with-identities.fsa"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take whose alignments, and the file to write."""
    parser.add_argument("faceset", help="whose cleaned alignments")
    parser.add_argument("source", help="a source of sources.tsv")
    parser.add_argument("output", type=Path, help="the .fsa file to write")
    add_project_options(parser)


def run(arguments: argparse.Namespace) -> None:
    """Write the identities."""
    project = current_project(arguments.config, arguments.prefix)
    check_faceset(project, arguments.faceset)
    source, results = source_named(project, arguments.source), Results(project)
    write_identities(
        results.get("clean", "alignments", faceset=arguments.faceset, source=source.name).path,
        results.get("clean", "kept", faceset=arguments.faceset, source=source.name).path,
        results.get("embed", "embeddings", source=source.name).path,
        is_video(source.frames),
        arguments.output,
        say,
    )


def write_identities(
    alignments: Path, kept: Path, embeddings: Path, is_video: bool, output: Path, say: Callable[[str], None]
) -> None:
    """Write a `.fsa` of cleaned alignments in which each face has its embedding, under the model's name.

    Parameters
    ----------
    alignments, kept
        A source's cleaned alignments (msgpack), and the `kept` table that tells their faces' ids.
    embeddings
        The source's `embeddings` table.

    Raises FacesetError for an output that is there already.
    """
    import numpy as np

    from faceset.alignments.files import from_msgpack, fsa_bytes
    from faceset.models.embeddings import read_embeddings
    from faceset.tables.parquet import read_metadata, read_table

    found = read_embeddings(embeddings)
    vector_of = dict(zip(found.face_ids, found.vectors.astype(np.float64), strict=True))
    model = read_metadata(embeddings)["model"]
    ids = {(row["frame"], row["index"]): row["face_id"] for row in read_table(kept, KEPT).to_pylist()}
    read = from_msgpack(alignments.read_bytes(), str(alignments))
    frames, count = {}, 0
    for key, entry in read.frames.items():
        frame = frame_of_key(key, is_video)
        faces = []
        for index, face in enumerate(entry["faces"]):
            vector = vector_of[ids[frame, index]]
            faces.append({**face, "identity": {**face["identity"], model: vector}})
        count += len(faces)
        frames[key] = {**entry, "faces": faces}
    write_new_file(output, fsa_bytes({**read.data, "__data__": frames}))
    say(f"{output}: {count:,} faces with their {model} embedding.")
