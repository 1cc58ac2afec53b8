"""The way a table of publisher.toml is defined: a frozen dataclass whose fields carry their checks and their meaning.

    limit: Annotated[int, Check(checks.between(1, 10_000)), Doc("Maximum number of entries per feed.")] = 30

Validation, the names of environment variables and docs/configuration.md are all derived from these fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints


class Doc:
    """The description of a key, in one or two sentences, which docs/configuration.md shows."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Check:
    """A check of a key's value. Its function raises ValueError with a message for the person who wrote the file."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[Any], object]) -> None:
        self.function = function


class Key(NamedTuple):
    """One key of a table.

    type      str, int, bool, a Literal of strings, the dataclass of a table, or tuple[T, ...] of one of these
    checks    the functions that check a value of the right type, in this order
    meaning   the description of the key
    default   MISSING if the key is required; None for a table with its own defaults
    """

    type: Any
    checks: tuple[Callable[[Any], object], ...]
    meaning: str
    default: Any


@cache
def keys_of(table: type[Any]) -> Mapping[str, Key]:
    """Return the keys of a table by name, in the order of its class. A field without a Doc is not a key."""
    hints = get_type_hints(table, include_extras=True)
    found = {}
    for field in fields(table):
        kind, *marks = get_args(hints[field.name]) or (hints[field.name],)
        meaning = next((mark.text for mark in marks if isinstance(mark, Doc)), "")
        if meaning:
            checks = tuple(mark.function for mark in marks if isinstance(mark, Check))
            default = None if field.default_factory is not MISSING else field.default
            found[field.name] = Key(kind, checks, meaning, default)
    return found


def table_in(kind: Any) -> type[Any] | None:
    """Return the class of a key's table, or of each table in its list; None for a key with plain values."""
    inner = get_args(kind)[0] if get_origin(kind) is tuple else kind
    return inner if hasattr(inner, "__dataclass_fields__") else None
