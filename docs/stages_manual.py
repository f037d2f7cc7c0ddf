"""The page on the stages, docs/pipeline.md. What a stage hangs on is found by trying, so that nothing can be left out.

A made-up project stands in for yours. Each setting in turn is given another value, and the stages whose keys move are
those that depend on it.
"""

import copy
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel

from faceset.digests import text_digest
from faceset.footage.parts import FRAMES_A_PART
from faceset.project.catalogue import Catalogue
from faceset.project.config import Config, Faceset
from faceset.project.project import MODEL_CATALOGUE, REPOSITORY, Project
from faceset.project.sources import Source
from faceset.project.validation import load_config, model_of
from faceset.stages.graph import all_instances, instances_of
from faceset.stages.stage import PER_FACESET, PER_FACESET_AND_SOURCE, PER_PROJECT, PER_SOURCE, Stage
from faceset.stages.table import STAGES
from faceset.store.actions import Action, Artifact
from faceset.workflow.keys import plan_step
from stages_graph import Node, rule_graph

FACESET_KEY = "facesets.{name}."
ANOTHER = "another_model"
BY_HAND: dict[str, list[Any]] = {
    "sources": ["elsewhere/sources.tsv"],
    "keep_lists": ["other-keep"],
    "store": ["other-store"],
    "identity.model": [ANOTHER],
    "facesets.{name}.sources": [["film"]],
    "facesets.{name}.reference": [None, "other-photos"],
    "facesets.{name}.filters.max_distance": [0.5],
    "facesets.{name}.extract.sources": [{"film": {"every": 3}}],
}
"""Other values of settings whose kind does not tell one."""

UNITS = {
    PER_SOURCE: "source",
    PER_PROJECT: "project",
    PER_FACESET: "face set",
    PER_FACESET_AND_SOURCE: "face set and source",
}
WITH_REFERENCE: dict[str, Any] = {"facesets": {"main": {"reference": "photos"}}}
OF_SOURCES = " of sources.tsv"
COLUMNS_TRIED = ("alignments", "rights", "duplicates", "shards")

INTRODUCTION = f"""\
# The pipeline, stage by stage

This page and its picture are made from the code (`make docs`). What each stage depends on is found by trying: every
setting is changed in turn, and the stages whose keys move are named. What else is in a key, see [keys.md](keys.md);
where results lie, see the [README](../README.md); the columns of tables, see [tables.md](tables.md).

![Which stage reads which](pipeline.svg)

An arrow that follows from others is left out: the report reads the frames, too. A stage with a dashed outline runs only
where it has something to do. Names without an ending are tables. A GPU is asked for where the stage runs a model and
the store does not know its result. Where work is done in parts, each is {FRAMES_A_PART:,} frames, remembered by itself;
`shards` in `sources.tsv` has several jobs make them.

"""


def stages_page() -> str:
    """The text of docs/pipeline.md."""
    with tempfile.TemporaryDirectory() as folder:
        made_up = MadeUp(Path(folder))
        set_by = made_up.settings_by_stage()
        of_none = [key for key in made_up.keys if not any(key in keys for keys in set_by.values())]
        parts = [INTRODUCTION]
        for stage in STAGES.values():
            lines = _facts(made_up, stage, set_by[stage.name])
            parts.append(
                f"## {stage.name}\n\n{_docstring(stage)}\n\n" + "\n".join(f"- {line}" for line in lines) + "\n\n"
            )
    listed = ", ".join(map(_quoted, of_none))
    parts.append(
        f"## Settings that no result depends on\n\n{listed}: they say where things are and what to compute with.\n"
    )
    return "".join(parts)


def stages_picture() -> str:
    """The text of docs/pipeline.svg."""
    with tempfile.TemporaryDirectory() as folder:
        made_up = MadeUp(Path(folder))
        nodes = []
        for stage in STAGES.values():
            reads = {
                output.stage.name
                for name, output in stage.inputs.items()
                if name not in stage.inputs_if or stage.inputs_if[name](made_up.project)
            }
            nodes.append(
                Node(
                    stage.name,
                    tuple(stage.outputs.values()),
                    UNITS[stage.folder],
                    frozenset(reads),
                    tuple(made_up.outside(stage)),
                    is_optional=_is_optional(stage),
                    gpu=stage.gpu,
                )
            )
    return rule_graph(nodes)


class MadeUp:
    """A project of two sources and a face set with everything that there can be, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in (
            "film.mp4",
            "film_alignments.fsa",
            "found/1.png",
            "photos/1.png",
            "other-photos/1.png",
            "keep/main.tsv",
        ):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(str(path))
        (folder / "other-keep").symlink_to("keep")
        content = yaml.safe_load(MODEL_CATALOGUE.read_text(encoding="utf-8"))
        model = Config().identity.model
        content["models"][ANOTHER] = {**content["models"][model], "sha256": "0" * 64, "threshold": 0.1}
        (folder / "models.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        self.project = self.with_settings(WITH_REFERENCE)
        self.with_stored_embeddings = self.with_settings(
            {**WITH_REFERENCE, "identity": {"embeddings": "from-alignments"}}
        )
        self.keys = list(_keys("", model_of(Config))) + list(_keys(FACESET_KEY, model_of(Faceset)))
        for stage, instance in all_instances(self.project):
            if stage.prepare:
                stage.prepare(self.project, instance)

    def with_settings(self, values: dict[str, Any], **cells: Any) -> Project:
        """The project with these settings, and these cells in the row of its first source."""
        config = load_config(values)
        photos = config.facesets["main"].reference
        main = replace(config.facesets["main"], reference=photos and str(self._folder / photos))
        settings = replace(
            config,
            store=str(self._folder / "store"),
            keep_lists=str(self._folder / values.get("keep_lists", "keep")),
            facesets={"main": main},
        )
        rows = [self._row("film", "film.mp4", **cells), self._row("found", "found")]
        catalogue = Catalogue(self._folder / "models.yaml")
        return Project(settings, {row.name: row for row in rows}, catalogue)

    def _row(self, name: str, frames: str, **cells: Any) -> Source:
        row = Source(name, self._folder / frames, "", "", duplicates=False, shards=1, where="made up")
        return replace(row, **cells)

    def settings_by_stage(self) -> dict[str, list[str]]:
        """By stage, the keys of config.yaml and the columns of sources.tsv that move its own keys."""
        before = self._stage_keys(self.project)
        found: dict[str, list[str]] = {name: [] for name in STAGES}

        def note(what: str, *changed: Project) -> None:
            after = [self._stage_keys(project) for project in changed]
            for name in STAGES:
                if any(keys[name] != before[name] for keys in after):
                    found[name].append(what)

        for key in self.keys:
            note(key, *(self.with_settings(self._values(key, value)) for value in other_values(key)))
        cells = {"alignments": "detect", "rights": "ours", "duplicates": True, "shards": 7}
        for column in COLUMNS_TRIED:
            name = "alignments_cell" if column == "alignments" else column
            note(f"{column}{OF_SOURCES}", self.with_settings(WITH_REFERENCE, **{name: cells[column]}))
        self.keys += [f"{column}{OF_SOURCES}" for column in COLUMNS_TRIED]
        return found

    def _values(self, key: str, value: Any) -> dict[str, Any]:
        values = copy.deepcopy(WITH_REFERENCE)
        inner = values
        *path, last = key.replace("{name}", "main").split(".")
        for name in path:
            inner = inner.setdefault(name, {})
        inner[last] = value
        return values

    def _stage_keys(self, project: Project) -> dict[str, list[Any]]:
        """By stage, the key of each instance, whatever is read being the same."""

        def read(record: str) -> Action:
            names = [name for stage in STAGES.values() for name in stage.outputs]
            return Action({name: Artifact(text_digest(f"{record} {name}"), 1) for name in names}, "cpu")

        keys: dict[str, list[Any]] = {name: [] for name in STAGES}
        for stage, instance in all_instances(project):
            keys[stage.name].append((instance, plan_step(project, stage, instance, read).key))
        return keys

    def outside(self, stage: Stage) -> list[str]:
        """What a stage reads that no other makes, in words."""
        found = ["the footage"] if stage.footage else []
        for instance in instances_of(self.project, stage):
            found += map(self._said, stage.files(self.project, instance).values())
        return list(dict.fromkeys(found))

    def _said(self, path: Path) -> str:
        if path.is_relative_to(REPOSITORY):
            return f"the {path.relative_to(REPOSITORY)}"
        said = {"keep": "the keep-list", "photos": "the reference photos", "film_alignments.fsa": "the alignments"}
        return said[path.relative_to(self._folder).parts[0]]


def other_values(key: str) -> list[Any]:
    """Other values that a setting may have: of words, all.

    Raises KeyError for a setting whose kind does not tell one and that is not in `BY_HAND`.
    """
    if key in BY_HAND:
        return BY_HAND[key]
    section = model_of(Faceset if key.startswith(FACESET_KEY) else Config)
    *path, last = key.removeprefix(FACESET_KEY).split(".")
    for name in path:
        annotation = section.model_fields[name].annotation
        assert isinstance(annotation, type)
        section = annotation
    field = section.model_fields[last]
    if words := [word for word in get_args(field.annotation) if isinstance(word, str)]:
        return [word for word in words if word != field.default]
    if isinstance(field.default, bool):
        return [not field.default]
    if isinstance(field.default, int | float):
        return [field.default + (2 if field.annotation is int else 0.25)]
    raise KeyError(key)


def _keys(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys(f"{prefix}{name}.", field.annotation)
        elif f"{prefix}{name}" != "facesets":  # their own keys are under FACESET_KEY
            yield f"{prefix}{name}"


def _docstring(stage: Stage) -> str:
    text = sys.modules[stage.compute.__module__].__doc__ or ""
    return text.strip()


def _is_optional(stage: Stage) -> bool:
    return stage.runs_if is not Stage.__dataclass_fields__["runs_if"].default


def _facts(made_up: MadeUp, stage: Stage, set_by: list[str]) -> Iterator[str]:
    unit = f"once a {UNITS[stage.folder]}" if stage.wildcards else "once, over all sources"
    if _is_optional(stage):
        condition = (stage.runs_if.__doc__ or "").strip().removeprefix("Whether ").removesuffix(".")
        unit += f", if {condition}"
    yield f"runs {unit}{_in_parts(made_up, stage)}"
    if stage.inputs:
        yield f"reads {', '.join(_reads(made_up, stage))}"
    if outside := made_up.outside(stage):
        yield f"{'besides, reads' if stage.inputs else 'reads'} {', '.join(outside)}"
    made = ", ".join(map(_linked, stage.outputs.values()))
    yield f"makes {made} in `{stage.folder}/`, with the record `{stage.name}.json`"
    if set_by:
        yield f"depends on {', '.join(map(_quoted, set_by))}"
    if models := stage.models(made_up.project):
        yield f"depends, by default, on the models {', '.join(f'`{name}`' for name in models)}"
    if stage.gpu:
        yield "asks for a GPU"
    if stage.terminal:
        yield "is wanted for itself: no stage reads it"


def _in_parts(made_up: MadeUp, stage: Stage) -> str:
    if not stage.in_parts(made_up.project):
        return ""
    always = stage.in_parts(made_up.with_stored_embeddings)
    return f", in parts of {FRAMES_A_PART:,} frames" + ("" if always else " where a model runs")


def _reads(made_up: MadeUp, stage: Stage) -> Iterator[str]:
    for name, output in stage.inputs.items():
        condition = stage.inputs_if.get(name)
        text = f"[{output.stage.outputs[output.name]}](#{output.stage.name})"
        if _is_optional(output.stage) and not _is_optional(stage):
            text += " if there is one"
        if condition and not condition(made_up.project):
            text += " with `identity.embeddings: from-alignments`"
        if condition and not condition(made_up.with_stored_embeddings):
            text += " with `identity.embeddings: model`"
        yield text


def _linked(file: str) -> str:
    name, _, kind = file.partition(".")
    return f"[`{file}`](tables.md#{name})" if kind == "parquet" else f"`{file}`"


def _quoted(key: str) -> str:
    column = key.removesuffix(OF_SOURCES)
    return f"`{key}`" if column == key else f"the column `{column}` of `sources.tsv`"
