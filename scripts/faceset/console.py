"""Lines for the person at the terminal."""

import sys


def say(line: str) -> None:
    """Print a line of what was asked for."""
    print(line, flush=True)


def tell(line: str) -> None:
    """Print a line beside it, where what was asked for may go into a file."""
    print(line, file=sys.stderr, flush=True)
