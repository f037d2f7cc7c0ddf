"""Compose the demo's footage, a film and a folder of frames, and put its config beside it.

What is there already stays: footage of the same composition, and a config that you edited.
"""

import argparse
import shutil
from pathlib import Path

from faceset.console import say
from faceset.project.project import PACKAGE_CACHE, REPOSITORY

HELP = "compose the demo footage and put its config beside it"
EXAMPLE = "faceset demo demo"

DEMO_CONFIG = REPOSITORY / "config" / "demo" / "config"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take the folder."""
    parser.add_argument("folder", type=Path, help="the working directory to make")


def run(arguments: argparse.Namespace) -> None:
    """Compose the footage, and copy the config."""
    from faceset.demo.footage import compose

    compose(PACKAGE_CACHE, arguments.folder, say)
    copy_config(arguments.folder)


def copy_config(folder: Path) -> None:
    """Copy the files of the demo's config to `folder`, but for those that are there."""
    for origin in sorted(path for path in DEMO_CONFIG.rglob("*") if path.is_file()):
        target = folder / "config" / origin.relative_to(DEMO_CONFIG)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
