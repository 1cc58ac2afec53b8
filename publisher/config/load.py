"""Functions that find a project and read its configuration."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

from publisher.config.colours import write_in_hex
from publisher.config.environment import CONFIG_FILE, overlay
from publisher.config.keys import keys_of, table_in
from publisher.config.mistakes import find_mistakes
from publisher.config.project import Config
from publisher.config.theme import COLOURS
from publisher.config.toml_advice import advice_on
from publisher.core import patterns
from publisher.core.errors import ConfigError, ProjectError, PublisherError

# How deeply tables and arrays may be nested. tomllib takes 12 seconds for a key of 30,000 parts.
_MOST_DEPTH = 100
_PART = r"""(?:[\w-]++|"(?:[^"\\\n]++|\\.)*+"|'[^'\n]*+')"""
_DOTTED = patterns.compile(rf"(?<![\w\"'.-])(?:{_PART}[ \t]*+\.[ \t]*+){{{_MOST_DEPTH}}}")


def find_project(start: Path) -> Path:
    """Return `start` or the nearest folder above it that contains publisher.toml; raise ProjectError if none does."""
    for folder in (start, *start.parents):
        if (folder / CONFIG_FILE).is_file():
            return folder
    raise ProjectError(
        f"no {CONFIG_FILE} here or in a folder above",
        where=str(start),
        hint="run `publisher init`, or name the project with --project DIR",
    )


def load_config(root: Path, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration of the project at `root`.

    environ   environment variables, by default those of the process; only names that start with PUBLISHER_ count
    Raises ConfigError with all mistakes, each with its file, line and key, and ProjectError if the file can't be read.
    """
    text = _read(root / CONFIG_FILE)
    env = {k: v for k, v in (os.environ if environ is None else environ).items() if k.startswith("PUBLISHER_")}
    raw = _parsed(text)
    unknown = overlay(raw, env)
    write_in_hex(raw, COLOURS)
    if mistakes := find_mistakes(raw, text, env, unknown):
        raise ConfigError(mistakes)
    config: Config = replace(_built(Config, raw), root=root)
    return config


def mistakes_in(text: str) -> list[PublisherError]:
    """Return the mistakes in the text of a publisher.toml that has not been written yet, each with its line."""
    try:
        raw = _parsed(text)
    except ConfigError as error:
        return error.mistakes
    write_in_hex(raw, COLOURS)
    return find_mistakes(raw, text, {}, [])


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
    if too_deep := _deep_line(text):
        what = f"not valid TOML here: its values are nested more than {_MOST_DEPTH} deep"
        raise ConfigError([PublisherError(what, where=f"{CONFIG_FILE}:{too_deep}", hint="remove that value")])
    try:
        parsed = _plain(tomllib.loads(text))
        assert isinstance(parsed, dict)  # noqa: S101 - a TOML document is a table
        return parsed
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([_toml_mistake(error, text)]) from error
    except (ValueError, RecursionError) as error:  # a number with thousands of digits, or thousands of nested brackets
        what = "its values are nested too deeply" if isinstance(error, RecursionError) else str(error)
        mistake = PublisherError(f"cannot be read: {what}", where=CONFIG_FILE, hint="remove that value")
        raise ConfigError([mistake]) from error


def _deep_line(text: str) -> int:
    """Return the first line that has a key with too many parts, or too many open brackets; 0 if there is none."""
    depth = 0
    for number, line in enumerate(text.split("\n"), 1):
        depth = max(0, depth + line.count("[") + line.count("{") - line.count("]") - line.count("}"))
        if depth > _MOST_DEPTH or (line.count(".") > _MOST_DEPTH and _DOTTED.search(line)):
            return number
    return 0


def _toml_mistake(error: tomllib.TOMLDecodeError, text: str) -> PublisherError:
    message, _, place = str(error).partition(" (at ")
    line = place.removeprefix("line ").split(",")[0].rstrip(")")
    number = line if line.isdigit() else str(text.rstrip().count("\n") + 1)
    if advice := advice_on(text.split("\n"), int(number)):
        at, (what, hint) = advice
        return PublisherError(f"not valid TOML: {what}", where=f"{CONFIG_FILE}:{at}", hint=hint)
    # Python shows the path of a key as a tuple: Cannot declare ('mail', 'smtp') twice
    message = re.sub(r"\(('[^()]*'),?\)", lambda found: found[1].replace("', '", ".").strip("'"), message)
    return PublisherError(f"not valid TOML: {message}", where=f"{CONFIG_FILE}:{number}")


def _plain(value: Any) -> Any:
    """Convert TOML's dates and times to text, so that `since = 2026-01-31` works without quotes.

    Raises ValueError for a number of more than 64 bits, which TOML does not allow and Python may not be able to show.
    """
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 64:
        raise ValueError("a number is larger than 64 bits")
    return value.isoformat() if hasattr(value, "isoformat") else value


def _built(cls: type, table: Mapping[str, Any]) -> Any:
    """Build the dataclass of a table that has no mistakes."""
    keys = keys_of(cls)
    return cls(**{name: _value(keys[name].type, value) for name, value in table.items()})


def _value(kind: Any, value: Any) -> Any:
    if get_origin(kind) is tuple:
        return tuple(_value(get_args(kind)[0], item) for item in value)
    table = table_in(kind)
    return _built(table, value) if table else value
