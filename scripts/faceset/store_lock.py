"""The store's lock: shared by all who use it, held alone by one who removes things from it.

It is the kernel's (`flock`), so it ends with its owner, however that ends.
"""

import contextlib
import fcntl
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from faceset.errors import FacesetError

NAME = "lock"


@contextlib.contextmanager
def shared(root: Path) -> Iterator[None]:
    """Keep everything in the store at `root`, for as long as it is used; waits for one who removes things.

    A store that can not be written may be used without.
    """
    with contextlib.ExitStack() as stack:
        try:
            descriptor = _open(root)
        except OSError:  # nothing can be removed from it here; what can not go on without writing will say so
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

    Raises FacesetError if a run uses it, if there is no store, or if it can not be written.
    """
    if not root.is_dir():
        raise FacesetError(f"{root}: there is no store. Run the workflow first, or set `store` in the config.")
    try:
        descriptor = _open(root)
    except OSError as error:
        raise FacesetError(f"{root}: can not be written ({error.strerror}).") from error
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FacesetError(f"{root}: a run is using this store. Wait for it to end, and try again.") from None
        yield


def _open(root: Path) -> int:
    root.mkdir(parents=True, exist_ok=True)
    return os.open(root / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
