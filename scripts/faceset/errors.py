"""The one error that a user's mistake, or a stranger's file, may end in; and the errors that are the machine's."""

import errno
from typing import Final

MACHINE_ERRORS: Final = (
    errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EACCES, errno.EPERM,
)  # fmt: skip


class FacesetError(Exception):
    """Something the user can fix.

    The message is what the user reads, without a traceback: which file, which entry, what was expected, what to do.
    """


def is_machine_fault(error: BaseException) -> bool:
    """Return whether `error` tells of full memory or a failing disk: then the file that was read may be a good one."""
    return isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in (errno.EIO, errno.ENOMEM))


def is_refused_by_machine(error: BaseException) -> bool:
    """Return whether `error` is no fault of ours: a full or failing disk, or something that may not be opened."""
    # Arrow's errors hold no number.
    return isinstance(error, OSError) and (error.errno in MACHINE_ERRORS or "No space left" in str(error))
