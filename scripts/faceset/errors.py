"""The one error that a user's mistake, or a stranger's file, may end in."""


class FacesetError(Exception):
    """Something the user can mend.

    The message is what the user reads, without a traceback: which file, which entry, what was expected, what to do.
    """
