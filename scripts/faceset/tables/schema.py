"""What a table is: its columns, their types, and what they mean.

Declared without Arrow, which takes long to import and which planning does not need; `parquet` makes Arrow's of it.
"""

from dataclasses import dataclass, replace
from typing import Final

from faceset.digests import canonical_json, text_digest

OPEN: Final = "[dimensions]"
"""In a column's type: how many numbers a vector has, which `Schema.of` settles."""


@dataclass(frozen=True)
class Column:
    """One column: its type, what it means, its unit, and whether a value may be missing.

    The type is an Arrow type by name: `string`, `bool`, `binary`, `binary[32]`, `int16` to `int64`, `float32`,
    `list<int32>`, `list<float32>`, `list<string>`, `float32[128]` for a vector of so many numbers.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    nullable: bool = False


@dataclass(frozen=True)
class Schema:
    """One table: what a row is, and its columns in order."""

    name: str
    row: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def digest(self) -> str:
        """SHA-256 of what the bytes of a table depend on: not of what is said of the columns."""
        columns = [[column.name, column.type, column.nullable] for column in self.columns]
        return text_digest(canonical_json({"kind": "schema", "columns": columns}))

    def of(self, dimensions: int) -> "Schema":
        """The same table with vectors of so many numbers."""
        size = f"[{dimensions}]"
        return replace(self, columns=tuple(replace(one, type=one.type.replace(OPEN, size)) for one in self.columns))
