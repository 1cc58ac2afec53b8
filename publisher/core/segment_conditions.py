"""The conditions that segments are made of, as a tree, and the meaning of their texts and days.

segment_language.py reads them, and store/segments.py turns them into SQL.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

from publisher.core.frozen import dataclass

PAUSED = "paused"  # in addition to a subscriber's statuses: active, but sent nothing at the moment


class Subject(StrEnum):
    """The subject of a comparison: the property of a subscriber that it is about."""

    TAG = "tag"
    TOPIC = "topic"
    NEWSLETTER = "newsletter"
    STATUS = "status"
    LANGUAGE = "language"
    SOURCE = "source"
    ADDRESS = "address"
    NAME = "name"
    NOTE = "note"
    JOINED = "joined"
    LEFT = "left"
    BOUNCES = "bounces"
    FIELD = "field"


class Operator(StrEnum):
    """How a condition compares. `:` means the same as `=`, and for a source the same as `~`."""

    IS = "="
    IS_NOT = "!="
    CONTAINS = "~"
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    HAS_VALUE = "has value"
    HAS_NO_VALUE = "has no value"


@dataclass(frozen=True, slots=True)
class Ago:
    """A day that is counted back from today, such as `30 days ago`."""

    number: int
    unit: str  # "day", "week", "month" or "year"


@dataclass(frozen=True, slots=True)
class Value:
    """The right side of a comparison.

    text   as it was written, without quotation marks
    typed  its value if it was written without quotation marks: a number, a day, or yes (True) and no (False)
    """

    text: str
    typed: float | bool | date | Ago | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison.

    field   the name of the field, if the subject is FIELD
    value   None for HAS_VALUE and HAS_NO_VALUE
    column  where it begins in the text, from 1
    """

    subject: Subject
    operator: Operator
    value: Value | None = None
    field: str = ""
    column: int = 1


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of a condition."""

    part: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """A condition that is true if all of its parts are true."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """A condition that is true if any of its parts is true."""

    parts: tuple[Condition, ...]


Condition = Term | Not | AllOf | AnyOf


def terms(condition: Condition) -> Iterator[Term]:
    """Yield the comparisons of a condition, from left to right."""
    match condition:
        case Term():
            yield condition
        case Not(part):
            yield from terms(part)
        case AllOf(parts) | AnyOf(parts):
            for each in parts:
                yield from terms(each)


def day_of(value: date | Ago, today: date) -> date:
    """Return the day that a date in a condition stands for. If its month is too short, it is the month's last day."""
    if isinstance(value, date):
        return value
    if value.unit in ("day", "week"):
        return today - timedelta(days=value.number * (7 if value.unit == "week" else 1))
    months = today.year * 12 + today.month - 1 - value.number * (12 if value.unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))


def start_of(day: date, zone: datetime) -> datetime:
    """Return the moment at which a day begins, in the time zone of `zone`."""
    return datetime(day.year, day.month, day.day, tzinfo=zone.tzinfo)


def fold(text: str) -> str:
    """Return a text with each capital replaced by one small letter, because comparisons ignore case.

    A capital that does not have exactly one small letter stays, so that SQL can do the same; see `other_cases`.
    """
    return "".join(_small(character) for character in text)


def other_cases(text: str) -> dict[str, str]:
    """Return the capitals outside of ASCII that `fold` would turn into characters of a folded text."""
    found = {}
    for character in set(text):
        capital = character.upper()
        if not character.isascii() and capital != character and len(capital) == 1 and _small(capital) == character:
            found[capital] = character
    return dict(sorted(found.items()))


def _small(character: str) -> str:
    small = character.lower()
    is_pair = character.isascii() or (len(small) == 1 and small.upper() == character)
    return small if is_pair else character
