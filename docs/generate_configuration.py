"""Write the tables of docs/configuration.md from the keys themselves (publisher/config/).

    python docs/generate_configuration.py

Only the text between the two marks is replaced. A test fails while the page is out of date.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, is_dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from publisher.config import Config
from publisher.config.checks import between
from publisher.config.environment import variables
from publisher.config.keys import Key, keys_of, table_in

PAGE = Path(__file__).parent / "configuration.md"
BEGIN = "<!-- The tables below are written by generate_configuration.py; do not edit them. -->"
END = "<!-- End of the tables. -->"

_HEAD = ("Key", "Type", "Default", "Meaning")
_WORDS = {str: "text", int: "whole number", bool: "true or false"}


def with_tables(page: str) -> str:
    """Return the page with new tables between its marks; raise ValueError if a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost one of its marks")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """Return a section for each table of publisher.toml, in the order of the keys."""
    return "\n".join(_sections(Config, ()))


def _sections(table: type[Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the section of one table, then those of the tables inside it."""
    rows: list[str] = []
    inner: list[tuple[str, Key, tuple[str, ...]]] = []
    for name, key in keys_of(table).items():
        here = (*path, name)
        dotted = ".".join(here)
        if table_in(key.type):
            inner.append((f"### [{dotted}]" if is_dataclass(key.type) else f"### [[{dotted}]]", key, here))
        else:
            rows.append(_row(here, key))
    if rows:
        yield "\n".join([_line(_HEAD), _line("---" for _ in _HEAD), *rows, ""])
    for heading, key, here in inner:
        yield f"{heading}\n\n{_escaped(key.meaning)}\n"
        yield from _sections(table_in(key.type), here)


def _row(path: tuple[str, ...], key: Key) -> str:
    ranges = "".join(f", {check}" for check in key.checks if isinstance(check, between))
    default = "required" if key.default is MISSING else f"`{_toml(key.default)}`"
    name = "_".join(("PUBLISHER", *path)).upper()
    variable = f"<br>`{name}`" if name in variables() else ""
    return _line((f"`{path[-1]}`", _type(key.type) + ranges, default, _escaped(key.meaning) + variable))


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _type(hint: Any, joint: str = " or ") -> str:
    if get_origin(hint) is Literal:
        return joint.join(f'`"{word}"`' for word in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0], ', ')}"
    return _WORDS[hint]


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace(">", "&gt;")


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
