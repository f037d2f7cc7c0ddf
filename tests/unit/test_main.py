"""Promises of the command line: what every command shows of itself, at once, and how each ends that cannot be done."""

import argparse
import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from faceset.__main__ import COMMANDS, GROUPS, load_command, main, make_parser
from faceset.errors import FacesetError
from faceset.project.project import REPOSITORY

HEAVY = ("numpy", "pyarrow", "msgpack", "pandas", "cv2", "av", "scipy", "onnx", "onnxruntime", "faiss")
READS_RESULTS = {"install", "keep-from-folder", "identities", "compare", "draw", "explain", "store forget"}


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command line prints that ends by itself with exit code 0."""
    with pytest.raises(SystemExit) as ended:
        make_parser(words).parse_args(words)
    assert ended.value.code == 0
    return capsys.readouterr().out


def ends(monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], None]) -> str | int | None:
    """What the process exits with where the work of a command is `run`."""
    monkeypatch.setattr(sys, "argv", ["faceset", "setup"])
    monkeypatch.setattr(load_command("setup"), "run", run)
    with pytest.raises(SystemExit) as ended:
        main()
    assert not isinstance(ended.value.code, bytes)
    return ended.value.code


def raising(error: BaseException) -> Callable[[argparse.Namespace], None]:
    def run(_: argparse.Namespace) -> None:
        raise error

    return run


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, "--version") == f"faceset {version('faceset')}\n"


def test_help_lists_every_command_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    listed = " ".join(shown(capsys, "--help").split())
    of_group = {group: " ".join(shown(capsys, group, "--help").split()) for group in GROUPS}
    for name in COMMANDS:
        group, _, last = name.rpartition(" ")
        assert f" {last} {load_command(name).HELP}" in (of_group[group] if group else listed)
    for group, line in GROUPS.items():
        assert f" {group} {line}" in listed


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_a_sentence_and_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, *name.split(), "--help")
    first = text.split("\n\n")[1]
    assert re.fullmatch(r"[A-Z].*\.", first, re.DOTALL), first
    example = text.partition("\nexample:\n  ")[2].strip()
    assert example == load_command(name).EXAMPLE
    assert f"{example} ".startswith(f"faceset {name} ")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_a_command_is_one_that_it_takes(name: str) -> None:
    words = load_command(name).EXAMPLE.split()[1:]
    arguments = make_parser(words).parse_args(words)
    assert arguments.run == load_command(name).run
    assert make_parser().parse_args(words) == arguments, "whether one command is known or all"


def test_a_command_is_called_as_its_module() -> None:
    for name, module in COMMANDS.items():
        assert module.rpartition(".")[2] == name.split()[-1].replace("-", "_")
    files = {path.stem for path in (REPOSITORY / "scripts/faceset/commands").glob("*.py")} - {"__init__"}
    assert files == {module.removeprefix("commands.") for module in COMMANDS.values() if "commands." in module}


def test_the_readme_or_the_makefile_shows_every_command() -> None:
    text = (REPOSITORY / "README.md").read_text() + (REPOSITORY / "Makefile").read_text()
    missing = [name for name in COMMANDS if not re.search(rf"\bfaceset {name}\b", text)]
    assert not missing


def test_a_prefix_is_taken_by_what_reads_results_and_ends_with_a_slash() -> None:
    taking = set()
    for name in COMMANDS:
        words = [*load_command(name).EXAMPLE.split()[1:], "--prefix", "faces"]
        parser = make_parser(words)
        arguments, rest = parser.parse_known_args(words)
        if not rest:
            taking.add(name)
            assert arguments.prefix == "faces/"
            assert parser.parse_args([*words[:-1], "faces/"]).prefix == "faces/"
            assert parser.parse_args(words[:-2]).prefix == ""
    assert taking == READS_RESULTS


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([*name.split(), "--help"] for name in COMMANDS)])
def test_help_imports_nothing_heavy_and_one_command_at_most(words: list[str]) -> None:
    program = f"""
import sys
from faceset.__main__ import COMMANDS, main
sys.argv = ["faceset", *{words!r}]
try:
    main()
finally:
    heavy = [name for name in {HEAVY!r} if name in sys.modules]
    commands = [name for name in COMMANDS if f"faceset.{{COMMANDS[name]}}" in sys.modules]
    print(heavy, commands, file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    expected = list(COMMANDS) if words[0].startswith("-") else [" ".join(words[:-1])]
    assert done.stderr == f"{[]} {expected}\n"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FacesetError("film.fsa: no such file."), "faceset: film.fsa: no such file."),
        (MemoryError(), "faceset: not enough memory. Close other programs, or use a larger machine."),
        (KeyboardInterrupt(), "faceset: interrupted."),
        *(
            (OSError(number, os.strerror(number), "out.fsa"), f"faceset: [Errno {number}] {os.strerror(number)}: ")
            for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES)
        ),
        (
            OSError("IOError: [Errno 28] No space left on device"),
            "faceset: IOError: [Errno 28] No space left on device",
        ),
    ],
)
def test_what_the_user_can_fix_is_one_line(monkeypatch: pytest.MonkeyPatch, error: BaseException, told: str) -> None:
    said = ends(monkeypatch, raising(error))
    assert isinstance(said, str), "which is printed, and the exit code is 1"
    assert said.startswith(told)
    assert "\n" not in said


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "a file of ours that is closed"), KeyError("column")])
def test_a_fault_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(sys, "argv", ["faceset", "setup"])
    monkeypatch.setattr(load_command("setup"), "run", raising(error))
    with pytest.raises(type(error)):
        main()


def typed(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "faceset", *words], cwd=folder, capture_output=True, text=True)


def test_outside_a_project_a_command_says_so_in_one_line_with_exit_code_1(tmp_path: Path) -> None:
    done = typed(tmp_path, "explain", "film1/000001_0")
    assert done.returncode == 1
    assert done.stderr == (
        "faceset: config/config.yaml: no such file. Run this in a project's working directory. "
        "Where its settings are in another file, name that with --config.\n"
    )


def test_a_full_disk_is_one_line_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "film.json").write_text('{"film_000001.mp4": []}')
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "faceset", "export", "film.json", "out.json"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("faceset: [Errno 28] No space left on device")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [("instal", "film1"), (), ("store",), ("store", "gc"), ("draw", "film1")])
def test_what_cannot_be_parsed_is_told_with_the_usage_and_exit_code_2(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = typed(tmp_path, *words)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: faceset")
    assert "Traceback" not in done.stderr
