"""Write the lists of this folder: what is installed, each file with its hash, from pyproject.toml and constraints.txt.

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

# The extras of which each list has the packages. Those of run.txt, and in bench.txt of test.txt, are not repeated.
EXTRAS: dict[str, tuple[str, ...]] = {
    "run": (),
    "postgres": ("postgres",),
    "test": ("test",),
    "bench": ("test", "bench"),
}
WHAT = {
    "run": "What Publisher needs",
    "postgres": "What PostgreSQL needs besides run.txt",
    "test": "What the tests need besides run.txt",
    "bench": "What the benchmarks need besides run.txt",
    "tools": "What writes these lists and looks for known vulnerabilities, in an environment of its own",
    "build": "What builds Publisher's own package, and those that are published as source only",
    "source-run": "What is published as source only, of run.txt",
    "source-test": "What is published as source only, of test.txt",
}
HEAD = "# {what}. Written by `make lock`; pip refuses a file whose hash is not here.\n"

# These are built here, by what build.txt lists: pip would fetch what builds them without looking at hashes.
SOURCE = {"feedgen": "source-run", "dkimpy": "source-test"}
# An editable installation needs editables, and the packages of SOURCE the other two, besides what pyproject.toml names.
BUILD = ("editables", "setuptools", "wheel")
TOOLS = ("pip-audit", "uv")


def compiled(source: Path, *options: str) -> dict[str, str]:
    """Return the locked requirements of a file, by name: each with its version, marker and hashes."""
    command = [sys.executable, "-m", "uv", "pip", "compile", str(source), "--constraint", str(CONSTRAINTS)]
    command += [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        "--quiet",
    ]
    text = subprocess.run([*command, *options], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    parts = re.split(r"^(?=\S)", text, flags=re.MULTILINE)
    return {re.split(r"[=\s]", part)[0]: part for part in parts if "==" in part}


def compiled_names(*names: str) -> dict[str, str]:
    """Return the locked requirements of some packages."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "names.in")
        source.write_text("\n".join(names))
        return compiled(source)


def main() -> None:
    """Write every list."""
    lists: dict[str, dict[str, str]] = {}
    for name, extras in EXTRAS.items():
        options = [part for extra in extras for part in ("--extra", extra)]
        base = lists.get("run", {}) | (lists["test"] if name == "bench" else {})
        found = compiled(ROOT / "pyproject.toml", *options)
        lists[name] = {key: text for key, text in found.items() if base.get(key) != text}
    system = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    lists |= {"build": compiled_names(*system, *BUILD), "tools": compiled_names(*TOOLS)}
    lists |= {file: {key: lists[file.removeprefix("source-")][key]} for key, file in SOURCE.items()}
    for name, found in lists.items():
        (FOLDER / f"{name}.txt").write_text(HEAD.format(what=WHAT[name]) + "".join(found.values()))


if __name__ == "__main__":
    main()
