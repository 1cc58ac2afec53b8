"""Finding a project and reading its configuration.

Values are checked only when the file or the environment is new: a text that was once found valid is
remembered by its hash. The check of an address alone loads Python's email package, which takes 0.02 s.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
import types
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from publisher import __version__
from publisher.config.environment import CONFIG_FILE, overlay
from publisher.config.keys import Config
from publisher.core.errors import ConfigError, ProjectError, PublisherError

RULES = (
    "bounces.py",
    "checks.py",
    "colours.py",
    "durations.py",
    "keys.py",
    "letters.py",
    "mistakes.py",
    "readers.py",
    "run.py",
    "site.py",
    "theme.py",
    "web.py",
)  # what was valid may not be


def find_project(start: Path) -> Path:
    """Return the nearest folder upward from `start` that holds publisher.toml; raise ProjectError if none."""
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise ProjectError(
        f"no {CONFIG_FILE} here or in a folder above",
        where=str(start),
        hint="run `publisher init`, or name the project with --project DIR",
    )


def load_config(root: Path, environ: Mapping[str, str] | None = None, *, remember: bool = True) -> Config:
    """Read the configuration of the project at `root`.

    environ   defaults to the process's; only names that start with PUBLISHER_ count
    remember  False writes nothing, not even the hash of a valid text
    Raises ConfigError with every mistake, each with file, line and key.
    """
    path = root / CONFIG_FILE
    text = _read(path)
    env = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith("PUBLISHER_")}
    raw = plain(_parsed(text))
    unknown = overlay(raw, env)
    key = _fingerprint(text, env)
    stamp = root / ".publisher" / "config.valid"
    if unknown or not _known_valid(stamp, key):
        from publisher.config.mistakes import find_mistakes

        mistakes = find_mistakes(raw, text, env, unknown)
        if mistakes:
            raise ConfigError(mistakes)
        if remember:
            _remember(stamp, key)
    config: Config = replace(make(Config, raw), root=root)
    return config


def _read(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ProjectError(f"cannot be read: {error.strerror}", where=str(path)) from error
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        mistake = PublisherError("not UTF-8 text", where=f"{CONFIG_FILE}:{line}", hint="save it as UTF-8")
        raise ConfigError([mistake]) from error


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_toml_mistake(error, text)]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
        what = "its values nest too deeply" if isinstance(error, RecursionError) else str(error)
        raise ConfigError(
            [PublisherError(f"cannot be read: {what}", where=CONFIG_FILE, hint="take that value out")]
        ) from error


def _toml_mistake(error: tomllib.TOMLDecodeError, text: str) -> PublisherError:
    message, _, place = str(error).partition(" (at ")
    line = place.removeprefix("line ").split(",")[0].rstrip(")")
    number = line if line.isdigit() else str(text.rstrip().count("\n") + 1)
    return PublisherError(f"not valid TOML: {message}", where=f"{CONFIG_FILE}:{number}")


def plain(value: Any) -> Any:
    """Turn TOML's dates and times into text, so that `since = 2026-01-31` works without quotes."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def make(cls: type[Any], raw: Mapping[str, Any]) -> Any:
    """Build a configuration dataclass from a table that is known to be valid."""
    hints = get_type_hints(cls)
    return cls(**{name: _value(hints[name], value) for name, value in raw.items()})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(hint, type) and is_dataclass(hint):
        return make(hint, value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_value(inner, item) for item in value)
    assert get_origin(hint) in (None, Literal, types.UnionType)  # noqa: S101 - a new kind of key needs a case here
    return value


def _fingerprint(text: str, env: Mapping[str, str]) -> str:
    code = [__version__, *(str(Path(__file__).with_name(name).stat().st_mtime_ns) for name in RULES)]
    parts = [*code, text, *(f"{k}={v}" for k, v in sorted(env.items()))]
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _known_valid(stamp: Path, key: str) -> bool:
    try:
        return stamp.read_text(encoding="ascii") == key
    except (OSError, ValueError):
        return False


def _remember(stamp: Path, key: str) -> None:
    """Keep the hash for the next start; a folder that cannot be written only costs time."""
    try:
        stamp.parent.mkdir(mode=0o700, exist_ok=True)  # it holds addresses and a secret
        stamp.write_text(key, encoding="ascii")
    except OSError:
        pass
