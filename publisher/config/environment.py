"""PUBLISHER_* variables, laid over publisher.toml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_origin, get_type_hints

from publisher.config.keys import Config

CONFIG_FILE = "publisher.toml"


SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


NOT_SETTINGS = {"PUBLISHER_HOST", "PUBLISHER_PROJECT", "PUBLISHER_SECRET"}


def overlay(raw: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Lay PUBLISHER_SECTION_KEY variables over `raw`; return the names that are no setting."""
    names = variables() if env else {}
    unknown = []
    for name in sorted(env):
        if name in NOT_SETTINGS:
            continue
        if name not in names:
            unknown.append(name)
            continue
        keys, hint = names[name]
        table = raw
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                break
        else:
            table[keys[-1]] = _typed(env[name], hint)
    return unknown


def variables() -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return every variable that sets a key: name -> (path of the key, its type). Lists of tables have none."""
    found: dict[str, tuple[tuple[str, ...], Any]] = {}

    def walk(cls: type, path: tuple[str, ...]) -> None:
        hints = get_type_hints(cls)
        for item in fields(cls):
            hint, keys = hints[item.name], (*path, item.name)
            if isinstance(hint, type) and is_dataclass(hint):
                walk(hint, keys)
            elif keys != ("root",) and not _is_list_of_tables(hint):
                found["_".join(("PUBLISHER", *keys)).upper()] = (keys, hint)

    walk(Config, ())
    return found


def _is_list_of_tables(hint: Any) -> bool:
    return get_origin(hint) is tuple and is_dataclass(get_args(hint)[0])


def _typed(text: str, hint: Any) -> Any:
    """Turn a variable's text into the type of its key; a text that does not fit is left for the validator."""
    if hint is bool:
        return SWITCHES.get(text.strip().lower(), text)
    if hint is int:
        try:
            return int(text)
        except ValueError:
            return text
    if get_origin(hint) is tuple:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
