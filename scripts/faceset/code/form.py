"""The canonical form of Python source: its syntax tree as a text, less what cannot change what the code does.

The form is our own, so that it is the same on every supported Python and can be stored for years: a node is its class
name and its fields in the order of their names, without positions, contexts and empty fields. Comments, formatting
and the spelling of constants never get into it. What may be forgiven beside is written too, and its place noted as a
`Cut`; whether a cut is made hangs on what names mean, which is known only once the whole file is read.
"""

import bisect
import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_TYPE_CHECKING: Final = {"typing.TYPE_CHECKING"}
# Decorators that do not look at the annotations of what they decorate, nor make it known to anybody.
_BLIND_DECORATORS: Final = {
    "builtins.classmethod",
    "builtins.property",
    "builtins.staticmethod",
    "contextlib.contextmanager",
    "functools.cache",
    "functools.cached_property",
    "functools.lru_cache",
    "functools.wraps",
}


class Kept(NamedTuple):
    """Which kinds of text count, although by themselves they change nothing: somebody reads them."""

    docstrings: bool = False
    annotations: bool = False


class CutKind(enum.Enum):
    """Why a piece of the form may be left out."""

    DOCSTRING = enum.auto()
    ANNOTATION = enum.auto()  # of a function: its `names` are the decorators
    LOCAL_ANNOTATION = enum.auto()  # of a local variable: never evaluated
    WORDS = enum.auto()  # the arguments of an error that is raised: its `names` are the error
    TYPE_CHECKING = enum.auto()  # its `names` are the condition


class Cut(NamedTuple):
    """Pieces `start` to `end` of a form, which may be left out, and the dotted names on which that hangs."""

    start: int
    end: int
    kind: CutKind
    names: tuple[str | None, ...] = ()


class Import(NamedTuple):
    """`import module` (without `name`) or `from module import name`, one name; `at` is its piece."""

    at: int
    line: int
    level: int
    module: str
    name: str | None


class ClassShape(NamedTuple):
    """A class at module level: its bases, and whether it is nothing but them and a docstring."""

    bases: tuple[str | None, ...]
    bare: bool


class StatementKind(enum.Enum):
    """What running a statement at module level does."""

    IMPORT = enum.auto()
    DEFINITION = enum.auto()  # binds names
    OTHER = enum.auto()  # may do anything


@dataclass
class Statement:
    """One statement at module level, an import with one name: its pieces, and the names of the module it binds."""

    start: int
    kind: StatementKind
    end: int = 0
    bound: set[str] = field(default_factory=set)
    target: str | None = None  # of an import: what the name it binds means
    decorators: list[tuple[str | None, set[str]]] = field(default_factory=list)  # what each is, the names it uses
    always: bool = False  # whether it counts whoever uses what it binds


@dataclass
class Source:
    """One file: the pieces of its form, and what they mean."""

    module: str
    pieces: list[str] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    possible_cuts: list[Cut] = field(default_factory=list)
    names: list[tuple[int, str]] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    effects: list[int] = field(default_factory=list)  # pieces that do more than give a value
    bindings: dict[str, set[str | None]] = field(default_factory=dict)
    classes: dict[str, list[ClassShape]] = field(default_factory=dict)
    has_star: bool = False

    def resolve(self, dotted: str | None) -> str | None:
        """The full name of what a dotted name means wherever it stands in this file; None if that is not plain."""
        if dotted is None or self.has_star:
            return None
        root, dot, rest = dotted.partition(".")
        targets = self.bindings.get(root, {f"builtins.{root}"})
        target = next(iter(targets)) if len(targets) == 1 else None
        return None if target is None else f"{target}{dot}{rest}"

    def cuts(self, kept: Kept, has_plain_words: Callable[[str], bool]) -> list[Cut]:
        """The cuts to make, outermost ones only, in their order.

        has_plain_words
            Whether the class of this full name is an error whose arguments are words for the user and no more.
        """
        cuts: list[Cut] = []
        for cut in sorted(self.possible_cuts, key=lambda cut: (cut.start, -cut.end)):
            if (not cuts or cut.start >= cuts[-1].end) and self._is_made(cut, kept, has_plain_words):
                cuts.append(cut)
        return cuts

    def _is_made(self, cut: Cut, kept: Kept, has_plain_words: Callable[[str], bool]) -> bool:
        if cut.kind is CutKind.DOCSTRING:
            return not kept.docstrings
        targets = [self.resolve(name) for name in cut.names]
        if cut.kind is CutKind.TYPE_CHECKING:
            return all(target in _TYPE_CHECKING for target in targets)
        if bisect.bisect_left(self.effects, cut.start) != bisect.bisect_left(self.effects, cut.end):
            return False
        if cut.kind is CutKind.ANNOTATION:
            return not kept.annotations and all(target in _BLIND_DECORATORS for target in targets)
        return cut.kind is CutKind.LOCAL_ANNOTATION or all(target and has_plain_words(target) for target in targets)

    def text(self, statements: Iterable[Statement], cuts: Sequence[Cut] = ()) -> str:
        """The form of some statements. Imports between two statements that may do anything have no order."""
        texts = [(statement, self._text(statement, cuts)) for statement in statements]
        texts = [(statement, text) for statement, text in texts if text]
        if self._imports_have_order([statement for statement, _ in texts], cuts):
            return "".join(text for _, text in texts)
        arranged: list[str] = []
        imports: list[str] = []
        rest: list[str] = []
        for statement, text in texts:
            if statement.kind is StatementKind.OTHER:
                arranged += [*sorted(imports), *rest, text]
                imports, rest = [], []
            else:
                (imports if statement.kind is StatementKind.IMPORT else rest).append(text)
        return "".join([*arranged, *sorted(imports), *rest])

    def _text(self, statement: Statement, cuts: Sequence[Cut]) -> str:
        parts: list[str] = []
        position = statement.start
        for index in range(bisect.bisect_left(cuts, (statement.start,)), len(cuts)):
            if cuts[index].start >= statement.end:
                break
            parts += self.pieces[position : cuts[index].start]
            position = cuts[index].end
        return "".join(parts + self.pieces[position : statement.end])

    def _imports_have_order(self, statements: Iterable[Statement], cuts: Sequence[Cut]) -> bool:
        """Whether a name that an import binds is bound to something else too, or used above the import."""
        imported: dict[str, str | None] = {}
        defined: set[str] = set()
        above: list[Statement] = []
        used: set[str] = set()
        for statement in statements:
            if statement.kind is not StatementKind.IMPORT:
                defined |= statement.bound
                above.append(statement)
                continue
            while above:
                used |= self.names_in(above.pop(), cuts)
            for name in statement.bound:
                if name in used or imported.setdefault(name, statement.target) != statement.target:
                    return True
        return not defined.isdisjoint(imported)

    def decorating(self, statement: Statement) -> set[str]:
        """The names with which decorators of a statement may make it known elsewhere, as `register` does."""
        used = (names for dotted, names in statement.decorators if self.resolve(dotted) not in _BLIND_DECORATORS)
        return set().union(*used)

    def names_in(self, statement: Statement, cuts: Sequence[Cut]) -> set[str]:
        """The names that the form of a statement holds, whatever they stand for there."""
        first, last = (bisect.bisect_left(self.names, (at,)) for at in (statement.start, statement.end))
        return {name for at, name in self.names[first:last] if not _is_cut(at, cuts)}

    def imports_in(self, statements: Iterable[Statement], cuts: Sequence[Cut]) -> list[Import]:
        """The imports in the form of some statements, at whatever depth."""
        ranges = [(statement.start, statement.end) for statement in statements]
        return [
            found
            for found in self.imports
            if any(start <= found.at < end for start, end in ranges) and not _is_cut(found.at, cuts)
        ]


def _is_cut(at: int, cuts: Sequence[Cut]) -> bool:
    index = bisect.bisect_left(cuts, (at + 1,)) - 1
    return index >= 0 and at < cuts[index].end
