"""The store's locks: one that all who use it share, and that who removes things from it holds alone; and one for each
thing that is being made, so that others who want the same wait for it.

They are the kernel's (`flock`), so they end with their owners, however these end.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from faceset.errors import FacesetError
from faceset.store.format import HELD, check_format

USE = f"{HELD}/use"
CLAIMS = f"{HELD}/claims"


@contextlib.contextmanager
def shared(root: Path) -> Iterator[None]:
    """Keep everything in the store at `root`, for as long as it is used; waits for one who removes things.

    A store that cannot be written may be used without. Raises FacesetError for a store of another format.
    """
    with contextlib.ExitStack() as stack:
        try:
            check_format(root)
            descriptor = _open(root / USE)
        except OSError:  # nothing can be removed from it here; what cannot go on without writing will say so
            yield
            return
        stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"faceset: waiting for what is being removed from {root}.", file=sys.stderr, flush=True)
            fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Be the only one to use the store at `root`, so that things can be removed from it.

    Raises FacesetError if a run uses it, if there is no store, if it is of another format, or cannot be written.
    """
    if not root.is_dir():
        raise FacesetError(f"{root}: there is no store. Run the workflow first, or set `store` in the config.")
    try:
        check_format(root)
        descriptor = _open(root / USE)
    except OSError as error:
        raise FacesetError(f"{root}: cannot be written ({error.strerror}).") from error
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FacesetError(f"{root}: a run is using this store. Wait for it to end, and try again.") from None
        yield


@contextlib.contextmanager
def claimed(root: Path, name: str) -> Iterator[None]:
    """Be the only one to make the thing of this name in the store at `root`; waits for who is making it already.

    Raises FacesetError if the store cannot be written.
    """
    path = root / CLAIMS / name
    with contextlib.ExitStack() as stack:
        while True:
            try:
                descriptor = _open(path)
            except OSError as error:
                raise FacesetError(
                    f"{path.parent}: cannot be written ({error.strerror}). Set `store` in the config."
                ) from error
            stack.callback(os.close, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("faceset: waiting for another run that makes the same.", file=sys.stderr, flush=True)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    break
            except FileNotFoundError:
                pass  # who had it removed it in the end: it is no longer what others lock
        stack.callback(path.unlink, missing_ok=True)
        yield


def _open(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
