"""The store's memory of cut faces: the pixels of each extracted face, so that none is ever cut twice.

    cuts/<source>/<context>/<sha256>.parquet    a `cuts` table of at most FACES_A_PACK faces, named by its bytes

A context is what the pixels depend on besides the face and its source's footage: code and libraries.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from faceset.atomic import sync_folder
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.face_pixels import FacePixels
from faceset.schemas import CUTS
from faceset.tables import TableWriter, read_table

FACES_A_PACK: Final = 512
ROWS_A_GROUP: Final = 16
SUFFIX: Final = ".parquet"


class MissingCutError(FacesetError):
    """The store does not hold the pixels of a face that was extracted."""


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
            table = read_table(pack, CUTS, ["cut", "pixels"])
        except FileNotFoundError:  # another job has just set it aside
            return
        except FacesetError:
            self._set_aside(pack)
            return
        for row, (cut, pixels) in enumerate(zip(*(column.to_pylist() for column in table.columns), strict=True)):
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
                finishing.submit(self._finish, self._write(first, islice(waiting, FACES_A_PACK - 1)))
                for first in waiting
            ]
        for pack in packs:
            self._learn(pack.result())

    def _write(self, first: tuple[bytes, FacePixels], others: Iterable[tuple[bytes, FacePixels]]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=self._folder)
        os.close(handle)
        try:
            with TableWriter(Path(name), CUTS, group_rows=ROWS_A_GROUP) as table:
                for cut, face in chain([first], others):
                    table.add(
                        cut=[cut],
                        pixels=[bytes.fromhex(face.digest)],
                        packed_sha256=[hashlib.sha256(face.packed).digest()],
                        size_px=[face.size_px],
                        packed=[face.packed],
                    )
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)

    def _finish(self, temporary: Path) -> Path:
        """Give a written pack its name, once it is safe on the disk."""
        try:
            self._check()
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.chmod(0o444)
            pack = temporary.replace(self._folder / f"{file_digest(temporary)}{SUFFIX}")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(self._folder)
        return pack

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
        except (OSError, pa.ArrowException):
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
