"""The manuals made from the code are in step with it."""

import json
import re
from typing import Any, get_args

import pytest
import yaml
from jsonschema import Draft202012Validator

from faceset.alignments.problems import FaceProblem, ProblemKind
from faceset.decisions.keep_list import Scope
from faceset.decisions.kinds import CAUSES, RULES, DecidedBy, NoticeKind
from faceset.project.config import Config
from faceset.project.project import REPOSITORY
from faceset.project.validation import load_config, model_of
from make import CONFIG_EXAMPLE, MANUALS, config_manual, tables_manual


@pytest.mark.parametrize("name", MANUALS)
def test_the_manual_is_in_step_with_the_code(name: str) -> None:
    assert (REPOSITORY / name).read_text() == MANUALS[name](), "run `make docs`"


ENUMERATIONS: dict[tuple[str, str], list[Any]] = {
    ("faces", "problem"): [FaceProblem],
    ("problems", "kind"): [ProblemKind],
    ("manifest", "decided_by"): [DecidedBy],
    ("manifest", "rule"): list(RULES.values()),
    ("notices", "kind"): [NoticeKind],
    ("notices", "cause"): list(CAUSES.values()),
    ("notices", "scope"): [Scope],
}


@pytest.mark.parametrize(("table", "column"), ENUMERATIONS)
def test_the_manual_lists_every_value_of_an_enumeration_and_no_other(table: str, column: str) -> None:
    (section,) = [part for part in tables_manual().split("\n## ") if part.startswith(f"{table}\n")]
    (line,) = [line for line in section.splitlines() if line.startswith(f"| `{column}` ")]
    values = [value for kind in ENUMERATIONS[table, column] for value in get_args(kind)]
    assert re.findall(r"`(\w+)`", line)[1:] == values


def test_what_is_true_or_false_is_called_so() -> None:
    lines = [line for line in config_manual().splitlines() if re.match(r"\| `(paranoid|.*\.large)` ", line)]
    assert len(lines) == 2
    assert all("| `true` / `false` | `false` |" in line for line in lines)


def test_every_config_key_has_a_description() -> None:
    def keys(schema: dict[str, object]) -> list[dict[str, object]]:
        sections = [schema, *schema.get("$defs", {}).values()]
        return [entry for section in sections for entry in section["properties"].values()]

    assert all(entry.get("description") or "$ref" in entry for entry in keys(model_of(Config).model_json_schema()))


def test_the_example_and_the_template_are_valid_configs() -> None:
    schema = json.loads((REPOSITORY / "config/config.schema.json").read_text())
    example = yaml.safe_load(CONFIG_EXAMPLE.split("```yaml\n")[1].split("```")[0])
    template = yaml.safe_load((REPOSITORY / "config/config.yaml").read_text())
    demo = yaml.safe_load((REPOSITORY / "config/demo/config/config.yaml").read_text())
    for values in (example, template, demo):
        load_config(values)
        Draft202012Validator(schema).validate(values)
