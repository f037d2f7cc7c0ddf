"""Promises of tables."""

import errno
import itertools
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faceset.alignments.tables import FACES
from faceset.crops.tables import CHIPS
from faceset.errors import FacesetError
from faceset.people.tables import TRACKS
from faceset.tables.parquet import TableWriter, iterate_rows, read_metadata, read_table, rows_of_faces, write_table
from faceset.tables.schema import Schema
from make import all_schemas

ROWS = {"face_id": [f"film/{number:06d}_0" for number in range(10)], "track": ["a"] * 6 + ["b"] * 4}


def written(path: Path, schema: Schema, parts: list[dict[str, Any]], **options: Any) -> bytes:
    with TableWriter(path, schema, **options) as table:
        for part in parts:
            table.add(**part)
    return path.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(st.lists(st.integers(0, 10), max_size=4))
def test_bytes_do_not_depend_on_how_rows_were_handed_over(tmp_path: Path, cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 10]
    parts = [{name: values[a:b] for name, values in ROWS.items()} for a, b in itertools.pairwise(edges)]
    whole = written(tmp_path / "whole", TRACKS, [ROWS], group_rows=3)
    assert written(tmp_path / "parts", TRACKS, parts, group_rows=3) == whole
    assert read_table(tmp_path / "parts", TRACKS).to_pydict() == ROWS


@pytest.mark.parametrize("schema", all_schemas(), ids=lambda schema: schema.name)
def test_every_table_can_be_empty(tmp_path: Path, schema: Schema) -> None:
    schema = schema.of(128)
    written(tmp_path / "streamed", schema, [])
    write_table(tmp_path / "whole", schema, {name: [] for name in schema.names})
    assert len(read_table(tmp_path / "streamed", schema)) == len(read_table(tmp_path / "whole", schema)) == 0
    assert list(iterate_rows(tmp_path / "streamed", schema)) == []


def test_pictures_come_back_in_batches(tmp_path: Path) -> None:
    ids, chips = ROWS["face_id"], [bytes([number]) * 5 for number in range(10)]
    written(tmp_path / "chips", CHIPS, [{"face_id": ids, "sha256": [bytes(32)] * 10, "chip": chips}], group_rows=4)
    batches = list(iterate_rows(tmp_path / "chips", CHIPS, batch_rows=4))
    assert max(map(len, batches)) <= 4
    assert [row for batch in batches for row in batch["chip"].to_pylist()] == chips
    for part in (slice(0, 10), slice(0, 3), slice(2, 9), slice(4, 8), slice(5, 5), slice(9, 10)):
        batches = list(iterate_rows(tmp_path / "chips", CHIPS, batch_rows=3, rows=part))
        assert [row for batch in batches for row in batch["chip"].to_pylist()] == chips[part]


def test_metadata_is_read_as_it_was_written(tmp_path: Path) -> None:
    first = {"b": "2", "a": "ä"}
    write_table(tmp_path / "one", TRACKS, ROWS, first)
    write_table(tmp_path / "two", TRACKS, ROWS, dict(reversed(first.items())))
    assert read_metadata(tmp_path / "one") == first
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_missing_value_is_refused_where_none_may_be(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid, match="track"):
        write_table(tmp_path / "table", TRACKS, {"face_id": ["a"], "track": [None]})


@pytest.mark.parametrize("chunks", [1, 3])
def test_rows_of_faces_come_in_the_order_asked_for(chunks: int, tmp_path: Path) -> None:
    write_table(tmp_path / "table", TRACKS, ROWS)
    table = read_table(tmp_path / "table", TRACKS)
    table = pa.concat_tables(
        table.slice(start, -(-len(table) // chunks)) for start in range(0, len(table), -(-len(table) // chunks))
    )
    wanted = [ROWS["face_id"][number] for number in (7, 0, 9, 0)]
    for asked in (wanted, pa.array(wanted), pa.chunked_array([wanted[:1], wanted[1:]])):
        assert rows_of_faces(table, asked).to_pydict() == {"face_id": wanted, "track": ["b", "a", "b", "a"]}
    assert len(rows_of_faces(table, [])) == 0


def test_the_first_face_that_a_table_lacks_is_named(tmp_path: Path) -> None:
    write_table(tmp_path / "table", TRACKS, ROWS)
    table = read_table(tmp_path / "table", TRACKS)
    with pytest.raises(FacesetError, match=r"^film/9_0: the table of face_id, track lacks this face \(2 of 3 faces"):
        rows_of_faces(table, [ROWS["face_id"][0], "film/9_0", "film/8_0"])


def test_columns_of_different_lengths_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="different lengths"):
        written(tmp_path / "table", TRACKS, [{"face_id": ["a", "b"], "track": ["a"]}])


def test_another_table_is_refused_by_name(tmp_path: Path) -> None:
    write_table(tmp_path / "table", TRACKS, ROWS)
    with pytest.raises(FacesetError, match=r"table: not a faces table: expected .*landmarks.*found face_id, track"):
        read_table(tmp_path / "table", FACES)


@pytest.mark.parametrize("fault", [pa.ArrowMemoryError("full"), OSError(errno.EIO, "the disk fails")], ids=repr)
def test_full_memory_and_a_failing_disk_are_no_reason_to_delete_a_table(
    fault: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise fault

    write_table(tmp_path / "table", TRACKS, ROWS)
    for method in ("__init__", "read", "iter_batches"):
        with monkeypatch.context() as patch:
            patch.setattr(pq.ParquetFile, method, fail)
            with pytest.raises(type(fault)) as caught:
                list(
                    iterate_rows(tmp_path / "table", TRACKS)
                    if method == "iter_batches"
                    else [read_table(tmp_path / "table", TRACKS)]
                )
        assert caught.value is fault


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more"])
def test_what_is_no_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "table").write_bytes(content)
    with pytest.raises(FacesetError, match="not a readable Parquet file"):
        read_table(tmp_path / "table", TRACKS)
    with pytest.raises(FacesetError, match="not a readable Parquet file"):
        list(iterate_rows(tmp_path / "table", TRACKS))
