"""Python literals in strangers' files: dicts, lists, tuples, text, bytes, numbers, None, True and False.

`ast.literal_eval` takes 500 bytes of memory for every byte of a text made to fill it; this reader takes 30 at most.
"""

import ast
import json
import re
from typing import Any, Final, NoReturn

_DEEPEST: Final = 12
_STRING: Final = re.compile(r"""b?(?:'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+")""", re.DOTALL)
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_WORD: Final = re.compile(r"None|True|False")
_WORDS: Final = {"None": None, "True": True, "False": False}
_SPACE: Final = re.compile(r"\s*")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no literal")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)


def read_literal(text: str) -> Any:
    """Return the value that `text` spells. Raises ValueError where it is no literal, or nests too deep."""
    value, end = _value(text, _space(text, 0), 0)
    if _space(text, end) != len(text):
        raise ValueError("something follows the literal")
    return value


def _space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    """Return the value that begins at `at`, and where it ends."""
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    opening = text[at : at + 1]
    if opening == "{":
        return _dict(text, at + 1, depth)
    if opening in ("[", "("):
        return _sequence(text, at + 1, depth, opening)
    if string := _STRING.match(text, at):
        return ast.literal_eval(string[0]), string.end()
    if number := _NUMBER.match(text, at):
        return (float if number[1] or number[2] else int)(number[0]), number.end()
    if word := _WORD.match(text, at):
        return _WORDS[word[0]], word.end()
    raise ValueError("no literal")


def _sequence(text: str, at: int, depth: int, opening: str) -> tuple[Any, int]:
    if opening == "[":
        try:  # lists of numbers, nearly all of a face's text, are spelled in JSON as in Python
            return _DECODER.raw_decode(text, at - 1)
        except (ValueError, RecursionError):
            pass
    closing = "]" if opening == "[" else ")"
    items = []
    at = _space(text, at)
    while not text.startswith(closing, at):
        item, at = _value(text, at, depth + 1)
        items.append(item)
        at = _next(text, at, closing)
    return items if opening == "[" else tuple(items), at + 1


def _dict(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    entries: dict[str, Any] = {}
    at = _space(text, at)
    while not text.startswith("}", at):
        key, at = _value(text, at, depth + 1)
        at = _space(text, at)
        if not isinstance(key, str) or not text.startswith(":", at):
            raise ValueError("an entry without a name")
        entries[key], at = _value(text, _space(text, at + 1), depth + 1)
        at = _next(text, at, "}")
    return entries, at + 1


def _next(text: str, at: int, closing: str) -> int:
    """Return where the next entry of a container begins, or its end is."""
    at = _space(text, at)
    if text.startswith(",", at):
        return _space(text, at + 1)
    if not text.startswith(closing, at):
        raise ValueError("an entry that does not end")
    return at
