"""What the result of a stage owes to code: of this library, of other packages, and the schemas of tables."""

import functools
import importlib
import importlib.metadata
import sys
import zlib
from dataclasses import dataclass
from typing import Final

from faceset.code.digests import CodeError, code_of
from faceset.stages.stage import Stage
from faceset.tables.schema import Schema

DISTRIBUTIONS: Final = {
    "av": "av",
    "cv2": "opencv-python",
    "deflate": "deflate",
    "faiss": "faiss-cpu",
    "jinja2": "Jinja2",
    "markupsafe": "MarkupSafe",
    "msgpack": "msgpack",
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "rocrate": "rocrate",
    "scipy": "scipy",
}
"""Packages whose version may change a result's bytes: by the name that code imports, the one that pip knows."""

WITHOUT_EFFECT: Final = frozenset({"pydantic", "yaml"})
"""What only checks settings and the model catalogue; their values are part of keys themselves."""


@dataclass(frozen=True)
class CodeUsed:
    """Digests of code and of data files by name, of schemas by table, and versions of packages."""

    code: dict[str, str]
    schemas: dict[str, str]
    libraries: dict[str, str]


def code_of_stage(stage: Stage) -> CodeUsed:
    """What the result of a stage owes to code: what its `compute` reaches."""
    return code_of_function(stage.compute.__module__, stage.compute.__name__)


@functools.cache
def code_of_function(module: str, function: str) -> CodeUsed:
    """What the results of a function of this library owe to code.

    Raises CodeError for code of which no digest can tell what it does.
    """
    found = code_of(module, function)
    return CodeUsed(
        {**found.modules, **found.data},
        {name: _schema(tables, name).digest for tables, name in sorted(found.schemas)},
        _libraries(found.packages),
    )


def _schema(module: str, name: str) -> Schema:
    value = getattr(importlib.import_module(module), name)
    if not isinstance(value, Schema):
        raise CodeError(f"{module}.{name} is no schema: a module of tables is not digested as code")
    return value


def _libraries(packages: frozenset[str]) -> dict[str, str]:
    versions = {}
    for package in sorted(packages - WITHOUT_EFFECT):
        if package == "zlib":  # comes with Python, in the version of the system
            versions[package] = zlib.ZLIB_RUNTIME_VERSION
        elif package not in sys.stdlib_module_names:
            if package not in DISTRIBUTIONS:
                raise CodeError(f"{package}: imported, and nothing says whether its version matters")
            versions[DISTRIBUTIONS[package]] = library_version(DISTRIBUTIONS[package])
    return versions


@functools.cache
def library_version(distribution: str) -> str:
    """The version of an installed package; of onnxruntime, whichever of its two builds it is."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return importlib.metadata.version(f"{distribution}-gpu")  # the same module under another package name
