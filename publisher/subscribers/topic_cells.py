"""Topics in one cell of a file, and out of it again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from publisher.subscribers.address import clean_line

LONGEST_TOPIC = 300  # characters

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=[,;]|$)|([^,;]*))(?:[,;]|$)', re.DOTALL)
_NEEDS_QUOTES = re.compile('[,;"]')


def topics_of(cell: str) -> tuple[str, ...]:
    """Return the topics of a cell, which commas or semicolons separate; spaces belong to a topic.

    Quotes around a topic keep a comma in it, and a doubled quote is a quote there: `birds, "Maps, old"` is two.
    """
    found = (
        quoted.replace('""', '"') if quoted is not None else bare for quoted, bare in map(_parts, _ITEM.finditer(cell))
    )
    return tuple(dict.fromkeys(topic for each in found if (topic := clean_line(each, LONGEST_TOPIC))))


def cell_of(topics: Iterable[str]) -> str:
    """Return a cell that `topics_of` reads as these topics."""
    return ", ".join(_quoted(topic) if _NEEDS_QUOTES.search(topic) else topic for topic in topics)


def _parts(match: re.Match[str]) -> tuple[str | None, str]:
    return match[1], match[2] or ""


def _quoted(topic: str) -> str:
    doubled = topic.replace('"', '""')
    return f'"{doubled}"'
