"""Which code a stage's result depends on: a module and every module of this library that it can reach by import."""

import ast
import functools
from pathlib import Path

from faceset.digests import file_digest

PACKAGE = Path(__file__).parent


@functools.cache
def _imports(module: str) -> frozenset[str]:
    tree = ast.parse(_path(module).read_bytes())
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(name for name in found if name.startswith("faceset.") and _path(name).exists())


def _path(module: str) -> Path:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def reachable_modules(module: str) -> list[str]:
    """`module` (as `faceset.people.tracks`) and all modules of the library that it imports, at any remove, sorted."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _imports(name)
    return sorted(seen)


@functools.cache
def code_digests(module: str) -> dict[str, str]:
    """SHA-256 of each module that `reachable_modules` finds, and of the data files beside them that they name.

    A data file counts for a module that has its name in a string.
    """
    digests = {}
    data_files = [path for path in sorted(PACKAGE.rglob("*.*")) if path.suffix not in (".py", ".pyc")]
    for name in reachable_modules(module):
        digests[name] = file_digest(_path(name))
        source = _path(name).read_text(encoding="utf-8")
        digests |= {path.name: file_digest(path) for path in data_files if path.name in source}
    return digests
