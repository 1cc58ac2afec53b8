"""PUBLISHER_* environment variables, which override publisher.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

from publisher.config.keys import keys_of, table_in
from publisher.config.project import Config
from publisher.core.host_id import HOST_VARIABLE, JOIN_VARIABLE
from publisher.core.signing import SECRET_VARIABLE

CONFIG_FILE = "publisher.toml"
NOT_SETTINGS = {HOST_VARIABLE, JOIN_VARIABLE, "PUBLISHER_PROJECT", SECRET_VARIABLE}
"""Variables that other parts of the program read; they set no key."""

SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


def overlay(raw: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Write the values of PUBLISHER_SECTION_KEY variables into `raw`; return the names of variables that set no key."""
    names = variables() if env else {}
    unknown = []
    for name in sorted(env):
        if name in NOT_SETTINGS:
            continue
        if name not in names:
            unknown.append(name)
            continue
        keys, kind = names[name]
        table = raw
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                break
        else:
            table[keys[-1]] = _typed(env[name], kind)
    return unknown


def variables() -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return every variable that sets a key, as name -> (path of the key, its type).

    Keys in lists of tables have no variables.
    """
    found: dict[str, tuple[tuple[str, ...], Any]] = {}

    def walk(table: type, path: tuple[str, ...]) -> None:
        """Add the variables of a table and of the tables in it."""
        for name, key in keys_of(table).items():
            keys, inner = (*path, name), table_in(key.type)
            if inner is None:
                found["_".join(("PUBLISHER", *keys)).upper()] = (keys, key.type)
            elif inner is key.type:
                walk(inner, keys)

    walk(Config, ())
    return found


def _typed(text: str, kind: Any) -> Any:
    """Convert a variable's text to the type of its key. Text that doesn't fit stays text, for validation to report."""
    if kind is bool:
        return SWITCHES.get(text.strip().lower(), text)
    if kind is int:
        try:
            return int(text)
        except ValueError:
            return text
    if get_origin(kind) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
