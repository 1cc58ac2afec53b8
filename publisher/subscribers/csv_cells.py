"""The contents of the cells of a subscriber file: topics, dates, and guards against formulas.

Excel and similar programs treat a cell as a formula if it begins with =, +, -, @ or white space, some of them also if
it begins with full-width forms of these characters. Strangers can choose such a name or address, so the export writes
an apostrophe in front, which turns the cell into text. The import removes the apostrophe, so that an exported file can
be imported without changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache

from publisher.core.characters import clean_line

LONGEST_TOPIC = 300  # characters
_SHORT_CELL = 200  # characters; a cell of up to this length is read once, however many people have it

_ITEM = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*(?=[,;]|$)|([^,;]*))(?:[,;]|$)', re.DOTALL)
_NEEDS_QUOTES = re.compile('[,;"]')


def topics_of(cell: str) -> tuple[str, ...]:
    """Return the topics in a cell. They are separated by commas or semicolons, and may contain spaces.

    A topic in quotes may also contain commas and semicolons, and a doubled quote in it means a single quote. For
    example, `birds, "Maps, old"` is two topics.
    """
    return _topics(cell) if len(cell) <= _SHORT_CELL else _topics.__wrapped__(cell)


@lru_cache(maxsize=1_000)
def _topics(cell: str) -> tuple[str, ...]:
    found = (
        quoted.replace('""', '"') if quoted is not None else bare for quoted, bare in map(_parts, _ITEM.finditer(cell))
    )
    return tuple(dict.fromkeys(topic for each in found if (topic := clean_line(each, LONGEST_TOPIC))))


def cell_of(topics: Iterable[str]) -> str:
    """Return a cell from which `topics_of` reads these topics."""
    return ", ".join(_quoted(topic) if _NEEDS_QUOTES.search(topic) else topic for topic in topics)


def _parts(match: re.Match[str]) -> tuple[str | None, str]:
    return match[1], match[2] or ""


def _quoted(topic: str) -> str:
    doubled = topic.replace('"', '""')
    return f'"{doubled}"'


# The characters that begin a formula, after normalisation. The mathematical minus sign has no plain form.
_SIGNS = frozenset("=+-@\t\r\n\N{MINUS SIGN}")


def guarded(cell: str) -> str:
    """Return a cell with an apostrophe in front if a spreadsheet could otherwise treat it as a formula."""
    return f"'{cell}" if _is_formula(cell) else cell


def unguarded(cell: str) -> str:
    """Return a cell without the apostrophe that `guarded` has added."""
    return cell[1:] if cell[:1] == "'" and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    """Return whether a cell begins like a formula, with a character in any form, such as full-width or superscript.

    Leading apostrophes do not count, and neither do spaces and invisible characters, which some programs remove.
    """
    for character in cell.lstrip("'"):
        if character in _SIGNS or unicodedata.normalize("NFKC", character)[:1] in _SIGNS:
            return True
        if unicodedata.category(character)[0] not in "ZC":
            return False
    return False


# Dates made only of numbers: their parts, and an optional time.
_NUMBERS = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?\s+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?")
_WORDS = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%a %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z")
_MONTH = re.compile("[A-Za-z]{3}")
_SECONDS = re.compile(r"[1-9]\d{9}(\d{3})?")  # seconds or milliseconds since 1970, for dates after September 2001


def date_of(cell: str, *, day_first: bool | None = None) -> datetime | None:
    """Return the moment in a cell, or None if the cell is not a date or its date is ambiguous.

    A date without a time zone is in UTC, and a date without a time means its first second. Dates such as 04/05/2024 are
    ambiguous; 13/05/2024 is not, and dates with full stops always begin with the day.
    day_first: whether such a date begins with the day; None if that is not known.
    """
    text = cell.strip()
    return _date(text, day_first) if 0 < len(text) <= 60 else None


@lru_cache(maxsize=1_000)
def _date(text: str, day_first: bool | None) -> datetime | None:
    found: datetime | None = None
    with suppress(ValueError, OverflowError, OSError):
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(int(text[:10]), UTC)
        if match := _NUMBERS.fullmatch(text):
            found = _of_numbers(match, day_first)
        elif _MONTH.search(text):
            found = _of_words(text)
        if found is None and re.match(r"\d{4}\D?\d\d\D?\d\d", text):
            found = datetime.fromisoformat(_with_offset(text.replace("/", "-")))
        if found is not None:
            return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _with_offset(text: str) -> str:
    return f"{text[:-3].rstrip()}+00:00" if text.endswith("UTC") else text


def day_comes_first(cells: Iterable[str]) -> bool | None:
    """Return whether the ambiguous dates among these cells begin with the day, judged by the others; None if unclear.

    A single date with a number greater than 12 shows how the program wrote all of them.
    """
    orders = set()
    for cell in cells:
        match = _NUMBERS.fullmatch(cell.strip())
        if match and match[2] != "." and max(int(match[1]), int(match[3])) > 12:
            orders.add(int(match[1]) > 12)
    return orders.pop() if len(orders) == 1 else None


def _of_numbers(match: re.Match[str], day_first: bool | None) -> datetime | None:
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == "." or first > 12 or first == second:
        day_first = True
    elif second > 12:
        day_first = False
    if day_first is None:
        return None
    day, month = (first, second) if day_first else (second, first)
    hour = int(match[5] or 0)
    if match[8]:
        hour = hour % 12 + 12 * (match[8].lower() == "pm")
    return datetime(year, month, day, hour, int(match[6] or 0), int(match[7] or 0), tzinfo=UTC)


def _of_words(text: str) -> datetime | None:
    plain = " ".join(text.replace(",", " ").replace(" GMT", " +0000").replace(" UTC", " +0000").split())
    for form in _WORDS:
        with suppress(ValueError):
            found = datetime.strptime(plain, form)  # noqa: DTZ007 - `date_of` adds the time zone
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
