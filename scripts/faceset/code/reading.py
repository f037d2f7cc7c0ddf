"""Reading a Python file into its canonical form."""

import ast
from collections.abc import Callable
from typing import Any, Final

from faceset.code.form import ClassShape, Cut, CutKind, Import, Source, Statement, StatementKind

_IGNORED: Final = {"ctx", "kind", "type_comment", "type_ignores"}
_EFFECTIVE: Final = {"delattr", "input", "open", "print", "setattr"}
# Methods, and functions of modules, that only give a value.
_WITHOUT_EFFECT: Final = {
    *("as_posix", "capitalize", "casefold", "count", "cwd", "decode", "difference", "encode", "endswith", "exists"),
    *("format", "fsdecode", "fsencode", "get", "group", "hex", "intersection", "is_dir", "is_file", "items", "join"),
    *("keys", "lower", "lstrip", "most_common", "partition", "path", "relative_to", "removeprefix", "removesuffix"),
    *("replace", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip", "title", "tolist"),
    *("union", "upper", "values", "with_name", "with_suffix"),
}
_FIELDS: dict[type[ast.AST], tuple[str, ...]] = {}


def dotted_name(node: ast.AST | None) -> str | None:
    """`a.b.c` of an expression that is just that, else None."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def read_source(text: str | bytes, module: str) -> Source:
    """Parse one file of the library."""
    writer = _Writer(module)
    writer.write_module(ast.parse(text))
    return writer.source


class _Writer:
    """Writes the form of one file, and notes what it comes across."""

    def __init__(self, module: str) -> None:
        self.source = Source(module)
        self.pieces = self.source.pieces
        self.statement = Statement(0, StatementKind.OTHER)
        self.depth = 0  # of functions and classes
        self.in_class = False  # at whatever remove
        self.in_function = False  # and not in a class within it
        self.decorators: tuple[str | None, ...] | None = None  # of the function whose head this is; None: all counts

    def write_module(self, tree: ast.Module) -> None:
        for index, node in enumerate(tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    self._begin(StatementKind.IMPORT)
                    self._import_name(node, alias)
                    is_always = isinstance(node, ast.ImportFrom) and (node.module == "__future__" or alias.name == "*")
                    self.statement.always = is_always
                    self.statement.end = len(self.pieces)
                continue
            self._begin(_statement_kind(node))
            if index == 0 and _is_docstring(node):
                self.statement.bound.add("__doc__")
                self._docstring(node)
            else:
                for decorator in getattr(node, "decorator_list", ()):
                    names = {part.id for part in ast.walk(decorator) if isinstance(part, ast.Name)}
                    self.statement.decorators.append((_callee(decorator), names))
                self.write(node)
            self.statement.end = len(self.pieces)

    def _begin(self, kind: StatementKind) -> None:
        self.statement = Statement(len(self.pieces), kind, always=kind is StatementKind.OTHER)
        self.source.statements.append(self.statement)

    def _docstring(self, node: ast.stmt) -> None:
        self._cut(CutKind.DOCSTRING, lambda: self.write(node))

    def write(self, node: ast.AST) -> None:
        handler = _HANDLERS.get(node.__class__)
        if handler is None:
            self._plain(node)
        else:
            handler(self, node)

    def _plain(self, node: ast.AST) -> None:
        kind = node.__class__
        fields = _FIELDS.get(kind)
        if fields is None:
            fields = _FIELDS[kind] = tuple(sorted(set(kind._fields) - _IGNORED))
        self.pieces.append(kind.__name__ + "(")
        for name in fields:
            self._field(name, getattr(node, name, None))
        self.pieces.append(")")

    def _field(self, name: str, value: Any) -> None:
        if value is None or value == []:
            return
        if isinstance(value, ast.AST):
            self.pieces.append(name + "=")
            self.write(value)
        elif isinstance(value, list):
            self.pieces.append(name + "=[")
            for item in value:
                if isinstance(item, ast.AST):
                    self.write(item)
                else:  # None, where a place has no value, or a name
                    self.pieces.append(f"{_spelling(item)};")
            self.pieces.append("]")
        else:
            self.pieces.append(f"{name}={_spelling(value)};")

    def _cut(self, kind: CutKind, write: Callable[[], None], names: tuple[str | None, ...] = ()) -> None:
        start = len(self.pieces)
        write()
        if len(self.pieces) > start:
            self.source.possible_cuts.append(Cut(start, len(self.pieces), kind, names))

    def _bind(self, name: str | None, target: str | None = None) -> None:
        if name is not None:
            self.source.bindings.setdefault(name, set()).add(target)
            if self.depth == 0:
                self.statement.bound.add(name)

    def _name(self, node: ast.Name) -> None:
        self.source.names.append((len(self.pieces), node.id))
        self.pieces.append(f"Name('{node.id}')")
        if node.ctx.__class__ is not ast.Load:
            self._bind(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        self.pieces.append("Attribute(")
        self.write(node.value)
        self.pieces.append(f".'{node.attr}')")

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and node.value.isidentifier():  # may be an annotation, or a name looked up
            self.source.names.append((len(self.pieces), node.value))
        self.pieces.append(f"Constant({_spelling(node.value)})")

    def _binder(self, node: Any) -> None:
        self._bind(node.rest if isinstance(node, ast.MatchMapping) else node.name)
        self._plain(node)

    def _effect(self, node: ast.AST) -> None:
        self.source.effects.append(len(self.pieces))
        self._plain(node)

    def _call(self, node: ast.Call) -> None:
        if _may_have_effect(node):
            self.source.effects.append(len(self.pieces))
        self._plain(node)

    def _global(self, node: ast.Global) -> None:
        self.statement.bound.update(node.names)
        self._plain(node)

    def _joined(self, node: Any) -> None:
        """An f-string: Pythons differ in how they part the constant text in it."""
        values: list[ast.expr] = []
        waiting: list[ast.expr] = list(reversed(node.values))
        while waiting:
            value = waiting.pop()
            if isinstance(value, ast.JoinedStr):
                waiting += reversed(value.values)
            elif isinstance(value, ast.Constant) and values and isinstance(values[-1], ast.Constant):
                values[-1] = ast.Constant(f"{values[-1].value!s}{value.value!s}")
            elif not isinstance(value, ast.Constant) or value.value:
                values.append(value)
        self.pieces.append(node.__class__.__name__ + "(")
        self._field("values", values)
        self.pieces.append(")")

    def _formatted(self, node: Any) -> None:
        """A value in an f-string: a format without anything in it is none."""
        if isinstance(node.format_spec, ast.JoinedStr) and not node.format_spec.values:
            node.format_spec = None
        self._plain(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import within something else, as if every name had a statement of its own."""
        names = {alias.asname or alias.name for alias in node.names}
        in_order = sorted(node.names, key=lambda alias: (alias.name, alias.asname or ""))
        for alias in in_order if len(names) == len(node.names) else node.names:
            self._import_name(node, alias)

    def _import_name(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> None:
        name = alias.asname if alias.asname != alias.name else None
        target: str | None
        if isinstance(node, ast.Import):
            found = Import(len(self.pieces), node.lineno, 0, alias.name, None)
            root = alias.name.partition(".")[0]
            bound, target = (alias.asname, alias.name) if alias.asname else (root, root)
        else:
            found = Import(len(self.pieces), node.lineno, node.level, node.module or "", alias.name)
            bound, target = alias.asname or alias.name, None if node.level else f"{node.module}.{alias.name}"
            self.source.has_star |= alias.name == "*"
        self._bind(bound, target)
        if self.depth == 0:
            self.statement.target = target
        if target == "typing.TYPE_CHECKING" and name is None:
            return  # only a name for what is left out
        self.source.imports.append(found)
        self.pieces.append(f"Import({found.level},'{found.module}',{_spelling(found.name)},{_spelling(name)})")

    def _class(self, node: ast.ClassDef) -> None:
        self._bind(node.name, f"{self.source.module}.{node.name}" if self.depth == 0 else None)
        if self.depth == 0:
            bare = all(_is_docstring(part) or isinstance(part, ast.Pass) for part in node.body)
            shape = ClassShape(
                tuple(map(dotted_name, node.bases)), bare and not node.keywords and not node.decorator_list
            )
            self.source.classes.setdefault(node.name, []).append(shape)
        self.pieces.append(f"ClassDef('{node.name}'")
        for name in ("bases", "decorator_list", "keywords", "type_params"):
            self._field(name, getattr(node, name, None))
        self._scope(node, in_class=True, in_function=False)
        self.pieces.append(")")

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        self.pieces.append(f"{node.__class__.__name__}('{node.name}'")
        self._field("decorator_list", node.decorator_list)
        self.decorators = None if self.in_class else tuple(map(_callee, node.decorator_list))
        self._field("args", node.args)
        self._annotation("returns", node.returns)
        self._field("type_params", getattr(node, "type_params", None))
        self._scope(node, in_class=self.in_class, in_function=True)
        self.pieces.append(")")

    def _scope(self, node: Any, *, in_class: bool, in_function: bool) -> None:
        outer = (self.in_class, self.in_function)
        self.in_class, self.in_function = in_class, in_function
        self.depth += 1
        self.pieces.append("body=[")
        if _is_docstring(node.body[0]):
            self._docstring(node.body[0])
        else:
            self.write(node.body[0])
        for part in node.body[1:]:
            self.write(part)
        self.pieces.append("]")
        self.depth -= 1
        self.in_class, self.in_function = outer

    def _argument(self, node: ast.arg) -> None:
        self.source.bindings.setdefault(node.arg, set()).add(None)
        self.pieces.append(f"arg('{node.arg}'")
        self._annotation("annotation", node.annotation)
        self.pieces.append(")")

    def _annotation(self, name: str, node: ast.expr | None) -> None:
        if self.decorators is None:
            self._field(name, node)
        else:
            self._cut(CutKind.ANNOTATION, lambda: self._field(name, node), self.decorators)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if not self.in_function:
            self._plain(node)
            return
        if node.value is None:  # makes the name a local one
            self.pieces.append("AnnAssign(")
            self._field("simple", node.simple)
            self._field("target", node.target)
        else:
            self.pieces.append("Assign(")
            self._field("targets", [node.target])
            self._field("value", node.value)
        self._cut(CutKind.LOCAL_ANNOTATION, lambda: self._field("annotation", node.annotation))
        self.pieces.append(")")

    def _raise(self, node: ast.Raise) -> None:
        if not isinstance(node.exc, ast.Call):
            self._plain(node)
            return
        call = node.exc
        self.pieces.append("Raise(")
        self._field("cause", node.cause)
        self.pieces.append("exc=Call(func=")
        self.write(call.func)

        def write_words() -> None:
            self._field("args", call.args)
            self._field("keywords", call.keywords)

        self._cut(CutKind.WORDS, write_words, (dotted_name(call.func),))
        self.pieces.append("))")

    def _if(self, node: ast.If) -> None:
        condition = dotted_name(node.test)
        if condition is None or not condition.endswith("TYPE_CHECKING"):
            self._plain(node)
            return

        def write_head() -> None:
            self.pieces.append("If(")
            self._field("body", node.body)
            self._field("test", node.test)
            self.pieces.append("orelse=[")

        self._cut(CutKind.TYPE_CHECKING, write_head, (condition,))
        for part in node.orelse:
            self.write(part)
        self._cut(CutKind.TYPE_CHECKING, lambda: self.pieces.append("])"), (condition,))


def _callee(decorator: ast.expr) -> str | None:
    return dotted_name(decorator.func if isinstance(decorator, ast.Call) else decorator)


def _may_have_effect(call: ast.Call) -> bool:
    """Whether a call may do more than give a value. Functions called by their bare name do not, but for a few."""
    if isinstance(call.func, ast.Name):
        takes_from_elsewhere = call.func.id == "next" and not (call.args and isinstance(call.args[0], ast.Call))
        return call.func.id in _EFFECTIVE or takes_from_elsewhere
    return not (isinstance(call.func, ast.Attribute) and call.func.attr in _WITHOUT_EFFECT)


def _statement_kind(node: ast.stmt) -> StatementKind:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return StatementKind.DEFINITION
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    names = [part for target in targets for part in (target.elts if isinstance(target, ast.Tuple) else [target])]
    is_definition = isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and all(
        isinstance(name, ast.Name) for name in names
    )
    is_definition |= node.__class__.__name__ == "TypeAlias" or _is_docstring(node)
    return StatementKind.DEFINITION if is_definition else StatementKind.OTHER


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _spelling(value: Any) -> str:
    """A constant, with its type: numbers exactly, text in ASCII."""
    if isinstance(value, str):
        return ascii(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    if isinstance(value, float):
        return f"float {value.hex()}"
    if isinstance(value, complex):
        return f"complex {value.real.hex()} {value.imag.hex()}"
    return repr(value)  # bytes, bool, None, Ellipsis


_HANDLERS: Final[dict[type[ast.AST], Callable[[_Writer, Any], None]]] = {
    ast.AnnAssign: _Writer._annotated,
    ast.AsyncFunctionDef: _Writer._function,
    ast.Attribute: _Writer._attribute,
    ast.Await: _Writer._effect,
    ast.Call: _Writer._call,
    ast.ClassDef: _Writer._class,
    ast.Constant: _Writer._constant,
    ast.ExceptHandler: _Writer._binder,
    ast.FormattedValue: _Writer._formatted,
    ast.FunctionDef: _Writer._function,
    ast.Global: _Writer._global,
    ast.If: _Writer._if,
    ast.Import: _Writer._import,
    ast.ImportFrom: _Writer._import,
    ast.JoinedStr: _Writer._joined,
    ast.MatchAs: _Writer._binder,
    ast.MatchMapping: _Writer._binder,
    ast.MatchStar: _Writer._binder,
    ast.Name: _Writer._name,
    ast.NamedExpr: _Writer._effect,
    ast.Raise: _Writer._raise,
    ast.Yield: _Writer._effect,
    ast.YieldFrom: _Writer._effect,
    ast.arg: _Writer._argument,
}
for _name, _handler in (  # of newer Pythons
    ("Interpolation", _Writer._formatted),
    ("ParamSpec", _Writer._binder),
    ("TemplateStr", _Writer._joined),
    ("TypeVar", _Writer._binder),
    ("TypeVarTuple", _Writer._binder),
):
    if hasattr(ast, _name):
        _HANDLERS[getattr(ast, _name)] = _handler
