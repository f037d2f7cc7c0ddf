"""The command `faceset`: its table of contents. What a command takes and does is all in its module."""

import argparse
import importlib
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, Final, NoReturn, Protocol, cast

from faceset.errors import FacesetError, is_refused_by_machine

COMMANDS: Final = {
    "install": "commands.install",
    "keep-from-folder": "commands.keep_from_folder",
    "from-faces": "commands.from_faces",
    "rename": "commands.rename",
    "export": "commands.export",
    "smooth": "commands.smooth",
    "left-to-right": "commands.left_to_right",
    "identities": "commands.identities",
    "compare": "commands.compare",
    "draw": "commands.draw",
    "explain": "commands.explain",
    "store verify": "upkeep.verify",
    "store gc": "upkeep.gc",
    "store du": "upkeep.du",
    "store forget": "upkeep.forget",
    "setup": "commands.setup",
    "demo": "commands.demo",
}
"""The module of each command, as it is typed."""

GROUPS: Final = {"store": "look after the store"}
"""What the commands that begin with one word have in common."""

DESCRIPTION: Final = "What is done outside the workflow. No command changes a file that it does not name."


class Command(Protocol):
    """What the module of a command holds; at its top it imports nothing that takes long.

    Its docstring is the description that `--help` shows.
    """

    HELP: str
    """What it does, in a line among the others."""
    EXAMPLE: str
    """A line to type."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what can be typed behind the command."""

    def run(self, arguments: argparse.Namespace) -> None:
        """Do it."""


def load_command(name: str) -> Command:
    """The module of a command."""
    return cast(Command, importlib.import_module(f"faceset.{COMMANDS[name]}"))


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of a command line: of the one command that `words` begin with, else of all.

    The parsed arguments have `run`, which is to be called with them.
    """
    parser = argparse.ArgumentParser(prog="faceset", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"faceset {version('faceset')}")
    commands: Any = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    groups: dict[str, Any] = {}
    begun = list(words)
    for name in [name for name in COMMANDS if begun[: name.count(" ") + 1] == name.split()] or COMMANDS:
        group, _, last = name.rpartition(" ")
        if group and group not in groups:
            grouping = commands.add_parser(group, help=GROUPS[group], description=_sentence(GROUPS[group]))
            groups[group] = grouping.add_subparsers(required=True, metavar="COMMAND", dest="command")
        _add_command(groups[group] if group else commands, last, load_command(name))
    return parser


def _add_command(commands: Any, name: str, command: Command) -> None:
    parser = commands.add_parser(
        name,
        help=command.HELP,
        description=_filled(command.__doc__ or _sentence(command.HELP)),
        epilog=f"example:\n  {command.EXAMPLE}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _filled(text: str) -> str:
    width = shutil.get_terminal_size().columns - 2  # as argparse has it
    return "\n\n".join(textwrap.fill(paragraph, width) for paragraph in text.strip().split("\n\n"))


def main() -> None:
    """Parse the command line and run its command. What the user can fix is one line and exit code 1."""
    arguments = make_parser(sys.argv[1:]).parse_args()
    try:
        arguments.run(arguments)
        sys.stdout.flush()
    except FacesetError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted.")
    except BrokenPipeError:  # whoever reads what is printed, as `head`, has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except MemoryError:
        _fail("not enough memory. Close other programs, or use a larger machine.")
    except OSError as error:
        if not is_refused_by_machine(error):
            raise
        _fail(f"{error}. Fix this, then run it again.")


def _fail(message: str) -> NoReturn:
    sys.exit(f"faceset: {message}")


if __name__ == "__main__":
    main()
