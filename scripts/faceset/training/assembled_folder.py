"""The assembled folder: real files of all sources of a faceset, to train on.

The folder is the user's to work in: nothing done there reaches the store. A ledger beside it tells which files we made;
the folder is only ever changed while they are as we left them, and only where the index changed.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from faceset.atomic import write_atomically
from faceset.digests import canonical_json, file_digest
from faceset.errors import FacesetError
from faceset.progress import Progress

TEMPORARY = ".faceset-"
OF_FILE_MANAGERS = {".DS_Store", ".directory", "Thumbs.db", "desktop.ini"}


Pictures = Callable[[str, Mapping[str, str]], Iterator[tuple[str, bytes]]]
"""Gives file name and bytes of the pictures of a source whose file names are asked for, by face id."""


def is_in_step(folder: Path, index_digest: str) -> bool:
    """Whether a folder was left holding what an index says, as far as its ledger tells.

    Raises FacesetError for a ledger that is not ours.
    """
    return folder.is_dir() and bool(_read_ledger(_ledger_path(folder))["index"] == index_digest)


def sync_folder_with_index(folder: Path, index: Path, index_digest: str, pictures: Pictures) -> None:
    """Make `folder` hold exactly the pictures of the `faceset` table `index`.

    Parameters
    ----------
    folder
        The assembled folder; made if it is not there.
    index, index_digest
        The table, and the digest by which the ledger knows it.
    pictures
        Gives the files that are missing.

    Raises FacesetError, having changed nothing, if somebody changed the folder since it was made. What `pictures`
    raises is passed on; another call goes on from there.
    """
    ledger_path = _ledger_path(folder)
    ledger = _read_ledger(ledger_path) if folder.is_dir() else {"index": None, "files": {}, "pending": []}
    if ledger["index"] == index_digest:
        return
    for leftover in (*folder.glob(f"{TEMPORARY}*"), *folder.parent.glob(f".{ledger_path.name}.*")):
        leftover.unlink()
    _check_untouched(folder, ledger)
    from faceset.tables.parquet import read_table  # here, since a folder that is in step needs no table
    from faceset.training.tables import FACESET

    rows = read_table(index, FACESET, ["file", "face_id", "source", "picture"]).to_pylist()
    wanted = {row["file"]: row["picture"] for row in rows}
    files = {name: entry for name, entry in ledger["files"].items() if name not in ledger["pending"]}
    stale = {name for name, entry in files.items() if wanted.get(name) != entry[0]}
    fresh = [row for row in rows if row["file"] not in files or row["file"] in stale]
    pending = sorted({*ledger["pending"], *stale, *(row["file"] for row in fresh)})
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(ledger_path, _ledger(None, files, pending))
    for name in pending:
        (folder / name).unlink(missing_ok=True)
        files.pop(name, None)
    for name, data in Progress(_made(fresh, pictures), "pictures put in place", len(fresh)):
        temporary = folder / f"{TEMPORARY}{name}"
        temporary.write_bytes(data)
        temporary.replace(folder / name)
        files[name] = [wanted[name], hashlib.sha256(data).hexdigest(), *_state(folder / name)]
    os.sync()  # the ledger must not survive a power cut that the pictures do not
    write_atomically(ledger_path, _ledger(index_digest, files, []))


def _made(rows: list[dict[str, str]], pictures: Pictures) -> Iterator[tuple[str, bytes]]:
    by_source: dict[str, dict[str, str]] = {}
    for row in rows:
        by_source.setdefault(row["source"], {})[row["face_id"]] = row["file"]
    for source, wanted in by_source.items():
        yield from pictures(source, wanted)


def remove_assembled(folder: Path, start: str) -> list[Path]:
    """Remove from an assembled folder what we put there under names that begin with `start`, changed since or not.

    Returns the files that we did not put there; they stay. A folder with nothing left in it goes, with its ledger.

    Raises FacesetError for a ledger that is not ours.
    """
    if not folder.is_dir():
        return []
    ledger_path = _ledger_path(folder)
    ledger = _read_ledger(ledger_path)
    ours = {*ledger["files"], *ledger["pending"]}
    chosen = {name for name in ours if name.startswith(start)}
    leftovers = [path for path in folder.glob(f"{TEMPORARY}*") if path.name.removeprefix(TEMPORARY).startswith(start)]
    for path in [*leftovers, *(folder / name for name in sorted(chosen))]:
        path.unlink(missing_ok=True)
    files = {name: entry for name, entry in ledger["files"].items() if name not in chosen}
    pending = [name for name in ledger["pending"] if name not in chosen]
    if chosen:
        write_atomically(ledger_path, _ledger(None, files, pending))
    if not any(folder.iterdir()):
        folder.rmdir()
        ledger_path.unlink(missing_ok=True)
        return []
    return sorted(path for path in folder.iterdir() if path.name not in ours | OF_FILE_MANAGERS)


def _ledger_path(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.json")


def _check_untouched(folder: Path, ledger: dict[str, Any]) -> None:
    # What file managers leave behind when somebody looks is no decision.
    there = {path.name for path in folder.iterdir()} - OF_FILE_MANAGERS if folder.is_dir() else set()
    pending = set(ledger["pending"])
    changed = sorted(there - ledger["files"].keys() - pending)
    for name, (_, digest, *state) in ledger["files"].items():
        if name in pending:
            continue
        # Copied somewhere else as a whole, files have other times and are still ours.
        if name not in there or (_state(folder / name) != state and file_digest(folder / name) != digest):
            changed.append(name)
    if changed:
        raise FacesetError(
            f"{folder}: {len(changed)} files were added, removed, renamed or changed by hand since it was made "
            f"(first: {changed[0]}). Nothing was touched. Move this folder away and run again, which "
            "makes another. To make keep-list rows of what is left in yours, then use "
            f"`faceset keep-from-folder {folder.parent.name} <where you moved it>`."
        )


def _read_ledger(path: Path) -> dict[str, Any]:
    try:
        ledger = json.loads(path.read_bytes())
        files = dict(ledger["files"])
        if any(len(entry) != 4 for entry in files.values()):
            raise ValueError
        return {"index": ledger["index"], "files": files, "pending": list(ledger["pending"])}
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
