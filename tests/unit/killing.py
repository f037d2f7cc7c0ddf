"""Work in a process that kills itself just before its nth operation on a file."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {
    "fcntl.flock",
    "os.chmod",
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.utime",
}


def is_change(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event of Python is one that may change files."""
    return event in CHANGES or (event == "open" and bool((arguments[2] or 0) & WRITING))


def in_child(work: Callable[[], object], kill_at: int | None = None) -> tuple[int, int]:
    """Do some work in a forked process, killed with SIGKILL before its change number `kill_at` to files.

    Returns the process's exit status, negative for a signal, and how many changes it came to if it was not killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            count = 0

            def hook(event: str, arguments: tuple[Any, ...]) -> None:
                nonlocal count
                if is_change(event, arguments):
                    if count == kill_at:
                        os.kill(os.getpid(), signal.SIGKILL)
                    count += 1

            sys.addaudithook(hook)
            work()
            code = 0
        finally:
            os.write(writer, str(count).encode())
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), int(said or 0)
