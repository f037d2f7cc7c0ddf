"""Assemble: one folder of pictures to train on, from all sources of a faceset.

The folder is real and the user's to work in: its files are copies (sharing blocks where the file system can), so that
nothing done there reaches the store. A ledger beside it tells which files we made; the folder is only ever changed
while they are as we left them.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from faceset.atomic import write_atomically
from faceset.digests import canonical_json, file_digest
from faceset.errors import FacesetError
from faceset.schemas import EXTRACTED, FACESET, MANIFEST
from faceset.tables import read_table, write_table

TEMPORARY = ".faceset-"
OF_FILE_MANAGERS = {".DS_Store", ".directory", "Thumbs.db", "desktop.ini"}
FICLONE = 0x40049409  # the Linux request to share another file's blocks, linux/fs.h


class DamagedPictureError(FacesetError):
    """An extracted picture of `source` is not what it was when it was extracted."""

    def __init__(self, path: Path, source: str) -> None:
        super().__init__(f"{path}: damaged since it was extracted. Extract {source} again.")
        self.source = source


def make_index(extracted: Mapping[str, Path], manifest: Path, output: Path) -> None:
    """Write the `faceset` table: all extracted pictures of all sources, by file name."""
    decisions = read_table(manifest, MANIFEST, ["face_id", "cluster"])
    cluster_of = dict(zip(decisions["face_id"].to_pylist(), decisions["cluster"].to_pylist(), strict=True))
    rows = [
        {**row, "file": assembled_name(source, row["file"]), "source": source, "cluster": cluster_of[row["face_id"]]}
        for source, path in extracted.items()
        for row in read_table(path, EXTRACTED).to_pylist()
    ]
    table = pa.Table.from_pylist(rows, schema=FACESET.arrow).sort_by("file")
    write_table(output, FACESET, {name: table[name] for name in table.column_names})


def assembled_name(source: str, file: str) -> str:
    """The name in an assembled folder of a source's extracted file."""
    return f"{source}--{file}"


def sync_folder_with_index(folder: Path, index: Path, index_digest: str, extracted: Mapping[str, Path]) -> None:
    """Make `folder` hold exactly the pictures of the `faceset` table `index`.

    Parameters
    ----------
    folder
        The assembled folder; made if it is not there.
    index, index_digest
        The table, and the digest by which the ledger knows it.
    extracted
        By source, the folder with its extracted pictures.

    Raises FacesetError, having changed nothing, if somebody changed the folder since it was made. Raises
    DamagedPictureError for a picture that is not the one that the index names; another call goes on from there.
    """
    ledger_path = folder.with_name(f".{folder.name}.json")
    ledger = _read_ledger(ledger_path) if folder.is_dir() else {"index": None, "files": {}, "pending": []}
    if ledger["index"] == index_digest:
        return
    for leftover in folder.glob(f"{TEMPORARY}*"):
        leftover.unlink()
    _check_untouched(folder, ledger)
    table = read_table(index, FACESET, ["file", "source", "sha256"])
    wanted = {row["file"]: row for row in table.to_pylist()}
    files = {name: entry for name, entry in ledger["files"].items() if name not in ledger["pending"]}
    stale = [name for name, entry in files.items() if name not in wanted or wanted[name]["sha256"] != entry[0]]
    fresh = [name for name in wanted if name not in files or name in stale]
    pending = sorted({*ledger["pending"], *stale, *fresh})
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(ledger_path, _ledger(None, files, pending))
    for name in pending:
        (folder / name).unlink(missing_ok=True)
        files.pop(name, None)
    for name in fresh:
        row = wanted[name]
        origin = extracted[row["source"]] / name.removeprefix(assembled_name(row["source"], ""))
        temporary = folder / f"{TEMPORARY}{name}"
        _copy(origin, temporary)
        if file_digest(temporary) != row["sha256"]:
            raise DamagedPictureError(origin, row["source"])
        temporary.replace(folder / name)
        files[name] = [row["sha256"], *_state(folder / name)]
    os.sync()  # the ledger must not survive a power cut that the pictures do not
    write_atomically(ledger_path, _ledger(index_digest, files, []))


def _check_untouched(folder: Path, ledger: dict[str, Any]) -> None:
    # What file managers leave behind when somebody looks is no decision.
    there = {path.name for path in folder.iterdir()} - OF_FILE_MANAGERS if folder.is_dir() else set()
    pending = set(ledger["pending"])
    changed = sorted(there - ledger["files"].keys() - pending)
    for name, (digest, *state) in ledger["files"].items():
        if name in pending:
            continue
        # Copied somewhere else as a whole, files have other times and are still ours.
        if name not in there or (_state(folder / name) != state and file_digest(folder / name) != digest):
            changed.append(name)
    if changed:
        raise FacesetError(
            f"{folder}: {len(changed)} files were added, removed, renamed or changed by hand since it was made "
            f"(first: {changed[0]}). Nothing was touched. To make keep-list rows of what is left, use "
            f"`faceset keep-from-folder {folder.parent.name} {folder}`; to go on, move this folder away and run again."
        )


def _read_ledger(path: Path) -> dict[str, Any]:
    try:
        ledger = json.loads(path.read_bytes())
        return {"index": ledger["index"], "files": dict(ledger["files"]), "pending": list(ledger["pending"])}
    except FileNotFoundError:
        return {"index": None, "files": {}, "pending": []}
    except (ValueError, KeyError, TypeError) as error:
        raise FacesetError(
            f"{path}: not a ledger of ours. Move it and the folder beside it away, and run again."
        ) from error


def _ledger(index: str | None, files: dict[str, Any], pending: list[str]) -> bytes:
    return (canonical_json({"index": index, "files": files, "pending": pending}) + "\n").encode()


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _copy(origin: Path, target: Path) -> None:
    with origin.open("rb") as source, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), FICLONE, source.fileno())
        except OSError:  # this file system shares no blocks
            shutil.copyfileobj(source, copy)
