"""Write requirements.lock and the conda environment from pyproject.toml (`make lock`; needs uv on the path).

The lock has three sections: what every machine installs, and what only one without or with an NVIDIA driver does.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def compile_pins(*extras: str) -> dict[str, str]:
    """The pinned requirements of the project with some extras: name and marker, and the text with hashes."""
    command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", *(f"--extra={extra}" for extra in extras), "pyproject.toml"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    entries = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    return {entry.split("\\")[0].strip(): entry for entry in entries}


def conda_environment(pins: dict[str, str]) -> str:
    """The environment that `--sdm conda` makes: the same versions, by pip."""
    lines = "".join(f'      - "{name}"\n' for name in sorted(pins))
    return f"channels:\n  - conda-forge\ndependencies:\n  - python =3.11\n  - pip\n  - pip:\n{lines}"


def main() -> None:
    """Write both files."""
    cpu, gpu = compile_pins("cpu", "dev"), compile_pins("gpu", "dev")
    sections = {
        "# every machine": [cpu[name] for name in cpu if name in gpu],
        "# cpu": [cpu[name] for name in cpu if name not in gpu],
        "# gpu": [gpu[name] for name in gpu if name not in cpu],
    }
    lock = "\n".join(f"{title}\n" + "\n".join(entries) + "\n" for title, entries in sections.items())
    (ROOT / "requirements.lock").write_text(lock)
    (ROOT / "envs" / "faceset.yaml").write_text(conda_environment(compile_pins("gpu")))
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    print(f"{name}: {len(cpu)} packages without a GPU, {len(gpu)} with one", file=sys.stderr)


if __name__ == "__main__":
    main()
