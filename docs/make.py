"""The manuals that are made from the code: of the config, with its JSON schema, of tables and of stages."""

import importlib
import json
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from faceset.atomic import write_atomically
from faceset.decisions.keep_list import REACH_TOLERANCE
from faceset.project.config import Config, Faceset
from faceset.project.project import REPOSITORY
from faceset.project.sources import COLUMNS
from faceset.project.validation import model_of
from faceset.tables.schema import Schema
from stages_manual import stages_page, stages_picture

ROOMS_WITH_TABLES = ("footage", "alignments", "crops", "models", "people", "decisions", "training")

CONFIG_INTRODUCTION = """\
# Configuring a project

A project is a working directory with a `config/` folder of its own. Paths start at the working directory.

| file | what it is |
|---|---|
| `config/config.yaml` | settings; every key is optional |
| `config/sources.tsv` | your footage, a line a video or folder of frames |
| `config/keep/{faceset}.tsv` | what you decided for a faceset; optional |

This page is made from the code (`make docs`), as is the [JSON schema](config.schema.json) that editors can check
`config.yaml` with.
"""

CONFIG_EXAMPLE = """\
## An example

```yaml
sources: config/sources.tsv
store: /data/faceset-store # shared by all projects
cluster:
  strictness: 0.6
facesets:
  lead:
    sources: [film1, film2]
    filters:
      min_size_px: 80
    extract:
      size_px: 512
      sources:
        film2: { every: 5, large: true }
  double:
    sources: [film2]
```
"""

KEPT_WITHIN = f"{round(100 * REACH_TOLERANCE)} %"
KEEP_LISTS = f"""\
## Keep-lists

`config/keep/{{faceset}}.tsv` holds decisions, one a line, under a header. Columns are separated by tabs. It is yours:
nothing ever writes to it.

```
decision  scope    face             box              reach  note
keep      cluster  film1/000123_0   412,96,180,220   1204   the lead, most scenes
drop      track    film2/000456_1   88,40,120,150    37     turned away
drop      face     film1/000999_0                           hand over mouth
```

| column | meaning |
|---|---|
| `decision` | `keep` or `drop` |
| `scope` | how far it reaches: the face's whole `cluster`, its `track`, or the `face` itself |
| `face` | a face id, `{{source}}/{{frame}}_{{index}}` |
| `box` | x,y,w,h of that face: finds it again should its index change. Optional |
| `reach` | how many faces the row reached when it was written: more than {KEPT_WITHIN} off is reported. Optional |
| `note` | anything. Optional |

The narrower row wins: face over track over cluster. Two rows that name the same face with the same scope and contradict
each other are an error; rows that have come to contradict each other over one cluster leave it undecided, which means
not kept, and reported. With any `keep` row of scope cluster or track, faces that no row reaches are dropped; otherwise
the faceset's `policy` decides. Filters act after rows; a `keep` of scope face beats them. The report shows every
person's rows, ready to copy.
"""

OWN_MODEL = """\
## A model of your own

An ONNX model that tells people apart is one entry of `config/models.yaml` in the repository, and one file in its
`models/` folder. The comment there says what each key means: the file's SHA-256, its input's name and size, how a
face is aligned for it (`dlib`, `arcface` or `legacy`), channel order, mean and scale, layout, the length of its
embedding, metric and threshold. Then name it here:

```yaml
identity:
  model: my_model
```

Everything from the embeddings on is recomputed; the earlier results stay in the store, and come back with the earlier
setting.

Embeddings that faceswap wrote into the alignments (their `identity`) can be used as they are; no model runs then, and
no GPU is asked for:

```yaml
identity:
  embeddings: from-alignments
  model: vggface2 # or t-face_ir-101, or another name that all faces have
```

Every usable face of every source needs that identity, or the run stops and names the first that lacks it. How those of
other names are compared is a short entry under `identities` in `config/models.yaml`.
"""


def config_manual() -> str:
    """The text of config/README.md."""
    keys = "\n".join(_key_table("", model_of(Config)))
    facesets = "\n".join(_key_table("facesets.{name}.", model_of(Faceset)))
    columns = "\n".join(f"| `{name}` | {'yes' if needed else 'no'} | {text} |" for name, needed, text in COLUMNS)
    return "\n".join(
        [
            CONFIG_INTRODUCTION,
            "## config.yaml\n",
            "| key | kind | default | meaning |\n|---|---|---|---|",
            keys + "\n",
            "For each faceset, under `facesets`:\n",
            "| key | kind | default | meaning |\n|---|---|---|---|",
            facesets + "\n",
            CONFIG_EXAMPLE,
            "## sources.tsv\n",
            "Tab-separated, with a header. Lines that begin with `#` are passed over.\n",
            "| column | needed | meaning |\n|---|---|---|",
            columns + "\n",
            KEEP_LISTS,
            OWN_MODEL,
        ]
    )


def config_schema() -> str:
    """The text of config/config.schema.json."""
    return json.dumps(model_of(Config).model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def all_schemas() -> list[Schema]:
    """Every table, by the floors of the library, as the data goes."""
    modules = [importlib.import_module(f"faceset.{room}.tables") for room in ROOMS_WITH_TABLES]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Schema)]


def tables_manual() -> str:
    """The text of docs/tables.md."""
    parts = [
        "# Tables\n",
        "Every table is a Parquet file with a plain name under `results/`. This page is made from the code "
        "(`make docs`).\n",
    ]
    for schema in all_schemas():
        parts += [f"## {schema.name}\n", f"A row is {schema.row}.\n", *_column_table(schema), ""]
    return "\n".join(parts)


def _column_table(schema: Schema) -> Iterator[str]:
    yield "| column | type | unit | may be missing | meaning |\n|---|---|---|---|---|"
    for column in schema.columns:
        missing = "yes" if column.nullable else ""
        yield f"| `{column.name}` | {column.type} | {column.unit} | {missing} | {column.meaning} |"


def _key_table(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _key_table(f"{prefix}{name}.", field.annotation)
        else:
            default = "one faceset `main`" if name == "facesets" else _default(field)
            yield f"| `{prefix}{name}` | {_kind(field.annotation)} | {default} | {field.description} |"


def _default(field: FieldInfo) -> str:
    if isinstance(field.default, bool):
        return f"`{field.default}`".lower()
    return "empty" if field.default in (None, {}) else f"`{field.default}`"


def _kind(annotation: Any) -> str:
    choices = get_args(annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " / ".join(f"`{choice}`" for choice in choices)
    text = str(getattr(annotation, "__name__", annotation))
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "`true` / `false`"}
    if text in names:
        return names[text]
    if "list[str]" in str(annotation):
        return "list of names"
    if "dict[" in str(annotation):
        return "mapping"
    return {str | None: "text", float | None: "number"}[annotation]


MANUALS = {
    "config/README.md": config_manual,
    "config/config.schema.json": config_schema,
    "docs/tables.md": tables_manual,
    "docs/pipeline.md": stages_page,
    "docs/pipeline.svg": stages_picture,
}
"""The files made here, from the repository's root, and what makes their text."""

if __name__ == "__main__":
    for name, make in MANUALS.items():
        write_atomically(REPOSITORY / name, make().encode())
