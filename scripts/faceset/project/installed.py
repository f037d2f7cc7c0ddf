"""Putting an alignments file in an original's place, so that the original can always be found and put back.

A ledger beside the file says, for each file that was replaced:

    {file name: {"original": SHA-256 | null, "backup": file name | null, "installed": [SHA-256, ...]}}

`installed` holds all that was ever written over this original; null stands for no file before. Each step leaves the
file old or new, never in part, and the ledger true: a file whose digest is not in `installed` is somebody's own.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from faceset.atomic import sync_folder, write_atomically
from faceset.digests import canonical_json, file_digest, remembered_file_digest
from faceset.errors import FacesetError

LEDGER = ".faceset-install.json"


@dataclass(frozen=True)
class _Entry:
    original: str | None
    backup: str | None
    installed: tuple[str, ...]


def installed_original(path: Path) -> Path | None:
    """Which file to read for the alignments at `path`: the original, while what stands there was installed.

    Returns `path` itself for a file that is the user's own or not there, the backup where an install replaced it, and
    None where the install put it at a place that was empty.

    Raises FacesetError if the backup is gone or no longer the original.
    """
    real = _real(path)
    entry = _read_ledger(real.parent).get(real.name)
    if entry is None:
        return path
    current = _digest(real)
    if current is None or current == entry.original or current not in entry.installed:
        return path
    return None if entry.backup is None else _checked_backup(real, entry)


def installed_over(path: Path) -> Path:
    """The inverse of `installed_original`: the file whose original is kept at `path`, else `path` itself."""
    for name, entry in _read_ledger(path.parent).items():
        if entry.backup == path.name:
            return path.with_name(name)
    return path


def backup_name(path: Path, moment: datetime) -> str:
    """The name under which the original of `path` is kept."""
    return f"{path.stem}_backup_{moment:%Y%m%d_%H%M%S}{path.suffix}"


def put_in_place(path: Path, data: bytes, moment: datetime) -> Path | None:
    """Write `data` to `path`, having kept what was there beside it; returns where it is kept.

    The original is kept once: what an earlier install wrote is replaced without a backup of its own. A file that
    holds `data` already is left alone.

    Raises FacesetError, with `path` as it was, if the original cannot be kept, or the file changes meanwhile.
    """
    real = _real(path)
    ledger = _read_ledger(real.parent)
    current, wanted = _digest(real), hashlib.sha256(data).hexdigest()
    entry = ledger.get(real.name)
    if entry is None or current not in (entry.original, *entry.installed) or _is_back_already(real, entry, current):
        entry = _Entry(current, None if current is None else _keep(real, current, moment), ())
    backup = None if entry.backup is None else _checked_backup(real, entry)
    if current == wanted:
        return backup
    # The ledger first: were the file first, a crash would leave what we wrote looking like the user's own.
    entry = _Entry(entry.original, entry.backup, tuple(sorted({*entry.installed, wanted})))
    _write_ledger(real.parent, {**ledger, real.name: entry})
    if _digest(real) != current:
        raise FacesetError(f"{path}: changed while it was to be replaced. Nothing was replaced; try again.")
    write_atomically(real, data)
    if file_digest(real) != wanted:
        raise FacesetError(f"{path}: does not hold what was written to it: a failing disk? The original is {backup}.")
    return backup


def put_back(path: Path) -> Path | None:
    """Make the file at `path` its original again; where there was none, remove it. Returns where the original was.

    Raises FacesetError, having changed nothing, if no install is known, or the file is not what it wrote.
    """
    real = _real(path)
    ledger = _read_ledger(real.parent)
    entry = ledger.pop(real.name, None)
    if entry is None:
        raise FacesetError(f"{path}: nothing was installed here, so there is nothing to undo.")
    current = _digest(real)
    backup = None if entry.backup is None else real.with_name(entry.backup)
    if current != entry.original:
        if current not in entry.installed:
            kept = f"The original is {backup}: put it back by hand if" if backup else "Remove it by hand if"
            raise FacesetError(
                f"{path}: {'gone' if current is None else 'changed'} since it was installed, so it is left as it is. "
                f"{kept} these changes may be lost."
            )
        if backup:
            _checked_backup(real, entry).replace(real)
        else:
            real.unlink()
        sync_folder(real.parent)
    _write_ledger(real.parent, ledger)
    return backup


def _real(path: Path) -> Path:
    """The file itself where a link leads to it: replaced must be the file, not the link."""
    return path.resolve() if path.is_symlink() else path


def _is_back_already(real: Path, entry: _Entry, current: str | None) -> bool:
    """Whether an undo was cut off after it had put the original back, and so used the backup up."""
    return current == entry.original and entry.backup is not None and not real.with_name(entry.backup).exists()


def _keep(real: Path, digest: str, moment: datetime) -> str:
    """Copy a file to its backup's name, on disk and verified; returns the name."""
    backup = real.with_name(backup_name(real, moment))
    if not backup.exists():
        status = real.stat()
        write_atomically(backup, real.read_bytes())
        # As old as the original, so that nothing made from it looks out of date.
        os.utime(backup, ns=(status.st_atime_ns, status.st_mtime_ns))
    if file_digest(backup) != digest:
        raise FacesetError(f"{backup}: is not a copy of {real}. Nothing was replaced; move it away and try again.")
    return backup.name


def _checked_backup(real: Path, entry: _Entry) -> Path:
    backup = real.with_name(entry.backup or "")
    digest = _digest(backup)
    if digest != entry.original:
        raise FacesetError(
            f"{backup}: {'gone' if digest is None else 'changed'}, but it was the original of {real}, in whose place "
            f"cleaned alignments are. Bring the original back, or delete {LEDGER} beside it to make {real.name} the "
            "original from now on."
        )
    return backup


def _digest(path: Path) -> str | None:
    try:
        return remembered_file_digest(path)
    except FileNotFoundError:
        return None


def _read_ledger(folder: Path) -> dict[str, _Entry]:
    path = folder / LEDGER
    try:
        return {name: _entry(**values) for name, values in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise FacesetError(
            f"{path}: not a ledger of ours. It says where the originals of installed alignments are: restore it, or, "
            "if nothing is installed here, delete it."
        ) from error


def _entry(original: Any, backup: Any, installed: Any) -> _Entry:
    texts = [text for text in (original, backup, *installed) if text is not None]
    if not all(isinstance(text, str) for text in texts) or (backup is not None and Path(backup).name != backup):
        raise ValueError("not an entry of ours")
    return _Entry(original, backup, tuple(installed))


def _write_ledger(folder: Path, ledger: dict[str, _Entry]) -> None:
    if ledger:
        values = {name: {**vars(entry), "installed": list(entry.installed)} for name, entry in ledger.items()}
        write_atomically(folder / LEDGER, (canonical_json(values) + "\n").encode())
    else:
        (folder / LEDGER).unlink(missing_ok=True)
        sync_folder(folder)
