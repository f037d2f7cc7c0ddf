"""Promises of reading strangers' files, thousands of damaged and hostile ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import fuzzing

CASES_OF_A_KIND = 700


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of all cases, read in one process with bounded memory and time."""
    command = [sys.executable, fuzzing.__file__, str(tmp_path_factory.mktemp("fuzz")), str(CASES_OF_A_KIND)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(fuzzing.__file__).parent)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_every_file_is_read_or_refused_with_our_own_error(
    outcome: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    with capfd.disabled():
        for kind, counts in outcome["outcomes"].items():
            print(f"\nfuzzed {kind}: {counts}", end="", file=sys.stderr)
        print(file=sys.stderr)
    assert outcome["wrong"] == []
    counts = outcome["outcomes"]
    assert len(counts) == 12
    assert all(set(results) <= {"read", "refused"} for results in counts.values())
    # The damage is neither so small that it is never noticed nor so coarse that nothing behind the first check is met.
    for kind in ("pickle bytes", "pickle opcodes", "pickle values", "msgpack bytes", "msgpack values", "png values"):
        assert 10 < counts[kind]["read"] < CASES_OF_A_KIND / 2


def test_nothing_in_them_is_run(outcome: dict[str, Any]) -> None:
    assert not outcome["canary"]


def test_none_takes_long_or_fills_memory(outcome: dict[str, Any]) -> None:
    assert outcome["slowest_seconds"] < 10, outcome["slowest_case"]
    assert outcome["peak_mb"] < fuzzing.MEMORY_BYTES / 2**20
