"""Promises of the settings."""

from typing import Any

import pytest
import yaml

from faceset.errors import FacesetError
from faceset.project.config import Filters
from faceset.project.project import REPOSITORY
from faceset.project.validation import load_config


def test_nothing_needs_to_be_said() -> None:
    config = load_config({})
    assert list(config.facesets) == ["main"]
    assert config.facesets["main"].policy == "largest"
    assert load_config({"sources": None, "facesets": None}) == config


@pytest.mark.parametrize("path", ["config/config.yaml", "config/demo/config/config.yaml"])
def test_the_configs_that_come_along_are_valid(path: str) -> None:
    load_config(yaml.safe_load((REPOSITORY / path).read_text()))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"source": "x"}, "unknown key source; did you mean sources?"),
        ({"cluster": {"strictnes": 1}}, "unknown key cluster.strictnes; did you mean strictness?"),
        ({"facesets": {"a": {"extract": {"size": 9}}}}, "unknown key facesets.a.extract.size; did you mean size_px?"),
        (
            {"facesets": {"a": {"xyz": 9}}},
            "unknown key facesets.a.xyz; known here: sources, policy, reference, filters, extract",
        ),
        ({"device": "gpu"}, "device is 'gpu': input should be 'auto', 'cpu' or 'cuda'"),
        ({"cluster": {"strictness": 2}}, "cluster.strictness is 2: input should be less than or equal to 1"),
        ({"cluster": {"strictness": float("inf")}}, "cluster.strictness is inf: input should be a finite number"),
        ({"facesets": {"a": {"extract": {"size_px": 255}}}}, "size_px is 255: input should be a multiple of 2"),
        ({"facesets": {"a": {"extract": {"every": 0}}}}, "every is 0"),
        (
            {"facesets": {"a": {"extract": {"sources": {"b": {"evry": 2}}}}}},
            "extract.sources.b.evry; did you mean every?",
        ),
        ({"facesets": {"a": {"extract": {"large": True, "min_size_percent": 50}}}}, "write one of the two"),
        ({"facesets": {"a": {"sources": []}}}, "facesets.a.sources is []"),
        ({"facesets": {}}, "facesets is {}"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(values: dict[str, Any], message: str) -> None:
    with pytest.raises(FacesetError) as error:
        load_config(values)
    assert message in str(error.value)
    assert str(error.value).startswith("config.yaml: ")


def test_a_source_s_own_settings_of_extraction_replace_those_of_the_faceset() -> None:
    extract = {"size_px": 256, "large": True, "sources": {"b": {"every": 5}, "c": {"min_size_percent": 50}}}
    found = load_config({"facesets": {"main": {"extract": extract}}}).facesets["main"].extract
    whole = {"size_px": 256, "min_size_percent": 100, "every": 1}
    assert found.of_source("a") == whole
    assert found.of_source("b") == whole | {"every": 5}
    assert found.of_source("c") == whole | {"min_size_percent": 50}
    assert load_config({}).facesets["main"].extract.of_source("a") == {
        "size_px": 512,
        "min_size_percent": 0,
        "every": 1,
    }
    small = load_config({"facesets": {"main": {"extract": {"large": True, "sources": {"a": {"large": False}}}}}})
    assert small.facesets["main"].extract.of_source("a")["min_size_percent"] == 0


def nested(key: str, value: Any) -> dict[str, Any]:
    """A config that says `value` for a key, given with dots."""
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value


NUMBERS = {
    "detect.min_face_px": 64,
    "cluster.strictness": 0.001,
    **{f"facesets.main.filters.{name}": 0.001 for name in vars(Filters())},
    **{
        f"facesets.main.extract.{section}{name}": number
        for section in ("", "sources.film.")
        for name, number in {"size_px": 64, "min_size_percent": 64, "every": 64}.items()
    },
}


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize("value", [True, False])
def test_true_and_false_are_no_numbers(key: str, value: bool) -> None:
    with pytest.raises(FacesetError) as error:
        load_config(nested(key, value))
    assert str(error.value) == f"config.yaml: {key} is {value}: expected a number."


@pytest.mark.parametrize(("key", "number"), NUMBERS.items())
def test_numbers_may_be_written_as_texts_as_yaml_reads_some(key: str, number: float) -> None:
    text = "64" if isinstance(number, int) else "1e-3"  # the latter is a text in YAML 1.1
    assert load_config(nested(key, text)) == load_config(nested(key, number))


@pytest.mark.parametrize("key", ["sources", "keep_lists", "store", "facesets.main.reference"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the path of a file or folder"),
        (" ", "expected the path of a file or folder"),
        ("~nobodyxx/s", "there is no home folder for ~nobodyxx"),
        ("a\0b", "a path cannot hold the character NUL"),
        ("\ud800", "this is not text that UTF-8 can hold"),
        ("a" * 256, "too long for a path"),
        ("a/" * 2500, "too long for a path"),
    ],
    ids=["empty", "blank", "no such user", "NUL", "surrogate", "long name", "long path"],
)
def test_a_setting_that_cannot_be_a_path_is_refused_as_it_is_read(key: str, text: str, message: str) -> None:
    with pytest.raises(FacesetError) as error:
        load_config(nested(key, text))
    assert str(error.value).startswith(f"config.yaml: {key} is {text!r:.200}: {message}")
    str(error.value).encode()


@pytest.mark.parametrize("text", ["~/s", "a b", "ä/ö", "/x", ".", "a/~nobodyxx", "a" * 255, "a/" * 2000])
def test_other_paths_are_fine_and_stay_as_they_are_written(text: str) -> None:
    config = load_config({"store": text, "facesets": {"main": {"reference": text}}})
    assert (config.store, config.facesets["main"].reference) == (text, text)
