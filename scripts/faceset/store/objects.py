"""The content store: what was ever computed, named by the SHA-256 of its bytes.

    objects/ab/<sha256>         one file; read-only
    actions/ab/<key>.json       which artifacts the action of that key made, and from what, see faceset.store.actions
    cuts/                       pixels of extracted faces, see faceset.training.packs
    footage/                    digests of the files of footage, see faceset.footage.digests
    roots/<sha256>              a working directory whose records name what is in here
    format                      the number of the format, see faceset.store.format
    lock/                       what those hold who use the store, see faceset.store.locks
    locks                       a file that keeps code of format 1 out
    tmp/                        work in progress, on the same file system
    quarantine/                 objects that did not verify, set aside

Everything appears by a rename of something complete, so a crash leaves at worst a file in tmp/.
"""

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from faceset.atomic import sync_folder, write_atomically
from faceset.digests import file_digest
from faceset.errors import FacesetError
from faceset.store.actions import Action, Artifact, DamagedActionError, Instance, Provenance, StoredAction
from faceset.store.locks import claimed

NO_FILE: Final = {errno.ENOENT, errno.EISDIR, errno.ELOOP, errno.ENOTDIR}
"""Of the errors with which a file cannot be read: those that say that what is there is no file."""


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
            found = self.object_path(artifact).stat()
        except OSError as error:
            if error.errno in NO_FILE:
                return False
            raise
        return stat.S_ISREG(found.st_mode) and found.st_size == artifact.size

    @contextlib.contextmanager
    def workspace(self) -> Iterator[Path]:
        """A private folder for work in progress, gone afterwards."""
        parent = self.root / "tmp"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(dir=parent))
        except OSError as error:
            raise FacesetError(f"{parent}: cannot be written ({error.strerror}). Set `store` in the config.") from error
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
        if target.is_file():
            if file_digest(target) == artifact.sha256:
                return artifact
            self.set_aside(target)
        self._make_room(target)
        path.rename(target)
        sync_folder(target.parent)
        return artifact

    def get(self, artifact: Artifact) -> Path:
        """The path of a verified object.

        Raises FacesetError if it is missing, or damaged (it is then set aside, so that the next run recomputes it).
        """
        path = self.object_path(artifact)
        try:
            aside = None if file_digest(path) == artifact.sha256 else self.set_aside(path)
        except FileNotFoundError:  # also where another job has just set it aside
            raise FacesetError(f"{path}: gone from the store. Run again: what needs it is recomputed.") from None
        except OSError as error:
            if error.errno not in NO_FILE:
                raise
            aside = self.set_aside(path if os.path.lexists(path) else path.parent)
        if aside:
            raise FacesetError(
                f"{path}: its bytes are no longer those it is named by (a damaged disk, or edited by hand?). "
                f"Set aside as {aside}. Run again: it is recomputed."
            )
        return path

    def discard(self, artifact: Artifact) -> None:
        """Remove an object, so that the next run recomputes it."""
        self.object_path(artifact).unlink(missing_ok=True)

    def set_aside(self, path: Path) -> Path:
        """Take a damaged file away, into quarantine. Returns where it is now."""
        folder = self.root / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=folder)) / path.name
        path.rename(aside)
        return aside

    def _make_room(self, path: Path) -> None:
        """Make the folder of a file that is about to be written; what is no file or folder there is set aside."""
        for folder in (path.parent.parent, path.parent):
            if os.path.lexists(folder) and not folder.is_dir():
                self.set_aside(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(path) and not path.is_file():
            self.set_aside(path)

    def _action_path(self, key: str) -> Path:
        return self.root / "actions" / key[:2] / f"{key}.json"

    def read(self, key: str) -> StoredAction | None:
        """The action of this key as its file holds it; None if there is none, or a damaged one, which is none."""
        try:
            return read_action(self._action_path(key))
        except (FileNotFoundError, DamagedActionError):
            return None

    def find(self, key: str) -> Action | None:
        """What the action of this key made, if it is known and all of it is there."""
        stored = self.read(key)
        if stored is None or not all(self.has(artifact) for artifact in stored.action.outputs.values()):
            return None
        return stored.action

    def remember(self, action: Action, provenance: Provenance, instance: Instance) -> None:
        """Note what an action made, from what, and for whom. Its objects must be in the store already."""
        before = self.read(provenance.key)
        instances = before.instances if before else ()
        stored = StoredAction(action, provenance, instances).of(instance)
        path = self._action_path(provenance.key)
        self._make_room(path)
        write_atomically(path, stored.to_bytes())

    def note_use(self, key: str, instance: Instance) -> None:
        """Note that the action of this key was of use now, and for whom.

        Its file's modification time says when that was last, and what it holds, for which instances: so forgetting a
        source or faceset finds it. In a store that can only be read, nothing is noted.
        """
        with contextlib.suppress(OSError):  # another user's, or a store that can only be read
            os.utime(self._action_path(key))
        stored = self.read(key)
        if stored is not None and instance not in stored.instances:
            with contextlib.suppress(FacesetError, OSError), claimed(self.root, f"{key} instances"):
                stored = self.read(key)  # somebody else may have noted one meanwhile
                if stored is not None:
                    write_atomically(self._action_path(key), stored.of(instance).to_bytes())


def read_action(path: Path) -> StoredAction:
    """The action in a file that its key names.

    Raises DamagedActionError if it is not what was written there, FileNotFoundError if there is none.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        if error.errno not in NO_FILE - {errno.ENOENT}:
            raise
        raise DamagedActionError(str(error)) from error
    return StoredAction.proven(path.stem, data)
