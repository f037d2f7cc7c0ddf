"""The packs of cut faces in a store: which faces are in them, and taking faces out.

The commands begin with this module, so what takes long is imported inside.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from faceset.errors import FacesetError
from faceset.store.objects import Store
from faceset.training.tables import CUTS, EXTRACTED
from faceset.upkeep.contents import ListedAction, size_on_disk


def pack_paths(store: Store, source: str = "*") -> list[Path]:
    """All packs, of one source or of all, sorted."""
    from faceset.training.packs import SUFFIX

    return sorted(store.cuts.glob(f"{source}/*/[!.]*{SUFFIX}"))


def named_cuts(store: Store, actions: Iterable[ListedAction]) -> set[bytes]:
    """The keys of the cuts that these actions' tables of extracted faces name, those that are there and readable."""
    from faceset.tables.parquet import read_table

    found: set[bytes] = set()
    for action in actions:
        if artifact := action.outputs.get("extracted"):
            with suppress(FacesetError):
                column = read_table(store.object_path(artifact), EXTRACTED, ["cut"])["cut"]
                found.update(bytes.fromhex(cut) for cut in column.to_pylist())
    return found


def cuts_in(pack: Path) -> set[bytes]:
    """The keys of a pack's faces.

    Raises FacesetError for a pack that cannot be read.
    """
    from faceset.training.packs import pack_index

    return set(pack_index(pack)["cut"])


def is_whole(pack: Path) -> bool:
    """Whether a pack is what its name tells, its pixels included."""
    try:
        return bool(cuts_in(pack)) and all(
            hashlib.sha256(row["packed"]).digest() == row["packed_sha256"] for row in _rows(pack)
        )
    except FacesetError:
        return False


def rewrite(pack: Path, kept: Collection[bytes]) -> int:
    """Write a pack again with only the faces in `kept`, or remove it if none is. Returns how many bytes were freed.

    Raises FacesetError for a pack that cannot be read.
    """
    from faceset.training.packs import name_pack, write_pack

    before, after = size_on_disk(pack), 0
    cuts = cuts_in(pack)
    if cuts.issubset(kept):
        return 0
    if not cuts.isdisjoint(kept):
        temporary = pack.with_name(f".{pack.name}")
        digest = write_pack(temporary, (row for row in _rows(pack) if row["cut"] in kept))
        after = size_on_disk(name_pack(temporary, digest))
    pack.unlink()
    return before - after


def _rows(pack: Path) -> Iterator[dict[str, Any]]:
    from faceset.tables.parquet import iterate_rows
    from faceset.training.packs import ROWS_A_GROUP

    for rows in iterate_rows(pack, CUTS, ROWS_A_GROUP):
        yield from rows.to_pylist()
