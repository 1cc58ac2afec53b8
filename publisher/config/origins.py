"""Where a key got its value: a line of a TOML text, or an environment variable."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from publisher.config.environment import CONFIG_FILE, variables

KeyPath = tuple[str | int, ...]
"""The names of the tables that lead to a key, and its own; a table in a list is an index from 0."""


class Origins:
    """Says where each key of a configuration was set."""

    def __init__(self, text: str, env: Mapping[str, str]) -> None:
        """Prepare. text: publisher.toml as it was read. env: the variables that override it."""
        self._lines, self._env = KeyLines(text), env

    def of(self, path: KeyPath) -> tuple[int, str]:
        """Return the line and "publisher.toml:line", or 0 and the name of the variable that set the key."""
        for length in range(len(path), 0, -1):
            if name := self._variables.get(path[:length]):
                return 0, name
        line = self._lines.of(path)
        return line, f"{CONFIG_FILE}:{line}" if line else CONFIG_FILE

    @cached_property
    def _variables(self) -> dict[KeyPath, str]:
        return {keys: name for name, (keys, _) in variables().items() if name in self._env}


class KeyLines:
    """Finds the line of a key by parsing ever longer beginnings of the text, which works for every TOML spelling."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")  # the only end of a line in TOML; splitlines() knows nine

    def of(self, path: KeyPath) -> int:
        """Return the line (from 1) on which `path` begins, or that of its nearest parent; 0 if neither is there."""
        for length in range(len(path), 0, -1):
            line = self._first(path[:length])
            if line:
                return line
        return 0

    def _first(self, path: KeyPath) -> int:
        before = 0
        for end, table in self._beginnings:
            if _contains(table, path):
                written = (n for n in range(before + 1, end + 1) if self._is_code(n))
                return next(written, end)
            before = end
        return 0

    def _is_code(self, number: int) -> bool:
        line = self._lines[number - 1].lstrip()
        return bool(line) and not line.startswith("#")

    @cached_property
    def _beginnings(self) -> list[tuple[int, dict[str, Any]]]:
        """Every beginning of the text that is valid TOML: its last line, and its table."""
        found = []
        for end in range(1, len(self._lines) + 1):
            try:
                table = tomllib.loads("\n".join(self._lines[:end]) + "\n")
            except tomllib.TOMLDecodeError:
                continue  # ends in the middle of a value of several lines
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
