"""Reading and writing tables as Parquet files, so that equal rows always give equal bytes."""

import contextlib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from faceset.errors import FacesetError, is_machine_fault
from faceset.tables.schema import Schema

ROW_GROUP_ROWS = 65_536
PICTURE_GROUP_ROWS = 256


@functools.cache
def arrow_schema(schema: Schema) -> pa.Schema:
    """The Arrow schema that readers and writers hold tables to."""
    return pa.schema([pa.field(one.name, _arrow_type(one.type), nullable=one.nullable) for one in schema.columns])


def _arrow_type(name: str) -> pa.DataType:
    if sized := re.fullmatch(r"(\w+)\[(\d+)\]", name):
        length = int(sized[2])
        return pa.binary(length) if sized[1] == "binary" else pa.list_(pa.type_for_alias(sized[1]), length)
    if listed := re.fullmatch(r"list<(\w+)>", name):
        return pa.list_(pa.type_for_alias(listed[1]))
    return pa.type_for_alias(name)


class TableWriter:
    """Write a table a few rows at a time, in row groups of a fixed length.

    Rows are gathered until a group is full, so the bytes do not depend on how the rows were handed over.
    Use as a context manager; on an error inside it the unfinished file is left for the caller to discard.
    """

    def __init__(
        self, path: Path, schema: Schema, metadata: Mapping[str, str] | None = None, group_rows: int = ROW_GROUP_ROWS
    ) -> None:
        self._schema = arrow_schema(schema).with_metadata(dict(sorted((metadata or {}).items())))
        self._group_rows = group_rows
        self._rows: dict[str, list[Any]] = {name: [] for name in self._schema.names}
        # Statistics and dictionaries of picture bytes would only cost space.
        has_pictures = any(pa.types.is_binary(field.type) for field in self._schema)
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="none" if has_pictures else "zstd",
            use_dictionary=not has_pictures,
            write_statistics=not has_pictures,
            write_page_checksum=True,
        )

    def add(self, **columns: Sequence[Any]) -> None:
        """Append rows, given as one sequence a column, all of one length."""
        for name, values in columns.items():
            self._rows[name].extend(values)
        length = len(next(iter(self._rows.values())))
        if any(len(values) != length for values in self._rows.values()):
            raise ValueError(f"columns of different lengths: { {n: len(v) for n, v in self._rows.items()} }")
        while length >= self._group_rows:
            self._flush(self._group_rows)
            length -= self._group_rows

    def _flush(self, count: int) -> None:
        group = {name: values[:count] for name, values in self._rows.items()}
        self._rows = {name: values[count:] for name, values in self._rows.items()}
        self._writer.write_table(pa.table(group, schema=self._schema), row_group_size=count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and next(iter(self._rows.values())):
            self._flush(len(next(iter(self._rows.values()))))
        self._writer.close()


def write_table(
    path: Path, schema: Schema, columns: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Write whole columns (sequences or Arrow arrays, one a column of `schema`) as a Parquet file."""
    arrow = arrow_schema(schema).with_metadata(dict(sorted((metadata or {}).items())))
    table = pa.table({name: columns[name] for name in arrow.names}, schema=arrow)
    pq.write_table(table, path, compression="zstd", row_group_size=ROW_GROUP_ROWS, write_page_checksum=True)


def _open(path: Path, schema: Schema) -> pq.ParquetFile:
    with _named(path):
        file = pq.ParquetFile(path, page_checksum_verification=True)
    if not file.schema_arrow.equals(arrow_schema(schema)):
        raise FacesetError(
            f"{path}: not a {schema.name} table: expected the columns {', '.join(schema.names)}, "
            f"found {', '.join(file.schema_arrow.names)}. Delete it and run again."
        )
    return file


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name the file in what reading it raises; full memory and a failing disk are no reason to delete it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        if is_machine_fault(error):
            raise
        raise FacesetError(f"{path}: not a readable Parquet file ({error}). Delete it and run again.") from error


def read_table(path: Path, schema: Schema, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table, checked against `schema`; `columns` limits what is read.

    Raises FacesetError where the file is not such a table.
    """
    file = _open(path, schema)
    with _named(path):
        return file.read(columns=list(columns) if columns else None)


def rows_of_faces(table: pa.Table, face_ids: Sequence[str] | pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the rows of a table, which has a column face_id, that are of these faces, in their order.

    Raises FacesetError naming the first face that the table lacks.
    """
    wanted = face_ids if isinstance(face_ids, pa.Array | pa.ChunkedArray) else pa.array(face_ids, pa.string())
    places = pc.index_in(wanted, value_set=table["face_id"])
    if places.null_count:
        first = wanted.filter(pc.is_null(places))[0].as_py()
        raise FacesetError(
            f"{first}: the table of {', '.join(table.column_names)} lacks this face ({places.null_count:,} of "
            f"{len(wanted):,} faces that should be there). Its makers do not agree: remove both results and run again."
        )
    return table.take(places)


def iterate_rows(
    path: Path, schema: Schema, batch_rows: int = PICTURE_GROUP_ROWS, rows: slice = slice(None)
) -> Iterator[pa.RecordBatch]:
    """The rows of a table that may not fit into memory, or a slice of them, in batches of at most `batch_rows`.

    Raises FacesetError where the file is not such a table.
    """
    with _named(path):
        yield from _batches(_open(path, schema), batch_rows, rows)


def _batches(file: pq.ParquetFile, batch_rows: int, rows: slice) -> Iterator[pa.RecordBatch]:
    first, end, _ = rows.indices(file.metadata.num_rows)
    begin = 0
    for group in range(file.num_row_groups):  # asked for all groups at once, Arrow reads ahead without bound
        count = file.metadata.row_group(group).num_rows
        if begin < end and first < begin + count:
            for batch in file.iter_batches(batch_size=batch_rows, row_groups=[group]):
                skipped = max(0, first - begin)
                if here := batch.slice(skipped, max(0, end - begin - skipped)):
                    yield here
                begin += len(batch)
        else:
            begin += count


def read_metadata(path: Path) -> dict[str, str]:
    """What the writer said of the whole table, without reading its rows."""
    metadata = pq.read_schema(path).metadata or {}
    return {key.decode(): value.decode() for key, value in metadata.items() if not key.startswith(b"ARROW:")}
