"""Promises of finding the project in the current folder."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from faceset.errors import FacesetError
from faceset.project.current import add_project_options, check_faceset, current_project, current_store, source_named
from factory import write_pictures


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project of one source with an empty config, as the current folder."""
    monkeypatch.chdir(tmp_path)
    write_pictures(tmp_path / "photos", ["a.png"])
    Path("config").mkdir()
    Path("config/config.yaml").write_text("")
    Path("config/sources.tsv").write_text("source\tframes\talignments\trights\nphotos\tphotos\t\tmade up\n")


def test_an_empty_config_is_a_project_with_every_default() -> None:
    project = current_project(prefix="faces/")
    assert source_named(project, "photos").frames == Path("photos")
    assert project.path("results") == Path("faces/results")
    check_faceset(project, "main")


def test_settings_may_be_in_another_file_and_a_prefix_may_lack_its_slash() -> None:
    Path("config/config.yaml").unlink()
    Path("elsewhere").mkdir()
    Path("config/one.yaml").write_text("store: elsewhere\nfacesets: {lead: {}}\n")
    parser = ArgumentParser()
    add_project_options(parser)
    for prefix in ("one", "one/"):
        options = parser.parse_args(["--prefix", prefix, "--config", "config/one.yaml"])
        project = current_project(options.config, options.prefix)
        check_faceset(project, "lead")
        assert project.path("results") == Path("one/results")
        assert current_store(options.config).root == Path("elsewhere")
    options = parser.parse_args([])
    assert (options.config, options.prefix) == (Path("config/config.yaml"), "")


def test_names_that_the_project_does_not_have_are_told_with_those_it_has() -> None:
    with pytest.raises(FacesetError, match=r"there is no source 'foto'; did you mean photos\?"):
        source_named(current_project(), "foto")
    with pytest.raises(FacesetError, match="there is no faceset 'lead'; known here: main"):
        check_faceset(current_project(), "lead")


def test_a_store_is_found_whose_footage_is_gone_and_none_is_made() -> None:
    with pytest.raises(FacesetError, match=r"store: there is no store\. Run the workflow first"):
        current_store()
    assert not Path("store").exists()
    Path("elsewhere").mkdir()
    Path("config/config.yaml").write_text("store: elsewhere\n")
    Path("photos/a.png").unlink()
    assert current_store().root == Path("elsewhere")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("store: [", "can ?not be read as YAML"),
        ("- store", "expected keys and values"),
        ("stoer: x", r"unknown key stoer; did you mean store\?"),
    ],
)
def test_a_config_that_is_none_is_told(text: str, told: str) -> None:
    Path("config/config.yaml").write_text(text)
    for find in (current_project, current_store):
        with pytest.raises(FacesetError, match=told):
            find()


def test_outside_a_project_it_says_so() -> None:
    Path("config/config.yaml").unlink()
    for find in (current_project, current_store):
        with pytest.raises(FacesetError, match=r"config/config\.yaml: no such file\. Run this in a project's working"):
            find()
