"""The project in the current folder, as the commands find it: its settings, its store, its sources and facesets."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml

from faceset.errors import FacesetError
from faceset.hints import hint
from faceset.project.paths import user_path
from faceset.project.project import Project, load_project
from faceset.project.sources import Source
from faceset.project.validation import check_yaml, load_config
from faceset.store.format import state_of
from faceset.store.objects import Store

CONFIG_FILE = Path("config/config.yaml")


def add_config(parser: ArgumentParser) -> None:
    """Have a command take `--config`, which `current_store` and `current_project` want."""
    parser.add_argument(
        "--config",
        default=CONFIG_FILE,
        type=Path,
        metavar="FILE",
        help=f"the settings, if they are not in {CONFIG_FILE}: those that an importing workflow gives, as YAML",
    )


def add_project_options(parser: ArgumentParser) -> None:
    """Have a command that reads results take `--config` and `--prefix`, which `current_project` wants."""
    add_config(parser)
    parser.add_argument(
        "--prefix",
        default="",
        type=_with_slash,
        help="what a workflow that imports this one as a module puts before `results`",
    )


def _with_slash(prefix: str) -> str:
    return prefix if prefix.endswith("/") or not prefix else f"{prefix}/"  # as Snakemake does


def current_project(config: Path = CONFIG_FILE, prefix: str = "") -> Project:
    """The project in the current folder whose settings are in the file `config`.

    Raises FacesetError where there is none, for the first thing in it that cannot be right, and for a store that this
    code does not know.
    """
    project = load_project(_settings(config), prefix)
    state_of(project.store.root)
    return project


def current_store(config: Path = CONFIG_FILE) -> Store:
    """The store of the project in the current folder, whose footage may be gone.

    Raises FacesetError where there is none.
    """
    store = Store(user_path(load_config(_settings(config)).store))
    state_of(store.root)
    if not store.root.is_dir():
        raise FacesetError(f"{store.root}: there is no store. Run the workflow first, or set `store` in the config.")
    return store


def source_named(project: Project, name: str) -> Source:
    """A source of the project.

    Raises FacesetError where there is none of that name.
    """
    if name not in project.sources:
        raise FacesetError(f"there is no source {name!r}; {hint(name, project.sources)}")
    return project.sources[name]


def check_faceset(project: Project, name: str) -> None:
    """Raise FacesetError if the project has no faceset of that name."""
    if name not in project.config.facesets:
        raise FacesetError(f"there is no faceset {name!r}; {hint(name, project.config.facesets)}")


def _settings(config: Path) -> Any:
    check_yaml(config)
    if not config.is_file():
        raise FacesetError(
            f"{config}: no such file. Run this in a project's working directory. Where its settings are in another "
            "file, name that with --config."
        )
    return yaml.safe_load(config.read_text(encoding="utf-8")) or {}  # every setting has a default
