"""The content store: what was ever computed, named by the SHA-256 of its bytes.

    objects/ab/<sha256>         one file; read-only
    actions/ab/<key>.json       which artifacts the action of that key made, and from what: the key is its digest
    cuts/                       pixels of extracted faces, see faceset.training.packs
    footage/                    digests of the files of footage, see faceset.footage.files
    roots/<sha256>              the path of a working directory whose records name what is in here
    lock                        held by all who use the store, and by one who removes from it, see store_lock
    tmp/                        work in progress, on the same file system
    quarantine/                 objects that did not verify, set aside

Everything appears by a rename of something complete, so a crash leaves at worst a file in tmp/.
"""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faceset.atomic import sync_folder, write_atomically
from faceset.digests import canonical_json, file_digest, text_digest
from faceset.errors import FacesetError


@dataclass(frozen=True)
class Artifact:
    """What one output of a stage is: its digest, and its size in bytes."""

    sha256: str
    size: int

    def as_json(self) -> dict[str, Any]:
        """The form in which records and actions hold it."""
        return {"sha256": self.sha256, "size": self.size}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Artifact":
        """Read what `as_json` wrote; raises ValueError, KeyError or TypeError on anything else."""
        if not re.fullmatch("[0-9a-f]{64}", value["sha256"]):
            raise ValueError(f"{value['sha256']!r} is no SHA-256")
        return cls(value["sha256"], int(value["size"]))


@dataclass(frozen=True)
class Action:
    """What an action made: its outputs by name, and what it ran on (for people; not part of any key)."""

    outputs: dict[str, Artifact]
    ran_on: str

    def as_json(self) -> dict[str, Any]:
        """The form in which records and the store's actions hold it."""
        outputs = {name: artifact.as_json() for name, artifact in self.outputs.items()}
        return {"outputs": outputs, "ran_on": self.ran_on}

    def to_bytes(self) -> bytes:
        """Canonical JSON, one line."""
        return (canonical_json(self.as_json()) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Action":
        """Read what `to_bytes` wrote; raises ValueError, KeyError or TypeError on anything else."""
        value = json.loads(data)
        return cls({name: Artifact.from_json(entry) for name, entry in value["outputs"].items()}, value["ran_on"])


class DamagedActionError(Exception):
    """What is in an action's file is not what was written there."""


def proven_action(key: str, data: bytes) -> tuple[Action, dict[str, Any]]:
    """The action in the bytes of its file, and what it was made from, of which `key` is the digest.

    Raises DamagedActionError if they are not what `Store.remember` wrote for this key.
    """
    try:
        made_from = json.loads(data)["made_from"]
        action = Action.from_bytes(data)
        if text_digest(canonical_json(made_from)) != key:
            raise ValueError("it is of another key")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedActionError(str(error)) from error
    return action, made_from


class Store:
    """One content store in the folder `root`, made on first use."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def footage(self) -> Path:
        """The folder with the digests of footage."""
        return self.root / "footage"

    @property
    def cuts(self) -> Path:
        """The folder with the pixels of extracted faces."""
        return self.root / "cuts"

    def object_path(self, artifact: Artifact) -> Path:
        """Where the artifact's bytes are, if the store has them."""
        return self.root / "objects" / artifact.sha256[:2] / artifact.sha256

    def has(self, artifact: Artifact) -> bool:
        """Whether the object is there with its full length (not whether it verifies)."""
        try:
            return self.object_path(artifact).stat().st_size == artifact.size
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder for work in progress, gone afterwards."""
        parent = self.root / "tmp"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=parent))
        except OSError as error:
            raise FacesetError(
                f"{parent}: can not be written ({error.strerror}). Set `store` in the config."
            ) from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def put(self, path: Path) -> Artifact:
        """Move a finished file (inside a workspace of this store) into the store."""
        path.chmod(0o444)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        artifact = Artifact(file_digest(path), path.stat().st_size)
        target = self.object_path(artifact)
        if target.exists():
            if file_digest(target) == artifact.sha256:
                return artifact
            self.set_aside(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        sync_folder(target.parent)
        return artifact

    def get(self, artifact: Artifact) -> Path:
        """The path of a verified object.

        Raises FacesetError if it is missing, or damaged (it is then set aside, so that the next run makes it anew).
        """
        path = self.object_path(artifact)
        try:
            aside = None if file_digest(path) == artifact.sha256 else self.set_aside(path)
        except FileNotFoundError:  # also where another job has just set it aside
            raise FacesetError(f"{path}: gone from the store. Run again: what needs it will be made anew.") from None
        if aside:
            raise FacesetError(
                f"{path}: its bytes are no longer those it is named by (a damaged disk, or edited by hand?). "
                f"Set aside as {aside}. Run again: it will be made anew."
            )
        return path

    def discard(self, artifact: Artifact) -> None:
        """Remove an object, so that the next run makes it anew."""
        self.object_path(artifact).unlink(missing_ok=True)

    def set_aside(self, path: Path) -> Path:
        """Take a damaged file away, into quarantine. Returns where it is now."""
        folder = self.root / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder)) / path.name
        path.rename(aside)
        return aside

    def _action_path(self, key: str) -> Path:
        return self.root / "actions" / key[:2] / f"{key}.json"

    def find(self, key: str) -> Action | None:
        """What the action of this key made, if it is known and all of it is there."""
        try:
            action, _ = proven_action(key, self._action_path(key).read_bytes())
        except (FileNotFoundError, DamagedActionError):  # a damaged action is no action
            return None
        return action if all(self.has(artifact) for artifact in action.outputs.values()) else None

    def remember(self, key: str, action: Action, made_from: Mapping[str, Any]) -> None:
        """Note what the action of this key made, and from what. Its objects must be in the store already."""
        data = canonical_json({"made_from": made_from, **action.as_json()}) + "\n"
        write_atomically(self._action_path(key), data.encode())

    def mark_used(self, key: str) -> None:
        """Note that the action of this key was of use now: its file's modification time says when that was last."""
        with contextlib.suppress(OSError):  # another user's, or a store that can only be read
            os.utime(self._action_path(key))
