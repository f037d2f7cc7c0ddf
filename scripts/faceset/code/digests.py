"""Which code a stage's result depends on, as digests that forgive what cannot change bytes, and nothing else.

What is forgiven: comments, formatting, docstrings (unless somebody reads them), annotations of functions and of
their variables (unless somebody reads them), the words of a `FacesetError` that is raised, imports for type checkers
alone, and the order of imports. Schemas of tables are not code: they are named, for whoever digests them.
"""

import ast
import functools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from faceset.code.form import Cut, Import, Kept, Source, Statement
from faceset.code.reading import read_source
from faceset.digests import file_digest, text_digest

_PACKAGE: Final = "faceset"
_USERS_ERROR: Final = "faceset.errors.FacesetError"
# Names with which code reads docstrings, or annotations; they count as names, attributes and strings.
_READERS_OF_DOCSTRINGS: Final = ("__doc__", "cleandoc", "getdoc", "getmembers", "json_schema", "model_json_schema")
_READERS_OF_ANNOTATIONS: Final = (
    "PlainSerializer",
    "TypeAdapter",
    "WrapSerializer",
    "__annotate__",
    "__annotations__",
    "create_model",
    "from_callable",
    "get_annotations",
    "get_type_hints",
    "getfullargspec",
    "getmembers",
    "signature",
    "singledispatch",
    "singledispatchmethod",
    "validate_call",
)
# Names with which code runs other code that no import statement shows, or looks at its own text.
_REFUSED: Final = {
    **dict.fromkeys(("__import__", "import_module", "run_module", "run_path"), "imports by a name in a value"),
    **dict.fromkeys(("co_firstlineno", "f_lineno", "tb_lineno"), "reads where its own lines are"),
    **dict.fromkeys(("findsource", "getcomments", "getsource", "getsourcelines"), "reads its own text"),
    **dict.fromkeys(("__code__", "CodeType", "FunctionType"), "looks at code as data"),
    **dict.fromkeys(("__builtins__", "dictConfig"), "finds code by a name in a value"),
}
_REFUSED_BUILTINS: Final = ("compile", "eval", "exec")
# Packages whose use is all of this kind.
_REFUSED_PACKAGES: Final = {
    *("builtins", "code", "codeop", "importlib", "marshal", "pkgutil", "pydoc", "runpy", "subprocess", "traceback"),
    "zipimport",
}
_MODULES_BY_NAME: Final = "Attribute(Name('sys').'modules')"
_FROM_THE_PACKAGE: Final = re.compile(rf"Name\('{_PACKAGE}'\)((?:\.'\w+'\))*)")


class CodeError(Exception):
    """Code of the library whose digest would miss something: which file and line, and what to write instead."""


@dataclass(frozen=True)
class CodeDigests:
    """What the result of a function depends on.

    modules
        SHA-256 of the canonical form of each module of the library that the function reaches by import, by the
        module's name; and of the function with what it uses of its own file, by `module:function`.
    schemas
        Module and name of each table's schema that they import.
    data
        SHA-256 of each data file of the library that they name in a string, by its path below the library.
    packages
        The packages that they import, but for the library itself: Python's own and others.
    """

    modules: dict[str, str]
    schemas: frozenset[tuple[str, str]]
    data: dict[str, str]
    packages: frozenset[str]


@dataclass(frozen=True, eq=False)
class _Part:
    """A module, or what a function uses of one."""

    name: str
    source: Source
    statements: tuple[Statement, ...]
    text: str
    kept: Kept
    modules: frozenset[str]
    schemas: frozenset[tuple[str, str]]
    data: frozenset[str]
    packages: frozenset[str]
    digests: dict[Kept, str] = field(default_factory=dict)


class Library:
    """The library in one folder, each file read once: what changes there later goes unseen."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._sources: dict[str, Source] = {}
        self._cuts: dict[tuple[str, Kept], list[Cut]] = {}
        self._has_plain_words: dict[str, bool] = {}
        self._parts: dict[str, _Part] = {}
        self._checked_packages: set[str] = set()
        self._data_digests: dict[str, str] = {}

    @functools.cached_property
    def _data_files(self) -> dict[str, Path]:
        return {
            path.relative_to(self._root).as_posix(): path
            for path in sorted(self._root.rglob("*"))
            if path.is_file() and path.suffix not in (".py", ".pyc")
        }

    def code_of(self, module: str, function: str) -> CodeDigests:
        """The digests of everything that the result of a module's function depends on. Raises `CodeError`."""
        parts = self._parts_reached(module, function)
        kept = Kept(any(part.kept.docstrings for part in parts), any(part.kept.annotations for part in parts))
        return CodeDigests(
            {part.name: self._digest(part, kept) for part in parts},
            frozenset().union(*(part.schemas for part in parts)),
            self._digests_of_data(frozenset().union(*(part.data for part in parts))),
            frozenset().union(*(part.packages for part in parts)),
        )

    def modules_reached(self, module: str, function: str) -> list[str]:
        """The modules of the library that a function reaches by import, at any remove, sorted. Raises `CodeError`."""
        return [part.name for part in self._parts_reached(module, function)[1:]]

    def _parts_reached(self, module: str, function: str) -> list[_Part]:
        """The function's own part, then the modules in order of their names."""
        own = self._part_of(module, function)
        reached: set[str] = set()
        waiting = set(own.modules)
        while waiting:
            reached |= waiting
            waiting = {name for found in waiting for name in self._whole(found).modules} - reached
        return [own, *(self._whole(name) for name in sorted(reached))]

    def source(self, module: str) -> Source:
        """The file of a module, read. Raises `CodeError` if the library has no such module."""
        if module not in self._sources:
            path = self.path(module)
            if path is None:
                raise CodeError(f"{self._root} has no module {module}")
            self._sources[module] = read_source(path.read_bytes(), module)
        return self._sources[module]

    def path(self, module: str) -> Path | None:
        """The file of a module; None if the library has no such module."""
        path = self._folder(module).with_suffix(".py")
        return path if module != _PACKAGE and path.is_file() else None

    def has_plain_words(self, target: str) -> bool:
        """Whether a class, by its full name, is `FacesetError` or derived from it, with nothing added to it."""
        if target not in self._has_plain_words:
            self._has_plain_words[target] = False  # what is derived from itself is not
            module, _, name = target.rpartition(".")
            if self._is_ours(module) and self.path(module):
                source = self.source(module)
                shapes = source.classes.get(name, [])
                if not shapes and len(source.bindings.get(name, ())) == 1:
                    self._has_plain_words[target] = self.has_plain_words(source.resolve(name) or "")
                elif len(shapes) == 1 and shapes[0].bare and source.resolve(name) == target:
                    bases = [source.resolve(base) or "" for base in shapes[0].bases]
                    self._has_plain_words[target] = (
                        bases == ["builtins.Exception"]
                        if target == _USERS_ERROR
                        else bool(bases) and all(map(self.has_plain_words, bases))
                    )
        return self._has_plain_words[target]

    def _whole(self, module: str) -> _Part:
        if module not in self._parts:
            self._check_packages(module)
            self._parts[module] = self._part(module, module, tuple(self.source(module).statements))
        return self._parts[module]

    def _part_of(self, module: str, function: str) -> _Part:
        """A function, and the definitions at module level that it uses by name, at any remove."""
        name = f"{module}:{function}"
        if name not in self._parts:
            self._check_packages(module)
            source, cuts = self.source(module), self._cuts_of(module)
            defined = {bound for part in source.statements if not part.target for bound in part.bound}
            if function not in defined:
                raise CodeError(f"{self.path(module)} has no function {function}")
            used = {function}
            chosen: list[Statement] = []
            waiting = source.statements
            found = waiting
            while found:
                found = [
                    part
                    for part in waiting
                    if part.always or not used.isdisjoint(part.bound) or not used.isdisjoint(source.decorating(part))
                ]
                waiting = [part for part in waiting if part not in found]
                chosen += found
                used = used.union(*(source.names_in(part, cuts) for part in found))
            if "globals" in used:  # may use anything by any name
                chosen = source.statements
            self._parts[name] = self._part(name, module, tuple(sorted(chosen, key=lambda part: part.start)))
        return self._parts[name]

    def _part(self, name: str, module: str, statements: tuple[Statement, ...]) -> _Part:
        source, cuts = self.source(module), self._cuts_of(module)
        text = source.text(statements, cuts)
        for word, reason in _REFUSED.items():
            if f"'{word}'" in text:
                self._refuse(module, self._line_of(module, word), f"{word} {reason}, which no digest of code can see")
        for word in _REFUSED_BUILTINS:
            if f"Name('{word}')" in text:
                self._refuse(module, self._line_of(module, word), f"{word} runs a text, of which no digest can tell")
        if _MODULES_BY_NAME in text:
            self._refuse(module, self._line_of(module, "modules"), "sys.modules finds modules by a name in a value")
        imports = source.imports_in(statements, cuts)
        for one in imports:
            if one.module.partition(".")[0] in _REFUSED_PACKAGES:
                self._refuse(module, one.line, f"{one.module} finds, runs or reads code that no digest can see")
        modules, schemas = self._targets(module, text, imports)
        whole_text = source.text(statements)
        return _Part(
            name,
            source,
            statements,
            text,
            Kept(
                docstrings=any(f"'{word}'" in text for word in _READERS_OF_DOCSTRINGS),
                annotations=any(f"'{word}'" in text for word in _READERS_OF_ANNOTATIONS),
            ),
            modules,
            schemas,
            self._data_meant(module, whole_text),
            frozenset(top for one in imports if (top := one.module.partition(".")[0]) != _PACKAGE),
        )

    def _data_meant(self, module: str, text: str) -> frozenset[str]:
        """The data files that a module names; where it names none but its own place, all that lie beside it."""
        named = frozenset(key for key, path in self._data_files.items() if ascii(path.name)[1:-1] in text)
        if named or "Name('__file__')" not in text:
            return named
        beside = self._folder(module).parent
        return frozenset(key for key, path in self._data_files.items() if path.parent == beside)

    def _cuts_of(self, module: str, kept: Kept = Kept()) -> list[Cut]:  # noqa: B008 (cannot be changed)
        if (module, kept) not in self._cuts:
            self._cuts[module, kept] = self.source(module).cuts(kept, self.has_plain_words)
        return self._cuts[module, kept]

    def _digest(self, part: _Part, kept: Kept) -> str:
        if kept not in part.digests:
            text = part.source.text(part.statements, self._cuts_of(part.source.module, kept))
            part.digests[kept] = text_digest(text)
        return part.digests[kept]

    def _digests_of_data(self, names: Iterable[str]) -> dict[str, str]:
        """The digests of data files, and of those which the files name in turn (a template another)."""
        found: set[str] = set()
        waiting = set(names)
        while waiting:
            found |= waiting
            contents = [self._data_files[name].read_bytes() for name in sorted(waiting)]
            waiting = {
                name
                for name, path in self._data_files.items()
                if any(path.name.encode() in content for content in contents)
            } - found
        for name in found - self._data_digests.keys():
            self._data_digests[name] = file_digest(self._data_files[name])
        return {name: self._data_digests[name] for name in sorted(found)}

    def _targets(
        self, module: str, text: str, imports: Iterable[Import]
    ) -> tuple[frozenset[str], frozenset[tuple[str, str]]]:
        """The modules of the library, and the schemas, that some imports and `faceset.a.b` in the text mean."""
        modules: set[str] = set()
        schemas: set[tuple[str, str]] = set()
        for found in imports:
            if found.level:
                self._refuse(module, found.line, "imports by a relative name: write the full one")
            if not self._is_ours(found.module):
                continue
            target = found.module
            if found.name and self._is_package(target):
                target = f"{target}.{found.name}"
            elif found.name and _holds_schemas(target) and found.name != "*":
                schemas.add((target, found.name))
                continue
            if self._is_package(target):
                self._refuse(module, found.line, f"imports the package {target}: import the modules in it")
            if self.path(target) is None:
                self._refuse(module, found.line, f"imports {target}, which the library does not have")
            if _holds_schemas(target):
                self._refuse(module, found.line, f"imports all of {target}: import its tables one by one, by name")
            modules.add(target)
        if f"'{_PACKAGE}')" in text:
            modules |= self._named_in_full(module, text)
        return frozenset(modules), frozenset(schemas)

    def _named_in_full(self, module: str, text: str) -> set[str]:
        """The modules of which a text says `faceset.a.b`: they may be imported elsewhere."""
        modules = set()
        if _PACKAGE in self.source(module).bindings.get(_PACKAGE, ()):
            for chain in _FROM_THE_PACKAGE.findall(text):
                target = _PACKAGE
                for name in re.findall(r"\w+", chain):
                    if self._is_package(target):
                        target = f"{target}.{name}"
                if self._is_package(target) or self.path(target) is None or _holds_schemas(target):
                    line = self._line_of(module, _PACKAGE)
                    self._refuse(module, line, f"means something of {target} that cannot be told: import it by name")
                modules.add(target)
        return modules

    def _check_packages(self, module: str) -> None:
        """Refuse code in the packages that hold a module: it would run unseen."""
        package = module.rpartition(".")[0]
        while package and package not in self._checked_packages:
            path = self._folder(package) / "__init__.py"
            body = ast.parse(path.read_bytes()).body if path.exists() else []
            for node in body:
                if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                    raise CodeError(f"{path}:{node.lineno}: a package holds no code: move it to a module")
            self._checked_packages.add(package)
            package = package.rpartition(".")[0]

    def _folder(self, name: str) -> Path:
        return self._root.joinpath(*name.split(".")[1:])

    def _is_package(self, name: str) -> bool:
        return self._folder(name).is_dir()

    @staticmethod
    def _is_ours(module: str) -> bool:
        return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")

    def _line_of(self, module: str, word: str) -> int:
        """Where a name, an attribute or a string is that the form of a module has."""
        path = self.path(module)
        for node in ast.walk(ast.parse(path.read_bytes() if path else b"")):
            if word in (getattr(node, name, None) for name in ("id", "attr", "name", "value")):
                return int(getattr(node, "lineno", 0))
        return 0

    def _refuse(self, module: str, line: int, reason: str) -> NoReturn:
        raise CodeError(f"{self.path(module)}:{line}: {reason}")


def _holds_schemas(module: str) -> bool:
    """Whether a module is the `tables` of a subject; `faceset.tables` itself is code."""
    return module.count(".") > 1 and module.endswith(".tables")


_LIBRARY: Final = Library(Path(__file__).parents[1])
code_of = _LIBRARY.code_of
modules_reached = _LIBRARY.modules_reached
