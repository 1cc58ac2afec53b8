"""Write the lists of this folder: what is installed, each file of it with its hash, from pyproject.toml and constraints.txt.

Run it by `make lock` after a change of either. uv asks the registry that it is configured for; no list names it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent
CONSTRAINTS = ROOT / "constraints.txt"

# Each list has what the lists before it lack: `pip install -r run.txt -r test.txt`. build.txt is a list of its own.
EXTRAS: dict[str, tuple[str, ...]] = {"run": (), "postgres": ("postgres",), "test": ("postgres", "test")}
# An editable installation needs editables, and the dependencies that are published as source only need the other two.
BUILD = ("editables", "setuptools", "wheel")

HEAD = "# {what}. Written by `make lock`; pip refuses a file whose hash is not here.\n"
WHAT = {
    "run": "What Publisher needs",
    "postgres": "What PostgreSQL needs besides run.txt",
    "test": "What the tests need besides run.txt",
    "build": "What builds Publisher's own package",
}


def compiled(source: Path, *options: str) -> dict[str, str]:
    """Return the locked requirements of a file, by name: each with its version, marker and hashes."""
    command = [sys.executable, "-m", "uv", "pip", "compile", str(source), "--constraint", str(CONSTRAINTS)]
    command += ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"]
    text = subprocess.run([*command, *options], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    parts = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    return {re.split(r"[=\s]", part)[0]: part for part in parts if "==" in part}


def build_requirements() -> dict[str, str]:
    """Return the locked requirements of the build system."""
    system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "build.in")
        source.write_text("\n".join([*system, *BUILD]))
        return compiled(source)


def main() -> None:
    """Write every list."""
    lists: dict[str, dict[str, str]] = {}
    for name, extras in EXTRAS.items():
        options = [part for extra in extras for part in ("--extra", extra)]
        found = compiled(ROOT / "pyproject.toml", *options)
        base = lists.get("run", {})
        lists[name] = {key: text for key, text in found.items() if base.get(key) != text}
    lists["build"] = build_requirements()
    for name, found in lists.items():
        (FOLDER / f"{name}.txt").write_text(HEAD.format(what=WHAT[name]) + "".join(found.values()))


if __name__ == "__main__":
    main()
