"""The command `faceset`: what is done outside the workflow."""

import argparse
import shutil
import sys
from pathlib import Path

from faceset.atomic import write_atomically
from faceset.errors import FacesetError
from faceset.project import MODEL_MANIFEST, MODELS_FOLDER, REPOSITORY

PACKAGE_CACHE = REPOSITORY / ".cache" / "packages"
DEMO_CONFIG = REPOSITORY / "config" / "demo"


def set_up() -> None:
    """Fetch and convert the default models."""
    from faceset.setup.models import set_up_models

    set_up_models(PACKAGE_CACHE, MODELS_FOLDER, MODEL_MANIFEST, _say)


def make_demo(folder: Path) -> None:
    """Put demo footage and, where there is none yet, its config into `folder`."""
    from faceset.setup.demo_footage import compose

    compose(PACKAGE_CACHE, folder, _say)
    for origin in sorted(path for path in DEMO_CONFIG.rglob("*") if path.is_file()):
        target = folder / "config" / origin.relative_to(DEMO_CONFIG / "config")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)


def write_manuals() -> None:
    """Write the manuals that are made from the code."""
    from faceset.manual import MANUALS

    for name, make in MANUALS.items():
        write_atomically(REPOSITORY / name, make().encode())


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    """Parse the command line and run one command; a FacesetError is one line and exit code 1."""
    parser = argparse.ArgumentParser(prog="faceset", description="What is done outside the workflow.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup", help="fetch and convert the default models")
    demo = commands.add_parser("demo", help="compose the demo footage and put its config beside it")
    demo.add_argument("folder", type=Path)
    commands.add_parser("docs", help="write the manuals that are made from the code (for developers)")
    arguments = parser.parse_args()
    try:
        if arguments.command == "setup":
            set_up()
        elif arguments.command == "demo":
            make_demo(arguments.folder)
        else:
            write_manuals()
    except FacesetError as error:
        sys.exit(f"faceset: {error}")


if __name__ == "__main__":
    main()
