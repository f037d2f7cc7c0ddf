"""The packs of cut faces in a store: which faces are in them, and taking faces out."""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from faceset.cuts import ROWS_A_GROUP, SUFFIX
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.schemas import CUTS, EXTRACTED
from faceset.store import Store
from faceset.tables import TableWriter, iterate_rows, read_table
from faceset.upkeep.contents import StoredAction, size_on_disk


def pack_paths(store: Store, source: str = "*") -> list[Path]:
    """All packs, of one source or of all, sorted."""
    return sorted(store.cuts.glob(f"{source}/*/[!.]*{SUFFIX}"))


def named_cuts(store: Store, actions: Iterable[StoredAction]) -> set[bytes]:
    """The keys of the cuts that these actions' tables of extracted faces name, those that are there and readable."""
    found: set[bytes] = set()
    for action in actions:
        if artifact := action.action.outputs.get("extracted"):
            with suppress(FacesetError, FileNotFoundError):
                column = read_table(store.object_path(artifact), EXTRACTED, ["cut"])["cut"]
                found.update(bytes.fromhex(cut) for cut in column.to_pylist())
    return found


def cuts_in(pack: Path) -> set[bytes]:
    """The keys of a pack's faces.

    Raises FacesetError for a pack that can not be read.
    """
    return set(read_table(pack, CUTS, ["cut"])["cut"].to_pylist())


def rewrite(pack: Path, kept: Collection[bytes]) -> int:
    """Write a pack anew with only the faces in `kept`, or remove it if none is. Returns how many bytes were freed.

    Raises FacesetError for a pack that can not be read.
    """
    before, after = size_on_disk(pack), 0
    if not cuts_in(pack).isdisjoint(kept):
        temporary = pack.with_name(f".{pack.name}")
        with TableWriter(temporary, CUTS, group_rows=ROWS_A_GROUP) as table:
            for rows in _kept_rows(pack, kept):
                table.add(**{name: rows[name].to_pylist() for name in rows.schema.names})
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o444)
        after = size_on_disk(temporary)
        new = temporary.replace(pack.with_name(f"{file_digest(temporary)}{SUFFIX}"))
        if new == pack:
            return 0
    pack.unlink()
    return before - after


def _kept_rows(pack: Path, kept: Collection[bytes]) -> Iterator[pa.RecordBatch]:
    for rows in iterate_rows(pack, CUTS, ROWS_A_GROUP):
        yield rows.filter(pa.array([cut in kept for cut in rows["cut"].to_pylist()]))
