"""The store's memory of cut faces: the pixels of each extracted face, so that none is ever cut twice.

    cuts/<source>/<context>/<sha256>.parquet    a `cuts` table of at most FACES_A_PACK faces

A pack is named by the digest of all its columns but the packed pixels, whose digests are one of them: so what is read
can be verified without reading all. A context is what the pixels depend on besides the face and its source's footage:
code and libraries.
"""

import hashlib
import os
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from faceset.atomic import sync_folder
from faceset.errors import FacesetError, is_machine_fault
from faceset.tables.parquet import TableWriter, read_table
from faceset.training.pixels import FacePixels
from faceset.training.tables import CUTS

FACES_A_PACK: Final = 512
ROWS_A_GROUP: Final = 8
SUFFIX: Final = ".parquet"
_INDEX: Final = ("cut", "pixels", "packed_sha256", "size_px")


class MissingCutError(FacesetError):
    """The store does not hold the pixels of a face that was extracted."""


def write_pack(path: Path, rows: Iterable[Mapping[str, Any]]) -> str:
    """Write rows of a `cuts` table to a file of any name. Returns the digest to name it by."""
    index: dict[str, list[Any]] = {name: [] for name in _INDEX}
    with TableWriter(path, CUTS, group_rows=ROWS_A_GROUP) as table:
        for row in rows:
            for name, values in index.items():
                values.append(row[name])
            table.add(**{name: [value] for name, value in row.items()})
    return _digest(index)


def name_pack(path: Path, digest: str) -> Path:
    """Give a file that `write_pack` wrote its name, once it is safe on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    path.chmod(0o444)
    pack = path.replace(path.with_name(f"{digest}{SUFFIX}"))
    sync_folder(pack.parent)
    return pack


def pack_index(pack: Path) -> dict[str, list[Any]]:
    """All columns of a pack but the pixels, verified.

    Raises FacesetError for a file that is no pack, or not the one that its name tells.
    """
    index: dict[str, list[Any]] = read_table(pack, CUTS, _INDEX).to_pydict()
    if _digest(index) != pack.stem:
        raise FacesetError(f"{pack}: damaged since it was written.")
    return index


def _digest(index: Mapping[str, list[Any]]) -> str:
    digest = hashlib.sha256()
    for cut, pixels, packed_sha256, size_px in zip(*(index[name] for name in _INDEX), strict=True):
        digest.update(cut + pixels + packed_sha256 + struct.pack("<i", size_px))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Place:
    pixels: bytes
    pack: int
    row: int


class Cuts:
    """The faces of one context, in the folder `root`. Keys are 32 bytes.

    `set_aside` takes damaged files away. `check` is called before faces are remembered, and raises what it likes if
    they may not be what their keys say.
    """

    def __init__(
        self, root: Path, context: str, set_aside: Callable[[Path], Path], check: Callable[[], None] = lambda: None
    ) -> None:
        self._folder = root / context
        self._set_aside = set_aside
        self._check = check
        self._packs: list[Path] = []
        self._places: dict[bytes, _Place] = {}
        self._rows: tuple[int, int, list[dict[str, Any]]] = (-1, -1, [])  # of which pack and row group, for read()
        for pack in sorted(self._folder.glob(f"*{SUFFIX}")):
            self._learn(pack)

    def _learn(self, pack: Path) -> None:
        try:
            index = pack_index(pack)
        except FacesetError:
            with suppress(FileNotFoundError):  # where another job has just done so
                self._set_aside(pack)
            return
        for row, (cut, pixels) in enumerate(zip(index["cut"], index["pixels"], strict=True)):
            self._places[cut] = _Place(pixels, len(self._packs), row)
        self._packs.append(pack)

    def __contains__(self, cut: bytes) -> bool:
        return cut in self._places

    def pixels(self, cut: bytes) -> str:
        """The digest of a face's pixels, in hexadecimal. Raises KeyError for one that is not here."""
        return self._places[cut].pixels.hex()

    def add(self, faces: Iterable[tuple[bytes, FacePixels]]) -> None:
        """Remember faces, pack by pack as they come: what was cut before a crash is not cut again."""
        waiting = iter(faces)
        # Flushing a pack to the disk takes as long as cutting dozens of faces, which need not wait for it.
        with ThreadPoolExecutor(1) as finishing:
            packs = [
                finishing.submit(self._finish, *self._write(chain([first], islice(waiting, FACES_A_PACK - 1))))
                for first in waiting
            ]
        for pack in packs:
            self._learn(pack.result())

    def _write(self, faces: Iterable[tuple[bytes, FacePixels]]) -> tuple[Path, str]:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=self._folder)
        os.close(handle)
        rows = (
            {
                "cut": cut,
                "pixels": bytes.fromhex(face.digest),
                "packed_sha256": hashlib.sha256(face.packed).digest(),
                "size_px": face.size_px,
                "packed": face.packed,
            }
            for cut, face in faces
        )
        try:
            return Path(name), write_pack(Path(name), rows)
        except BaseException:
            Path(name).unlink()
            raise

    def _finish(self, temporary: Path, digest: str) -> Path:
        try:
            self._check()
            return name_pack(temporary, digest)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def read(self, cut: bytes) -> FacePixels:
        """The pixels of one face, verified; quick where they are asked for in the order in which they were added.

        Raises MissingCutError where they are not here, or damaged: their pack is then set aside.
        """
        place = self._places.get(cut)
        if place is None:
            raise MissingCutError(f"{self._folder}: the pixels of an extracted face are gone.")
        pack = self._packs[place.pack]
        try:
            row = self._row(place)
            whole = row["cut"] == cut and hashlib.sha256(row["packed"]).digest() == row["packed_sha256"]
        except (OSError, pa.ArrowException) as error:
            if is_machine_fault(error):
                raise
            whole = False
        if not whole:
            aside = f" Set aside as {self._set_aside(pack)}." if pack.exists() else ""
            raise MissingCutError(f"{pack}: damaged since its faces were cut.{aside}")
        return FacePixels(row["size_px"], place.pixels.hex(), row["packed"])

    def _row(self, place: _Place) -> dict[str, Any]:
        group, row = divmod(place.row, ROWS_A_GROUP)
        if self._rows[:2] != (place.pack, group):
            columns = ["cut", "packed_sha256", "size_px", "packed"]
            file = pq.ParquetFile(self._packs[place.pack], page_checksum_verification=True)
            self._rows = place.pack, group, file.read_row_group(group, columns=columns).to_pylist()
        return self._rows[2][row]
