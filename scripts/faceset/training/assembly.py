"""The index of an assembled faceset: all pictures of all its sources."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from faceset.decisions.tables import MANIFEST
from faceset.tables.parquet import arrow_schema, read_table, rows_of_faces, write_table
from faceset.training.tables import EXTRACTED, FACESET


def make_index(extracted: Mapping[str, Path], manifest: Path, output: Path) -> None:
    """Write the `faceset` table: all extracted pictures of all sources, by file name."""
    decisions = read_table(manifest, MANIFEST, ["face_id", "cluster"])
    parts = [_index_of(source, path, decisions) for source, path in extracted.items()]
    table = pa.concat_tables([arrow_schema(FACESET).empty_table(), *parts]).sort_by("file")
    write_table(output, FACESET, {name: table[name] for name in table.column_names})


def _index_of(source: str, extracted: Path, decisions: pa.Table) -> pa.Table:
    table = read_table(extracted, EXTRACTED, ["file", "face_id", "picture", "pixels"])
    prefix = pa.scalar(assembled_name(source, ""))
    columns = {
        **{name: table[name] for name in ("face_id", "picture", "pixels")},
        "file": pc.binary_join_element_wise(prefix, table["file"], ""),
        "source": pa.repeat(source, len(table)),
        "cluster": rows_of_faces(decisions, table["face_id"])["cluster"],
    }
    return pa.table({name: columns[name] for name in FACESET.names}, schema=arrow_schema(FACESET))


def assembled_name(source: str, file: str) -> str:
    """The name in an assembled folder of a source's extracted file."""
    return f"{source}--{file}"
