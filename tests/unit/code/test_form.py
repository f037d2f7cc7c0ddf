"""Promises of the canonical form of Python source."""

import ast
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import faceset
from faceset.code.digests import Library
from faceset.code.form import Kept
from faceset.code.reading import read_source
from faceset.digests import text_digest

ROOT = Path(faceset.__file__).parent
MODULES = {
    ".".join(["faceset", *path.relative_to(ROOT).with_suffix("").parts]): path
    for path in sorted(ROOT.rglob("*.py"))
    if path.name != "__init__.py"
}
LIBRARY = Library(ROOT)

# Every kind of syntax of the oldest Python that is supported, and what Pythons have read in different ways.
EVERYTHING = r'''
"""Docstring."""
from __future__ import annotations
import os.path, sys as system
from typing import TYPE_CHECKING
from faceset.errors import FacesetError as E
if TYPE_CHECKING:
    import nothing
else:
    import something
x: int = 1
(y): "str" = 2
z: float
a = b = c, *d = [1, 2.5, 1e999, 0x10, 1_000, 3j, -1, True, False, None, ..., "é\ud800\n'\"", b"\x00'", u"u"]
a += 1; a -= 1; a *= 1; a @= 1; a /= 1; a %= 1; a **= 1; a <<= 1; a >>= 1; a |= 1; a ^= 1; a &= 1; a //= 1
del a, b[0], c.d, d[1:2, ::3, ...], (x, [y])
strings = "a" 'b' f"{x}" "c" f'd{x!r:>{y}.{z}}' f"{x=}" f"{ x + 1 = !s:^10}" f"" f"{{}}" f"{x:}" f"{f'{y}'}" rf"\d{x}"
spec = f"{x:%Y-%m-%d}{x:{'>'}{10}}{x:a{y}b{z}c}", f"", f"{x}" f"{y}", f"a" "b", f"{x!a}" """
c""", f"{d['k']}", f"{(lambda q: q)(1)}", f"{x:{y!r}}", f"{x,}", f"{ {1: 2}[1] }"
compared = x < y <= z != a == b > c >= d is x is not y in z not in a
logic = not (x and y or z) if ~x else +y
numbers = x + y - z * a / b // c % d ** x @ y << z >> a | b ^ c & d
displays = {1: 2, **x}, {1, *y}, (), [], {}, (1,), [*z], {**{}}
generated = [i for i in x if i if not i], {i async for i in x}, {k: v for k, v in x}, (i for i in x for j in i)
called = f(1, *x, y=2, **z, k=lambda p, /, q=1, *r, s, t=2, **u: (p, q))
sliced = x[1], x[1:], x[:2], x[::3], x[1:2, *y], x[()], x[...]
walrus = (n := 10) + n
@property
@os.path.wrap(1)
class C(Base, *bases, metaclass=M, **k):
    """Doc."""
    field: int
    other: list[int] = []
    def method(self, x: int, /, y: "int" = 1, *args: int, k: str, o: str = "o", **kwargs: int) -> None: ...
    class Inner: pass
async def coroutine(x: int, *a: *Ts) -> int:
    """Doc."""
    async with x as y, z: await y
    async for i in x: yield i
    else: return
    return
def generator(a: int, b: int = 1, *, c: int, d: int = 2) -> None:
    global x
    def inner():
        nonlocal a
        a = yield from b
    local: int
    value: int = 3
    self.value: int = 4
    (odd): int
    for i, (j, k) in x:
        if i: break
        elif j: continue
        else: pass
    else: pass
    while x: x -= 1
    else: pass
    try: assert x, "words"
    except (KeyError, ValueError) as error: raise
    except Exception: raise E(f"words {x}", k=1) from error
    else: raise ValueError("words")
    finally: raise E
    try: pass
    except* OSError as group: raise E(y := 1)
    with (open(x) as f, open(y)): pass
    with open(x) as (f, g): pass
    match x, *y:
        case 1 | -1 | 1.5 | "s" | b"b" | None | True | 1+2j: pass
        case [a, *rest] | (a, *_): pass
        case {"k": v, 1: w, **others} if v: pass
        case C(1, k=2) as whole: pass
        case os.path.sep: pass
        case _: pass
    import inner_one as one, inner_two
    return a, *b
'''


def form(text: str, module: str = "faceset.made_up") -> str:
    """The form of a file, as it is if nobody reads docstrings or annotations."""
    source = read_source(text, module)
    return source.text(source.statements, source.cuts(Kept(), LIBRARY.has_plain_words))


def test_the_form_is_the_same_for_years_and_on_every_python() -> None:
    """The keys of everybody's results hold such digests: who changes the form recomputes every result."""
    source = read_source(EVERYTHING, "faceset.made_up")
    digests = [
        text_digest(source.text(source.statements, source.cuts(kept, LIBRARY.has_plain_words)))
        for kept in (Kept(), Kept(docstrings=True), Kept(annotations=True))
    ]
    assert digests == [
        "ca548e4d2d9701a2d725c2d1373c76b911ab84358d4a9048bdf8a51caf13ac23",
        "c140bb108d7c166da375d1e2aa2011a376e4a5ff0f465a2505a81b1e769768b8",
        "e66c4e98f7dd6494b3eb9fad722fd6e6da2f4204fa73e1cad373e0d88080be98",
    ]


def test_the_text_of_everything_holds_every_kind_of_syntax() -> None:
    """So that the test above stands for all."""
    used = {node.__class__ for node in ast.walk(ast.parse(EVERYTHING))}
    newer = {"TypeAlias", "TypeVar", "ParamSpec", "TypeVarTuple", "TemplateStr", "Interpolation"}
    kinds = {
        kind
        for base in (
            ast.stmt,
            ast.expr,
            ast.pattern,
            ast.operator,
            ast.cmpop,
            ast.unaryop,
            ast.boolop,
            ast.excepthandler,
        )
        for kind in base.__subclasses__()
        if kind.__name__ not in newer
    }
    assert kinds - used == set()


@pytest.mark.parametrize("module", MODULES)
def test_comments_and_formatting_of_the_real_library_do_not_count(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert form(ast.unparse(ast.parse(text)), module) == form(text, module)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('f"{x}" "a" "b"', 'f"{x}ab"'),
        ('"a" f"{x}" f"" "b"', 'f"a{x}b"'),
        ("""f'{x!r:>{y}}'""", '''f"{x!r:>{y}}"'''),
        ('f"{x:}"', 'f"{x}"'),
        ('f"{x=}"', 'f"x={x!r}"'),
        ("import b, a", "import a\nimport b"),
        ("from a import c, b", "from a import b\nfrom a import c"),
        ("def f():\n    import b, a", "def f():\n    import a, b"),
        ("def f():\n    x: int = 1", "def f():\n    x = 1"),
        ("def f(a: int, /, *b: str, c: int = 1, **d: str) -> None: pass", "def f(a, /, *b, c=1, **d): pass"),
        ("x = 1_000; y = 0xff; z = 1e3", "x = 1000; y = 255; z = 1000.0"),
        ("class C:\n    'Doc.'\n    x = 1", "class C:\n    x = 1"),
    ],
)
def test_these_are_the_same(one: str, other: str) -> None:
    assert form(one) == form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = True"),
        ("x = 1", "x = 1.0"),
        ("x = 1.0", "x = (1 + 0j)"),
        ("x = 'a'", "x = b'a'"),
        ("x = 'None'", "x = None"),
        ("x = None", "x = ..."),
        ("x = 'a', 'b'", "x = 'a' 'b'"),
        ('x = f"{a}{b}"', 'x = f"{a}" + f"{b}"'),
        ("x = f'{a}'", "x = '{a}'"),
        ("x = f'{a:b}'", "x = f'{a}b'"),
        ("x = {None: 1}", "x = {**1}"),
        ("x = a.b", "x = a['b']"),
        ("x = a[b].c", "x = a[b.c]"),
        ("x = a, b.c", "x = (a, b).c"),
        ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
        ("def f(a, /): pass", "def f(a): pass"),
        ("x: int = 1", "x = 1"),
        ("x: int", ""),
        ("(x): int = 1", "x: int = 1"),
        ("def f():\n    x: int", "def f():\n    pass"),
        ("def f():\n    x: (y := 1) = 1", "def f():\n    x: (y := 2) = 1"),
        ("import a", "import a as b"),
        ("import a.b", "from a import b"),
        ("from a import b", "from .a import b"),
        ("x = 1\n'text'", "x = 1"),
        ("def f():\n    from a import x as y, b as y", "def f():\n    from a import b as y, x as y"),
        ("try:\n    pass\nexcept a:\n    pass", "try:\n    pass\nexcept* a:\n    pass"),
    ],
)
def test_these_are_not_the_same(one: str, other: str) -> None:
    assert form(one) != form(other)


COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def places(node: ast.AST, in_function: bool = False) -> Iterator[ast.AST]:
    """The nodes in bodies of functions that a change must not be forgiven in."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_words = (
                isinstance(node, ast.Raise)
                and isinstance(child, ast.Call)
                and ast.unparse(child.func) in ("FacesetError", "MissingCutError")
            )
            if isinstance(child, ast.AST) and not is_words:
                if in_function and change(child, try_only=True):
                    yield child
                inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
                yield from places(child, inner)


def change(node: ast.AST, *, try_only: bool = False) -> bool:
    """Change what a node does, if it is of a kind to be changed."""
    match node:
        case ast.Compare():
            if not try_only:
                node.ops[0] = COMPARISONS[type(node.ops[0])]()
        case ast.BinOp():
            if not try_only:
                node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        case ast.BoolOp():
            if not try_only:
                node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
            if not try_only:
                node.value += 1
        case ast.arguments() if any(node.kw_defaults):
            if not try_only:
                node.kw_defaults = [value and ast.Constant("another") for value in node.kw_defaults]
        case ast.arguments() if node.defaults:
            if not try_only:
                node.defaults[-1] = ast.Constant("another")
        case _:
            return False
    return True


def test_a_change_anywhere_in_the_real_library_counts() -> None:
    sizes = {module: sum(1 for _ in places(ast.parse(path.read_bytes()))) for module, path in MODULES.items()}
    every = [(module, index) for module, size in sizes.items() for index in range(size)]
    assert len(every) > 2000
    missed = []
    forms = {module: form(path.read_text(encoding="utf-8"), module) for module, path in MODULES.items()}
    for module, index in random.Random(20).sample(every, 300):
        tree = ast.parse(MODULES[module].read_bytes())
        node = list(places(tree))[index]
        line = getattr(node, "lineno", 0)
        assert change(node)
        if form(ast.unparse(tree), module) == forms[module]:
            missed.append(f"{module}:{line}: {ast.unparse(node)}")
    assert missed == []
