"""The origin of a key's value: a line of a TOML text, or an environment variable."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from publisher.config.environment import CONFIG_FILE, variables

KeyPath = tuple[str | int, ...]
"""The names of the tables that contain a key, then its own name. A table in a list is named by its index, from 0."""


class Origins:
    """The origin of every key in a configuration."""

    def __init__(self, text: str, env: Mapping[str, str]) -> None:
        """Keep the text of publisher.toml and the variables that override it."""
        self._lines, self._env = KeyLines(text), env

    def of(self, path: KeyPath) -> tuple[int, str]:
        """Return the line and "publisher.toml:line" of a key, or 0 and the name of the variable that set it."""
        for length in range(len(path), 0, -1):
            if name := self._variables.get(path[:length]):
                return 0, name
        line = self._lines.of(path)
        return line, f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE

    @cached_property
    def _variables(self) -> dict[KeyPath, str]:
        return {keys: name for name, (keys, _) in variables().items() if name in self._env}


class KeyLines:
    """The lines of the keys in a TOML text.

    They are found by parsing ever longer beginnings of the text, which works for every way of writing TOML.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lines = text.split("\n")  # TOML has only this line end, but splitlines() splits at others too

    def of(self, path: KeyPath) -> int:
        """Return the line (from 1) on which the key at `path` begins, or its nearest parent; 0 if neither exists."""
        for length in range(len(path), 0, -1):
            line = self._first(path[:length])
            if line:
                return line
        return 0

    def written(self, path: KeyPath) -> int:
        """Return the line (from 1) on which the key at `path` itself begins; 0 if it is not in the text."""
        return self._first(path)

    def _first(self, path: KeyPath) -> int:
        before = 0
        for end, table in _beginnings(self._text):
            if _contains(table, path):
                written = (n for n in range(before + 1, end + 1) if self._is_code(n))
                return next(written, end)
            before = end
        return 0

    def _is_code(self, number: int) -> bool:
        line = self._lines[number - 1].lstrip()
        return bool(line) and not line.startswith("#")


@lru_cache(maxsize=1)
def _beginnings(text: str) -> list[tuple[int, dict[str, Any]]]:
    """Every beginning of the text that is valid TOML, as its last line and the parsed table.

    The result is cached: it takes quadratic time, and the check of each email looks up lines of the same text.
    """
    lines, found = text.split("\n"), []
    for end in range(1, len(lines) + 1):
        try:
            table = tomllib.loads("\n".join(lines[:end]) + "\n")
        except tomllib.TOMLDecodeError:
            continue  # ends in the middle of a value that spans several lines
        found.append((end, table))
    return found


def _contains(table: Any, path: KeyPath) -> bool:
    for part in path:
        if isinstance(part, str):
            found = isinstance(table, dict) and part in table
        else:
            found = isinstance(table, list) and part < len(table)
        if not found:
            return False
        table = table[part]
    return True
