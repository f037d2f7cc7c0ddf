"""What the walk of imports would not see is not written in this library."""

import ast
from pathlib import Path

import pytest

import faceset

LIBRARY = Path(faceset.__file__).parent
FILES = sorted(path.relative_to(LIBRARY).as_posix() for path in LIBRARY.rglob("*.py"))


@pytest.mark.parametrize("name", FILES)
def test_no_module_imports_by_a_relative_name(name: str) -> None:
    tree = ast.parse((LIBRARY / name).read_bytes())
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith("__init__.py")])
def test_a_package_holds_nothing_but_what_it_says_of_itself(name: str) -> None:
    (only,) = ast.parse((LIBRARY / name).read_bytes()).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)


@pytest.mark.parametrize("name", [name for name in FILES if name != "__main__.py"])
def test_importing_a_module_defines_its_own_names_and_does_nothing_else(name: str) -> None:
    """So what a stage's file imports and does not use, or a module of tables, cannot change what others compute."""
    tree = ast.parse((LIBRARY / name).read_bytes())
    own = {part.id for node in tree.body for part in ast.walk(node) if is_bound(part)}
    for node in tree.body:
        assert defines(node, own), f"{name}:{node.lineno}"


def is_bound(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def defines(node: ast.stmt, own: set[str]) -> bool:
    """Whether a statement of a module or class only imports, or gives values to names of its own."""
    match node:
        case ast.Import() | ast.ImportFrom() | ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Pass():
            return True
        case ast.Expr():
            return isinstance(node.value, ast.Constant)
        case ast.ClassDef():
            return all(defines(part, set()) for part in node.body)
        case ast.If() | ast.For():
            return all(defines(part, own) for part in [*node.body, *node.orelse])
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return all(is_own(target, own) for target in targets)
    return node.__class__.__name__ == "TypeAlias"


def is_own(target: ast.expr, own: set[str]) -> bool:
    if isinstance(target, ast.Tuple):
        return all(is_own(part, own) for part in target.elts)
    if isinstance(target, ast.Subscript):
        return isinstance(target.value, ast.Name) and target.value.id in own
    return isinstance(target, ast.Name)


@pytest.mark.parametrize(
    "text",
    [
        "import faceset.geometry.transforms as t\nt.PADDING_RATIO = 9",
        "from faceset.crops import chips\nclass _Unused:\n    chips.CHIP_PX = 3",
        "import cv2\ncv2.setNumThreads(1)",
        "from x import TABLE\nTABLE['a'] = 1",
        "if True:\n    print(1)",
        "assert False",
    ],
)
def test_that_rule_would_see_a_module_that_does_more(text: str) -> None:
    assert not all(defines(node, set()) for node in ast.parse(text).body)
