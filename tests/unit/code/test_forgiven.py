"""What the digests of code forgive, and that they forgive nothing else."""

from pathlib import Path

import pytest

from made_up_library import CHIPS, COMPUTE, DEEP, STAGE, WORDS, code, edit, moved, write_library

FORGIVEN = {
    "a comment": (CHIPS, "LIMIT = 11", "LIMIT = 11  # eleven"),
    "a comment line": (CHIPS, "LIMIT = 11", "# eleven\n    LIMIT = 11"),
    "a blank line": (CHIPS, "LIMIT = 11", "\n    LIMIT = 11"),
    "quotes": (CHIPS, '"key"', "'key'"),
    "parentheses": (CHIPS, "value * step", "(value * step)"),
    "the spelling of a number": (CHIPS, "quality: int = 90", "quality: int = 0x5A"),
    "a string in two": (WORDS, '".png"', '"." "png"'),
    "an f-string in two": (CHIPS, 'f"chip {self.width:>4} wide"', 'f"chip {self.width:>4}" " wi" f"de"'),
    "the docstring of a module": (CHIPS, "Chips of faces.", "Chips of all faces."),
    "the docstring of a function": (CHIPS, "Crop them.", "Crop all of them."),
    "the docstring of a method": (CHIPS, '        """Pixels."""\n', ""),
    "the docstring of a class": (CHIPS, "One chip.", "A chip."),
    "the docstring of the stage's function": (STAGE, "Crop the faces of one source.", "Crop."),
    "the annotation of a parameter": (CHIPS, "frames: list[int],", "frames,"),
    "the annotation of star arguments": (CHIPS, "*rest: int", "*rest: float"),
    "the annotation of a keyword parameter": (CHIPS, "quality: int = 90", "quality: float = 90"),
    "the annotation of a return": (CHIPS, "inner(value: int) -> int", "inner(value) -> float"),
    "the annotation of a cached function": (CHIPS, "def table(size: int) -> list[int]", "def table(size)"),
    "the annotation of a local variable": (CHIPS, "count: int = 0", "count = 0"),
    "the annotation of a local attribute": (CHIPS, "self.width: int = 5", "self.width = 5"),
    "the annotation of a variable in a method": (CHIPS, "total: int =", "total ="),
    "the annotation of a variable without a value": (CHIPS, "seen: set[int]", "seen: set[float]"),
    "the annotation of the stage's function": (STAGE, "job: Job", "job: object"),
    "the words of an error": (CHIPS, 'f"too few frames: {frames}", "twice"', '"not enough"'),
    "the words of an error of a derived class": (CHIPS, '"no table"', 'f"there is {no} table" + x'),
    "the words of the stage's error": (STAGE, "has no source", "lacks a source"),
    "an import for type checkers": (STAGE, "import Job", "import Job\n    from faceset.crops.alone import X"),
    "TYPE_CHECKING in a module that had none": (
        CHIPS,
        "from pathlib import Path\n",
        "from pathlib import Path\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import faceset.words\n",
    ),
    "the order of imports": (CHIPS, "import functools\nimport json\n", "import json\nimport functools\n"),
    "an import that moved down": (CHIPS, "import json\nfrom d", "from d"),
    "imports in one line": (CHIPS, "import functools\nimport json\n", "import json, functools\n"),
    "a name imported as itself": (CHIPS, "import json", "import json as json"),
    "a function in a module that is not reached": ("crops/alone.py", "X = 1", "X = 1\n\n\ndef f(): return 2"),
    "a schema": ("crops/tables.py", 'SHAPES = {"b": 2}', 'SHAPES = {"b": 3}\nMORE = {}'),
    "the declaration of the stage": (STAGE, 'name="crop"', 'name="cut"'),
    "a function of the stage that it does not use": (STAGE, "return 1", "return 2"),
    "a constant of the stage that it does not use": (STAGE, "WIDTH = ", "UNUSED_TOO = 5\nWIDTH = "),
    "what only the declaration imports": ("stages/stage.py", "pass", "x = 1"),
    "a data file that nobody names": ("crops/others.json", "4", "5"),
}

COUNTED = {
    "a constant of a module": (CHIPS, "LIMIT: int = 10", "LIMIT: int = 12"),
    "the type of a constant": (CHIPS, "LIMIT: int = 10", "LIMIT: int = 10.0"),
    "a truth for a number": (CHIPS, "height=2", "height=True"),
    "an operator": (CHIPS, "value * step", "value + step"),
    "a unary operator": (CHIPS, "return -value", "return +value"),
    "a default": (CHIPS, "chips: object = None", "chips: object = 1"),
    "a default that is gone": (CHIPS, "chips: object = None", "chips: object"),
    "a default of a keyword": (CHIPS, "quality: int = 90", "quality: int = 91"),
    "a keyword parameter that is none": (CHIPS, "= None, *, quality", "= None, quality"),
    "a decorator": (CHIPS, "@functools.cache", "@functools.lru_cache"),
    "a decorator that is gone": (CHIPS, "@functools.cache\n", ""),
    "a decorator of a method": (CHIPS, "    @property\n", ""),
    "a base class": (CHIPS, "Chip(object)", "Chip(dict)"),
    "the annotation of a field": (CHIPS, "    width: int\n", "    width: float\n"),
    "the annotation of a field that is gone": (CHIPS, "height: int = 3", "height = 3"),
    "the default of a field": (CHIPS, "height: int = 3", "height: int = 4"),
    "how a field is made": (CHIPS, "default_factory=list", "default_factory=tuple"),
    "the annotation of a method": (CHIPS, "margin: int = 1", "margin: float = 1"),
    "the annotation under a strange decorator": (CHIPS, "def strange(size: int)", "def strange(size)"),
    "the annotation of a module's variable": (CHIPS, "LIMIT: int = 10", "LIMIT: float = 10"),
    "a local variable's declaration": (CHIPS, "    seen: set[int]\n", ""),
    "a comparison": (CHIPS, "len(frames) < LIMIT", "len(frames) <= LIMIT"),
    "the direction of a comparison": (CHIPS, "len(frames) < LIMIT", "LIMIT < len(frames)"),
    "and": (CHIPS, "LIMIT and suffix", "LIMIT or suffix"),
    "an expression in an f-string": (CHIPS, "{self.width:>4}", "{self.height:>4}"),
    "the text of an f-string": (CHIPS, "chip {", "chips {"),
    "the format in an f-string": (CHIPS, ":>4}", ":<4}"),
    "the conversion in an f-string": (CHIPS, "{self.width:>4}", "{self.width!r:>4}"),
    "the text of another error": (CHIPS, '"eight"', '"ate"'),
    "the argument of an error that keeps it": (CHIPS, "number=7", "number=8"),
    "an assignment in an error": (CHIPS, "count := 3", "count := 4"),
    "the class of an error": (CHIPS, "raise MissingError(", "raise FacesetError("),
    "the cause of an error": (CHIPS, " from error", " from None"),
    "what is caught": (CHIPS, "except KeyError", "except IndexError"),
    "an assertion": (CHIPS, "assert count >= 0", "assert count > 0"),
    "the words of an assertion": (CHIPS, '"negative"', '"below 0"'),
    "a walrus": (CHIPS, "(length := len(others))", "(len(others))"),
    "a pattern": (CHIPS, "1 | 2", "1 | 3"),
    "the name of a capture": (CHIPS, "**remaining", "**left"),
    "a guard": (CHIPS, "> 2:", "> 3:"),
    "async": (CHIPS, "async with", "with"),
    "await": (CHIPS, "await item", "item"),
    "a starred argument": (CHIPS, "*order", "order"),
    "a double-starred argument": (CHIPS, '**{"base": inner(3)}', "base=inner(3)"),
    "the name of star arguments": (CHIPS, "*rest", "*left"),
    "the default of a lambda": (CHIPS, "step=2", "step=3"),
    "a slice": (CHIPS, "TABLE[1:size]", "TABLE[:size]"),
    "a comprehension": (CHIPS, "value + 1 for", "value for"),
    "global": (CHIPS, "    global LIMIT\n", ""),
    "nonlocal": (CHIPS, "        nonlocal count\n", ""),
    "not": (CHIPS, "if not seen", "if seen"),
    "a statement that moved": (CHIPS, "count: int = 0\n    seen: set[int]\n", "seen: set[int]\n    count: int = 0\n"),
    "an import": (CHIPS, "import json\n", "import json\nimport os\n"),
    "an import under another name": (CHIPS, "import json\n", "import json as functools_json\n"),
    "an import within a function that moved": (
        STAGE,
        "    from faceset.crops.chips import crop_faces\n\n    if job.source is None:",
        "    if job.source is None:\n        from faceset.crops.chips import crop_faces",
    ),
    "a string that is no docstring": (CHIPS, "    global LIMIT\n", '    global LIMIT\n    "text"\n'),
    "the stage's function": (STAGE, "is None", "is not None"),
    "a function of the stage that it uses": (STAGE, "value * WIDTH", "value + WIDTH"),
    "a constant of the stage that it uses at one remove": (STAGE, "SCALE = 2", "SCALE = 3"),
    "a statement of the stage's file that may do anything": (STAGE, "SCALE = 2", "SCALE = 2\nprint(1)"),
    "a constant of another module": (WORDS, '".png"', '".jpg"'),
    "anything in a module that is reached": (WORDS, '"nothing"', '"none"'),
    "a function at two removes": (DEEP, "sum(values, base)", "max(values)"),
    "an error that keeps more than words": ("errors.py", "self.number = number", "self.number = -number"),
}

ENTRIES = {STAGE: COMPUTE, CHIPS: "faceset.crops.chips", WORDS: "faceset.words", DEEP: "faceset.crops.deep"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('f"{seen.pop()}"', 'f"{seen.pop()}!"'),
        ("str(seen.add(9))", '"x"'),
        ("next(others)", '"x"'),
        ("[seen.clear() for _ in others]", '"x"'),
    ],
)
def test_words_count_where_making_them_may_change_something(root: Path, before: str, after: str) -> None:
    edit(root / CHIPS, 'f"too few frames: {frames}", "twice"', before)
    found = code(root)
    edit(root / CHIPS, before, after)
    assert moved(found, code(root)) == {"faceset.crops.chips"}


@pytest.mark.parametrize("words", ['", ".join(sorted(map(str, frames)))', "next(iter(frames))", "hint(frames, LIMIT)"])
def test_words_are_forgiven_with_calls_that_only_give_a_value(root: Path, words: str) -> None:
    before = code(root)
    edit(root / CHIPS, 'f"too few frames: {frames}", "twice"', words)
    assert code(root) == before


def test_an_annotation_counts_that_may_change_something(root: Path) -> None:
    edit(root / CHIPS, "frames: list[int],", "frames: NAMES.pop(),")
    before = code(root)
    edit(root / CHIPS, "frames: NAMES.pop(),", "frames,")
    assert moved(before, code(root)) == {"faceset.crops.chips"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_library(tmp_path / "library")


@pytest.mark.parametrize("name", FORGIVEN)
def test_nothing_moves_for_what_cannot_change_bytes(root: Path, name: str) -> None:
    before = code(root)
    file, old, new = FORGIVEN[name]
    edit(root / file, old, new)
    if name == "an import that moved down":
        edit(root / file, "TABLE = ", "import json\nTABLE = ")
    assert code(root) == before


@pytest.mark.parametrize("name", COUNTED)
def test_just_the_digest_of_its_module_moves_for_what_may_change_bytes(root: Path, name: str) -> None:
    before = code(root)
    file, old, new = COUNTED[name]
    edit(root / file, old, new)
    after = code(root)
    assert moved(before, after) == {ENTRIES.get(file, "faceset.errors")}
    assert (after.schemas, after.data) == (before.schemas, before.data)


@pytest.mark.parametrize("reader", ["depth.__doc__", "getattr(depth, '__doc__')", "inspect.getdoc(depth)"])
def test_docstrings_count_everywhere_once_somebody_reads_one(root: Path, reader: str) -> None:
    edit(root / DEEP, "+ len(", f"+ {reader} + len(")
    before = code(root)
    edit(root / CHIPS, "Crop them.", "Crop all of them.")
    assert moved(before, code(root)) == {"faceset.crops.chips"}
    before = code(root)
    edit(root / STAGE, "Crop the faces of one source.", "Crop.")
    assert moved(before, code(root)) == {COMPUTE}


@pytest.mark.parametrize(
    "reader", ["depth.__annotations__", "typing.get_type_hints(depth)", "inspect.signature(depth)"]
)
def test_annotations_count_everywhere_once_somebody_reads_one(root: Path, reader: str) -> None:
    edit(root / DEEP, "+ len(", f"+ {reader} + len(")
    before = code(root)
    edit(root / CHIPS, "frames: list[int],", "frames: list[float],")
    assert moved(before, code(root)) == {"faceset.crops.chips"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    """Something is not there."""', "    code = 1"),
        ("class MissingError(FacesetError)", "class MissingError(FacesetError, KeyError)"),
        ("class MissingError(FacesetError)", "class MissingError(Exception)"),
        ('    """What the user can fix."""', "    def __str__(self): return str(self.args)"),
    ],
)
def test_the_words_of_an_error_count_if_it_is_more_than_words(root: Path, old: str, new: str) -> None:
    edit(root / "errors.py", old, new)
    before = code(root)
    edit(root / CHIPS, '"no table"', '"no such table"')
    assert moved(before, code(root)) == {"faceset.crops.chips"}


@pytest.mark.parametrize(
    "text",
    ["FacesetError = ValueError", "def f(FacesetError): pass", "from os import *", "for FacesetError in (): pass"],
)
def test_the_words_of_an_error_count_if_its_name_may_mean_another(root: Path, text: str) -> None:
    edit(root / CHIPS, "LIMIT: int = 10", f"{text}\nLIMIT: int = 10")
    before = code(root)
    edit(root / CHIPS, '"twice"', '"once"')
    assert moved(before, code(root)) == {"faceset.crops.chips"}


@pytest.mark.parametrize(
    "spelling", ["errors.FacesetError", "faceset.errors.FacesetError", "Ours", "chips.FacesetError"]
)
def test_an_error_is_known_by_any_name(root: Path, spelling: str) -> None:
    imports = "from faceset import errors\nimport faceset.errors\nfrom faceset.errors import FacesetError as Ours\n"
    edit(
        root / DEEP,
        "from faceset import words\n",
        f"from faceset import words\n{imports}from faceset.crops import chips\n",
    )
    edit(root / DEEP, "    return sum", f"    if not values: raise {spelling}('none')\n    return sum")
    before = code(root)
    edit(root / DEEP, "'none'", "'nothing'")
    assert code(root) == before


@pytest.mark.parametrize(
    "decorator", ["contextmanager", "contextlib.contextmanager", "functools.wraps(len)", "c.cache"]
)
def test_annotations_under_decorators_that_do_not_read_them_are_forgiven(root: Path, decorator: str) -> None:
    imports = "from contextlib import contextmanager\nimport contextlib\nimport functools\nimport functools as c\n"
    edit(
        root / DEEP,
        "\n\n\ndef depth(*values, base)",
        f"\n{imports}\n\n@{decorator}\ndef depth(*values: int, base: int)",
    )
    before = code(root)
    edit(root / DEEP, "base: int", "base: float")
    assert code(root) == before


def test_imports_of_one_name_keep_their_order(root: Path) -> None:
    edit(root / WORDS, "SUFFIX =", "from os import path\nfrom ntpath import path\nSUFFIX =")
    before = code(root)
    edit(
        root / WORDS, "from os import path\nfrom ntpath import path\n", "from ntpath import path\nfrom os import path\n"
    )
    assert moved(before, code(root)) == {"faceset.words"}


def test_an_import_below_the_use_of_its_name_keeps_its_place(root: Path) -> None:
    edit(root / WORDS, "SUFFIX =", "show = print\nfrom pprint import pprint as print\nSUFFIX =")
    before = code(root)
    edit(
        root / WORDS,
        "show = print\nfrom pprint import pprint as print\n",
        "from pprint import pprint as print\nshow = print\n",
    )
    assert moved(before, code(root)) == {"faceset.words"}


def test_imports_keep_their_side_of_a_statement_that_may_do_anything(root: Path) -> None:
    edit(root / WORDS, "SUFFIX =", "import os\nos.environ['A'] = '1'\nimport json\nSUFFIX =")
    before = code(root)
    edit(root / WORDS, "os.environ['A'] = '1'\nimport json\n", "import json\nos.environ['A'] = '1'\n")
    assert moved(before, code(root)) == {"faceset.words"}
