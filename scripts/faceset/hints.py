"""What a message says of a name that is not known."""

import difflib
from collections.abc import Iterable


def hint(word: str, known: Iterable[str]) -> str:
    """Return `did you mean x?` if one of the known names is like `word`, whatever its case, else which there are."""
    names = list(known)
    by_lower = {name.lower(): name for name in reversed(names)}
    if near := difflib.get_close_matches(word.lower(), by_lower, 1):
        return f"did you mean {by_lower[near[0]]}?"
    return f"known here: {', '.join(names) or 'none'}."
