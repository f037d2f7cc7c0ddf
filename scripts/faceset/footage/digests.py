"""By what footage is known: the digests of its files, remembered while they stand as they were hashed."""

import json
from pathlib import Path
from typing import NamedTuple

from faceset.atomic import write_atomically
from faceset.digests import canonical_json, file_digest, text_digest
from faceset.footage.files import footage_files
from faceset.progress import Progress


def footage_signature(path: Path) -> str:
    """A cheap digest that changes when the footage may have: of names, sizes and modification times."""
    entries = [[file.name, (status := file.stat()).st_size, status.st_mtime_ns] for file in footage_files(path)]
    return text_digest(canonical_json({"kind": "footage signature", "files": entries}))


class _State(NamedTuple):
    """By what a file is trusted to be the one that was hashed."""

    inode: int
    size: int
    mtime_ns: int


def _state(file: Path) -> _State:
    status = file.stat()
    return _State(status.st_ino, status.st_size, status.st_mtime_ns)


class FootageDigests:
    """The SHA-256 of each file of some footage, remembered in `folder` while its size, time and inode stand.

    What is remembered goes by inodes, so footage may be moved or renamed on its disk.
    """

    def __init__(self, folder: Path, footage: Path) -> None:
        self._footage = footage
        self._memory = folder / f"{footage.stat().st_ino}.json"

    def known(self) -> dict[Path, str] | None:
        """The digest of each file, in order; None if there is a file that was not hashed as it is now."""
        remembered = self._remembered()
        found = {file: remembered.get(_state(file)) for file in footage_files(self._footage)}
        return None if None in found.values() else {file: digest for file, digest in found.items() if digest}

    def learn(self, paranoid: bool = False) -> dict[Path, str]:
        """The same, having hashed what was not known, or all if `paranoid`."""
        remembered = {} if paranoid else self._remembered()
        files = footage_files(self._footage)
        states = [_state(file) for file in files]
        new = [(file, state) for file, state in zip(files, states, strict=True) if state not in remembered]
        for file, state in Progress(new, "files of footage hashed"):
            remembered[state] = file_digest(file)
        if new:
            rows = [[*state, remembered[state]] for state in states]
            write_atomically(self._memory, (canonical_json(rows) + "\n").encode())
        return {file: remembered[state] for file, state in zip(files, states, strict=True)}

    def _remembered(self) -> dict[_State, str]:
        try:
            return {
                _State(inode, size, time): digest for inode, size, time, digest in json.loads(self._memory.read_bytes())
            }
        except (FileNotFoundError, ValueError, TypeError):
            return {}


def content_digest(digests: dict[Path, str], video: bool) -> str:
    """What footage of these files is known by: a video by its bytes, pictures by theirs and their names."""
    entries = [[None if video else file.name, digest] for file, digest in digests.items()]
    return text_digest(canonical_json({"kind": "footage", "files": entries}))
