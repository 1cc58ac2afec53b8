"""Write the tables of docs/configuration.md from the keys themselves (publisher/config/).

    python docs/generate_configuration.py

Only what stands between the two marks is replaced. A test fails while the page says anything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from publisher.config import Config
from publisher.config.checks import Check, Doc, between
from publisher.config.environment import variables

PAGE = Path(__file__).parent / "configuration.md"
BEGIN = "<!-- The tables below are written by generate_configuration.py; do not edit them. -->"
END = "<!-- End of the tables. -->"

_HEAD = ("Key", "Type", "Default", "Meaning")
_WORDS = {str: "text", int: "whole number", bool: "true or false"}


def with_tables(page: str) -> str:
    """Return the page with the tables between its marks made anew; raise ValueError when a mark is missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE.name} has lost one of its marks")
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """Return one section a table of publisher.toml, in the order of the keys."""
    return "\n".join(_sections(Config, ()))


def _sections(cls: type[Any], path: tuple[str, ...]) -> Iterator[str]:
    """Yield the section of one table, then those of the tables inside it."""
    rows: list[str] = []
    inner: list[tuple[str, str, Any, tuple[str, ...]]] = []
    for field, hint, meaning in keys(cls):
        here = (*path, field.name)
        if is_dataclass(hint):
            inner.append((f"### [{'.'.join(here)}]", meaning, hint, here))
        elif get_origin(hint) is tuple and is_dataclass(get_args(hint)[0]):
            inner.append((f"### [[{'.'.join(here)}]]", meaning, get_args(hint)[0], here))
        else:
            rows.append(_row(here, field, _type(hint) + _range(cls, field.name), meaning))
    if rows:
        yield "\n".join([_line(_HEAD), _line("---" for _ in _HEAD), *rows, ""])
    for heading, meaning, table, here in inner:
        yield f"{heading}\n\n{_escaped(meaning)}\n"
        yield from _sections(table, here)


def keys(cls: type[Any]) -> Iterator[tuple[Field[Any], Any, str]]:
    """Yield (field, type, meaning) of every key of one table that a person may write."""
    hints = get_type_hints(cls, include_extras=True)
    for field in fields(cls):
        hint, *extras = get_args(hints[field.name]) if get_origin(hints[field.name]) is Annotated else (None,)
        meaning = next((extra.text for extra in extras if isinstance(extra, Doc)), "")
        if meaning:  # `root` has none: it is the folder itself, and no key
            yield field, hint, meaning


def _range(cls: type[Any], name: str) -> str:
    """The range that a key's own check accepts."""
    extras = get_args(get_type_hints(cls, include_extras=True)[name])[1:]
    checks = [extra.function for extra in extras if isinstance(extra, Check)]
    return "".join(f", {check}" for check in checks if isinstance(check, between))


def _row(path: tuple[str, ...], field: Field[Any], kind: str, meaning: str) -> str:
    name = "_".join(("PUBLISHER", *path)).upper()
    variable = f"<br>`{name}`" if name in variables() else ""
    return _line((f"`{field.name}`", kind, _default(field), _escaped(meaning) + variable))


def _line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _type(hint: Any, joint: str = " or ") -> str:
    if get_origin(hint) is Literal:
        return joint.join(f'`"{word}"`' for word in get_args(hint))
    if get_origin(hint) is tuple:
        return f"list of {_type(get_args(hint)[0], ', ')}"
    return _WORDS[hint]


def _default(field: Field[Any]) -> str:
    return "required" if field.default is MISSING else f"`{_toml(field.default)}`"


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
