"""A made-up library with one stage, for what looks at code: a few files that hold every kind of thing to edit."""

from pathlib import Path

from faceset.code.digests import CodeDigests, Library

CHIPS, STAGE, WORDS, DEEP = "crops/chips.py", "stages/crop.py", "words.py", "crops/deep.py"
COMPUTE = "faceset.stages.crop:compute"

FILES = {
    "__init__.py": '"""The library."""\n',
    "errors.py": '''
class FacesetError(Exception):
    """What the user can fix."""


class MissingError(FacesetError):
    """Something is not there."""


class NumberedError(FacesetError):
    def __init__(self, number):
        self.number = number
''',
    "stages/crop.py": '''
"""Crop faces."""

from typing import TYPE_CHECKING

from faceset.crops.tables import CHIPS, SHAPES
from faceset.errors import FacesetError
from faceset.stages.stage import Stage
from faceset.words import SUFFIX, UNUSED

if TYPE_CHECKING:
    from faceset.stages.stage import Job

STAGE = Stage(name="crop", reads={"faces": UNUSED}, makes={"chips": SHAPES})
SCALE = 2
WIDTH = SCALE * 8


def _scaled(value):
    return value * WIDTH


def other():
    return 1


def compute(job: Job) -> None:
    """Crop the faces of one source."""
    from faceset.crops.chips import crop_faces

    if job.source is None:
        raise FacesetError(f"{job} has no source")
    crop_faces(_scaled(job.source), SUFFIX, CHIPS)
''',
    "stages/stage.py": "class Stage:\n    pass\n",
    "words.py": 'SUFFIX = ".png"\nUNUSED = "nothing"\n',
    "crops/__init__.py": '"""Crops."""\n',
    "crops/tables.py": 'import faceset.stages.stage\n\nCHIPS = {"a": 1}\nSHAPES = {"b": 2}\n',
    "crops/chips.py": '''
"""Chips of faces."""

import functools
import json
from dataclasses import dataclass, field
from pathlib import Path

import faceset.crops.deep
from faceset.crops.tables import SHAPES
from faceset.errors import FacesetError, MissingError, NumberedError

LIMIT: int = 10
TABLE = json.loads((Path(__file__).parent / "numbers.json").read_text())


@dataclass
class Chip(object):
    """One chip."""

    width: int
    height: int = 3
    names: list[str] = field(default_factory=list)

    def area(self, margin: int = 1) -> int:
        """Pixels."""
        total: int = self.width * self.height
        return total + margin

    @property
    def label(self) -> str:
        return f"chip {self.width:>4} wide"


@functools.cache
def table(size: int) -> list[int]:
    """The table."""
    return [value + 1 for value in TABLE[1:size]]


@Chip
def strange(size: int) -> int:
    return size


async def wait(queue: list[int], *rest: int, flag: bool = True, **more: int) -> int:
    async with queue as item:
        await item
    return rest[0] if flag else more["x"]


def crop_faces(frames: list[int], suffix: str, chips: object = None, *, quality: int = 90) -> int:
    """Crop them.

    frames
        The frames.
    """
    global LIMIT
    count: int = 0
    seen: set[int]
    seen = set()
    self = Chip(1, height=2)
    self.width: int = 5
    if len(frames) < LIMIT and suffix:
        raise FacesetError(f"too few frames: {frames}", "twice")
    try:
        count += table(3)[0] - 1
    except KeyError as error:
        raise MissingError("no table") from error
    if count == 7:
        raise NumberedError(number=7)
    if count == 8:
        raise ValueError("eight")
    if count == 9:
        raise FacesetError(count := 3)
    assert count >= 0, "negative"
    LIMIT = 11

    def inner(value: int) -> int:
        nonlocal count
        count = value
        return -value

    match frames:
        case [first, *others] if (length := len(others)) > 2:
            return first + length
        case {"key": 1 | 2, **remaining}:
            return len(remaining)
    order = sorted(frames, key=lambda value, step=2: value * step)
    return faceset.crops.deep.depth(*order, **{"base": inner(3)}) if not seen else quality
''',
    "crops/deep.py": """
from faceset import words


def depth(*values, base):
    return sum(values, base) + len(words.SUFFIX)
""",
    "crops/alone.py": '"""Nobody imports this."""\n\nX = 1\n',
    "crops/numbers.json": "[1, 2, 3]",
    "crops/others.json": "[4]",
}


def write_library(root: Path) -> Path:
    """Write its files below `root`, and return that."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.lstrip("\n"), encoding="utf-8")
    return root


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that a file has once."""
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{text.count(old)} times in {path.name}: {old}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def code(root: Path) -> CodeDigests:
    """What the stage depends on, the files read afresh."""
    return Library(root).code_of("faceset.stages.crop", "compute")


def moved(before: CodeDigests, after: CodeDigests) -> set[str]:
    """The names of the modules' digests that are not what they were."""
    names = before.modules.keys() | after.modules.keys()
    return {name for name in names if before.modules.get(name) != after.modules.get(name)}
