"""What the comparison needs from a generator, and how generators are installed and run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.compare.corpus import Corpus, media

_FOLDERS = re.compile(r"(?<![\w:/.])/(?:[\w.+~-]+/)+")

_BUILD_SECONDS = 300
_INSTALL_SECONDS = 900


class MissingError(Exception):
    """A generator is not available on this machine; the message says why."""


class BuildError(Exception):
    """A generator failed to build the project; the message is the end of its output."""


@dataclass(frozen=True, slots=True)
class Generator:
    """One feed generator.

    setup    the documented set-up that is used, as a phrase for the report
    install  takes a folder for tools and returns the version; raises MissingError
    write    takes an empty folder and a corpus and writes the project
    command  takes the folder for tools and the project; it is run inside the project
    output   the folder that it writes, relative to the project
    notes    row -> what a manual setting, a plugin or a theme could add there
    """

    name: str
    setup: str
    install: Callable[[Path], str]
    write: Callable[[Path, Corpus], None]
    command: Callable[[Path, Path], Sequence[str | Path]]
    output: str
    notes: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def run(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str], seconds: int) -> str:
    """Run the command in `folder` and return what it printed; raise BuildError if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = [os.fspath(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            env={**kept, "TZ": "UTC", "COLUMNS": "240", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error
    said = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode:
        raise BuildError(_last_words(said))
    return said


def build(generator: Generator, tools: Path, folder: Path, environment: Mapping[str, str]) -> Path:
    """Build the project in `folder`; return the folder of its output. Raises BuildError."""
    run(generator.command(tools, folder), folder, {**generator.environment, **environment}, _BUILD_SECONDS)
    return folder / generator.output


def install_python(tools: Path, name: str, *packages: str) -> Path:
    """Return the folder of programs in a virtual environment with these packages; the environment is created once."""
    folder = tools / name
    programs = folder / "bin"
    try:
        if not (folder / ".installed").exists():
            run([sys.executable, "-m", "venv", "--clear", folder], tools, {}, _INSTALL_SECONDS)
            run([programs / "python", "-m", "pip", "--quiet", "install", *packages], tools, {}, _INSTALL_SECONDS)
            (folder / ".installed").touch()
    except BuildError as error:
        raise MissingError(f"pip cannot install {' '.join(packages)}: {error}") from error
    return programs


def install_node(tools: Path, name: str, *packages: str) -> Path:
    """Return a folder whose node_modules contains these packages; the folder is created once."""
    folder = tools / name
    npm = shutil.which("npm")
    if npm is None:
        raise MissingError("npm is not on the path")
    try:
        if not (folder / ".installed").exists():
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text('{"private": true, "type": "module"}\n', encoding="utf-8")
            flags = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
            run([npm, "install", *flags, *packages], folder, {}, _INSTALL_SECONDS)
            (folder / ".installed").touch()
    except BuildError as error:
        raise MissingError(f"npm cannot install {' '.join(packages)}: {error}") from error
    return folder


def node_version(folder: Path, package: str) -> str:
    """Return the version of an installed package."""
    data = json.loads((folder / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    return str(data["version"])


def write_text(path: Path, text: str) -> None:
    """Write a file and create its folders; line ends are unchanged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def write_media(folder: Path) -> None:
    """Write the project's images and audio files below `folder`."""
    for name, data in media().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def yaml_post(fields: Mapping[str, object], text: str) -> str:
    """Return a post with YAML front matter; empty fields are left out. Values are JSON, which is valid YAML."""
    lines = (f"{key}: {_yaml(value)}\n" for key, value in fields.items() if value or value is False)
    return f"---\n{''.join(lines)}---\n\n{text}"


def _yaml(value: object) -> str:
    if isinstance(value, Bare):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\ufffe", "\\uFFFE")


class Bare(str):
    """A value that is written in YAML without quotes, such as a date."""

    __slots__ = ()


def _last_words(said: str) -> str:
    """Return the end of a program's output in one line, without the folders of this machine."""
    lines = [line.strip() for line in _FOLDERS.sub("", said).splitlines() if line.strip()]
    return " / ".join(lines[-3:])[-300:] or "it said nothing"
