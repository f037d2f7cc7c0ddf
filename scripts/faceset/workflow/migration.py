"""Bringing a store of an older format up to date: once, by the first run that meets it, nobody else using it.

From format 1, of Faceset 0.1: its actions go, since no key of today's code is one of theirs; what they made is kept as
long as a record names it. Its locks go, too. Roots are rewritten, and cut pixels are taken over where today's code cuts
the same. Each step can be repeated, and the format is written last: killed anywhere, the next run goes on.
"""

import fcntl
import os
import shutil
from pathlib import Path
from typing import Final

from faceset.digests import canonical_json, text_digest
from faceset.errors import FacesetError
from faceset.stages.code import library_version
from faceset.store.format import BARRED, HELD, bar_older_code, state_of, write_format
from faceset.store.objects import Store
from faceset.workflow.keys import CUTTING_LIBRARIES, cutting_code, cutting_context
from faceset.workflow.roots import Root, write_root

CUTTING_0_1: Final = {
    "faceset.atomic": "4442506e11fd5756727f90f6a08b5f116422570bfc47173b6c1e1907936ab883",
    "faceset.cutting": "05d1ccfd8833c314f6bae498f6d3f7f231a37f0599a1dfedf9eae71a72a57e9b",
    "faceset.digests": "6024ef1e7d446abbbb1b79fd89b66b5a014714b9650681d51b0fd9dbf2a02d8b",
    "faceset.errors": "282b743b46ca227930c9562f4f1f6f080c61030d104c2c78f53ce2ff6d8a6203",
    "faceset.face_pixels": "045227f8133212eaeefe7211b028084580ddcd602f20ca9f3d7c3b4e6cae3578",
    "faceset.footage": "6845802f9a78f172b29fed72a932fb2fe7147865830ff1560de002c35c2d67a4",
    "faceset.footage_files": "555e2a7583cff4b811967f01a604e2ed645ee04f0e3a5557516a91b34bdb6025",
    "faceset.geometry": "3dd73ed21b6c876c9a630429ecd951a0c0719cc0c0277b57599a7753959dc19f",
    "faceset.geometry_constants": "a7086429353dde845dadcb9baec990b6317775697e0a3c7413c94160058787d6",
    "faceset.parallel": "c6be14e37d23b96681ad2b46b8f68e119ea21bf05de2333a2a2dc596aa8f66f5",
    "faceset.progress": "e22f4f6a1e788277a5b7a29f901b62989cf9227c3b4bc6a6275b84ae3195a6f7",
    "faceset.schemas": "698afd552fade7b1718a885b6821b7b49467eda3e3cf712fd0b5c7ffda35d228",
    "faceset.tables": "cbe0ac2fe95f8c3c8ed924941546f1b8a41b92eca174a52bfa5dca66f3558c25",
}
"""The digests by which 0.1 knew the code that cut pixels. A test cuts with that code and with today's."""

CUTTING_LIKE_0_1: Final = frozenset({"6353e4437f1c7d07437cce44e5910b320f58cd12412267b8dec7627e25052908"})
"""The digests of later code that passed this test; pixels are taken over by no other."""


def bring_up_to_date(store: Store) -> bool:
    """Migrate a store of an older format; returns whether it was one.

    Raises FacesetError if somebody uses it, if it cannot be written, or if its format is newer.
    """
    if state_of(store.root) != "old":
        return False
    try:
        held = os.open(_lock_of(store.root), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if state_of(store.root) == "old":  # nobody else did it meanwhile
                _migrate(store)
        finally:
            os.close(held)
    except BlockingIOError:
        raise FacesetError(
            f"{store.root}: a store of an older format, which a run is using. Wait for it to end, and try again."
        ) from None
    except OSError as error:
        raise FacesetError(
            f"{store.root}: a store of an older format, which cannot be brought up to date ({error})."
        ) from error
    return True


def _lock_of(root: Path) -> Path:
    """What users of an old store hold; where a migration was cut short, what those of a new one hold."""
    held = root / HELD
    return held / "use" if held.is_dir() else held


def _migrate(store: Store) -> None:
    _take_cuts_over(store)
    shutil.rmtree(store.root / "actions", ignore_errors=True)
    (store.root / "actions").mkdir()
    _rewrite_roots(store)
    barred, held = store.root / BARRED, store.root / HELD
    if barred.is_dir():
        shutil.rmtree(barred)
    if held.is_file():
        held.unlink()
    bar_older_code(store.root)
    write_format(store.root)


def _take_cuts_over(store: Store) -> None:
    """Give cut pixels of 0.1 the name by which today's code finds them, if it was proven to cut the same."""
    if cutting_code() not in CUTTING_LIKE_0_1:
        return
    context = cutting_context()
    for source in store.cuts.glob("*"):
        old = source / _context_0_1(source.name)
        if old.is_dir() and not (source / context).exists():
            old.rename(source / context)


def _context_0_1(source: str) -> str:
    libraries = {name: library_version(name) for name in CUTTING_LIBRARIES}
    return text_digest(canonical_json({"source": source, "code": CUTTING_0_1, "libraries": libraries}))


def _rewrite_roots(store: Store) -> None:
    for path in sorted((store.root / "roots").glob("[0-9a-f]*")):
        folder, *rest = path.read_bytes().split(b"\0")
        if len(rest) == 1 and text_digest(os.fsdecode(folder)) == path.name:
            write_root(store.root, Root(Path(os.fsdecode(folder))), Path(os.fsdecode(rest[0])))
            path.unlink()
