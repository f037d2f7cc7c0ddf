"""Enumerations in tables: their values, as the manual lists them and as a person reads them."""

from typing import Any, get_args


def values_of(kind: Any) -> tuple[str, ...]:
    """The values of an enumeration, a `Literal`, in the order in which they are declared."""
    return get_args(kind)


def listed(kind: Any) -> str:
    """The values of an enumeration as the manual names them: `a`, `b`, `c`."""
    return ", ".join(f"`{value}`" for value in values_of(kind))


def in_words(value: str) -> str:
    """A value as people read it: `several faces` for `several_faces`."""
    return value.replace("_", " ")
