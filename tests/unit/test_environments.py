"""The lock says exactly what pyproject.toml needs, and the conda environment the same as the lock."""

import re
import tomllib

import yaml

from faceset.project.project import REPOSITORY

LOCK = (REPOSITORY / "requirements.lock").read_text()


def _pins(text: str) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\\n\"]+)", text, re.MULTILINE):
        pins.setdefault(name, set()).add(version)
    return pins


def test_the_lock_names_no_index_and_no_address() -> None:
    assert "://" not in LOCK
    assert "--index" not in LOCK


def test_every_pin_has_hashes() -> None:
    for entry in re.split(r"\n(?=[A-Za-z0-9])", LOCK):
        if "==" in entry:
            assert "--hash=sha256:" in entry, entry.splitlines()[0]


def test_the_lock_holds_all_that_the_project_needs() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    needed = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    names = {re.split(r"[=<>\[;]", requirement)[0] for requirement in needed}
    assert names <= _pins(LOCK).keys()


def test_the_conda_environment_holds_the_versions_of_the_lock() -> None:
    environment = yaml.safe_load((REPOSITORY / "envs/faceset.yaml").read_text())
    pinned = environment["dependencies"][-1]["pip"]
    locked = _pins(LOCK)
    assert any(entry.startswith("onnxruntime-gpu==") for entry in pinned)
    for name, versions in _pins("\n".join(pinned)).items():
        assert versions == locked[name], name


def test_every_rule_runs_in_that_environment() -> None:
    for path in (REPOSITORY / "rules").glob("*.smk"):
        text = path.read_text()
        own = re.findall("^rule ", text, re.MULTILINE)  # `use rule` takes it over
        assert text.count('"../envs/faceset.yaml"') == len(own), path.name
