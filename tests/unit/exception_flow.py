"""A check that what an error of ours says reaches a person, and nothing else: no result can hold its words.

The digests of code forgive the words of a `FacesetError` that is raised. That is right only while no code that a
result depends on puts the words, or anything else of an error that it catches, into what it makes.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from faceset.code.digests import Library
from faceset.code.form import Source
from faceset.code.reading import dotted_name

_OURS: Final = "faceset.errors.FacesetError"
_CATCH_ALL: Final = {"builtins.BaseException", "builtins.Exception"}
_TO_A_PERSON: Final = {"builtins.print", "traceback.print_exc", "traceback.print_exception"}
_STREAMS: Final = {"sys.stderr", "sys.stdout"}
_LEVELS: Final = {"critical", "debug", "error", "exception", "info", "log", "warning"}
# Other ways to an error than `except ... as error`.
_WAYS_AROUND: Final = {"__cause__", "__context__", "exc_info", "format_exc", "format_exception", "last_exc"}


class Flow(NamedTuple):
    """A place where something of an error of ours may go on: where, and the code."""

    module: str
    line: int
    code: str


def flows(library: Library, modules: Iterable[str]) -> list[Flow]:
    """The places in some modules of a library where something of an error that is caught may get into a result."""
    return [
        flow for module in modules for flow in sorted(set(_Module(library, module).flows()), key=lambda it: it.line)
    ]


class _Module:
    def __init__(self, library: Library, module: str) -> None:
        self.library = library
        self.name = module
        self.source = library.source(module)
        path = library.path(module)
        assert path is not None, f"no module {module}"
        self.tree = ast.parse(path.read_bytes())
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.loggers = {
            target.id
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
            if self.source.resolve(dotted_name(node.value.func)) == "logging.getLogger"
            for target in node.targets
            if isinstance(target, ast.Name)
        }

    def flows(self) -> Iterator[Flow]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ExceptHandler) and node.name and self.catches_ours(node.type):
                yield from self.uses(node.name, node.body)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in ("__exit__", "__aexit__"):
                for argument in [*node.args.posonlyargs, *node.args.args][2:3]:
                    yield from self.uses(argument.arg, node.body)
            elif isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                parent = self.parents[node]
                of_a_future = name == "exception" and isinstance(parent, ast.Call) and not parent.args
                if (name in _WAYS_AROUND or of_a_future) and not self.goes_to_a_person(node):
                    yield self.flow(node)

    def uses(self, name: str, body: list[ast.stmt]) -> Iterator[Flow]:
        for statement in body:
            for node in ast.walk(statement):
                is_use = isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
                if is_use and not self.goes_to_a_person(node):
                    yield self.flow(node)

    def flow(self, node: ast.AST) -> Flow:
        while not isinstance(node, ast.stmt):
            node = self.parents[node]
        return Flow(self.name, node.lineno, ast.unparse(node).splitlines()[0])

    def goes_to_a_person(self, node: ast.AST) -> bool:
        """Whether a use is within the words of another error of ours, or of a log, or just raises the error on."""
        child, parent = node, self.parents[node]
        if isinstance(parent, ast.Raise):
            return True
        while not isinstance(child, ast.stmt):
            if isinstance(child, ast.NamedExpr):
                return False
            if isinstance(child, ast.Call) and (self.tells_a_person(child) or self.is_raised_by_us(child)):
                return True
            child = self.parents[child]
        return False

    def is_raised_by_us(self, call: ast.Call) -> bool:
        parent = self.parents[call]
        target = self.source.resolve(dotted_name(call.func))
        return isinstance(parent, ast.Raise) and parent.exc is call and target is not None and self.is_ours(target)

    def tells_a_person(self, call: ast.Call) -> bool:
        dotted = dotted_name(call.func)
        if dotted is None:
            return False
        target = self.source.resolve(dotted)
        if target in _TO_A_PERSON:
            files = [keyword.value for keyword in call.keywords if keyword.arg in ("file", None)]
            return all(self.source.resolve(dotted_name(file)) in _STREAMS for file in files)
        root, _, level = dotted.rpartition(".")
        return level in _LEVELS and (root in self.loggers or self.source.resolve(root) == "logging")

    def catches_ours(self, kinds: ast.expr | None) -> bool:
        """Whether a handler may catch an error of ours; it may if it cannot be told."""
        for kind in kinds.elts if isinstance(kinds, ast.Tuple) else [kinds]:
            target = self.source.resolve(dotted_name(kind))
            if target is None or target in _CATCH_ALL or self.is_ours(target):
                return True
        return False

    def is_ours(self, target: str) -> bool:
        """Whether a class, by its full name, is `FacesetError` or derived from it."""
        module, _, name = target.rpartition(".")
        if target == _OURS:
            return True
        if not module.startswith("faceset"):
            return False
        source: Source = self.library.source(module)
        bases = [base for shape in source.classes.get(name, []) for base in shape.bases]
        further = bases or ([name] if name in source.bindings and source.resolve(name) != target else [])
        return any(found is not None and self.is_ours(found) for found in map(source.resolve, further))
