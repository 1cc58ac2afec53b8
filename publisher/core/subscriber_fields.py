"""The owner's own data about subscribers: tags, and fields with the values that they can have.

A tag is a word for a group of people. A field has a value of one kind for each person who has one.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from publisher.core import patterns
from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError

# A date is text in the form 2026-11-29, so that the values can be stored as JSON.
FieldValue = str | int | float | bool

LONGEST_TAG = 60  # characters
MOST_TAGS = 100  # of one person
LONGEST_FIELD_NAME = 60  # characters
MOST_FIELDS = 100  # of one person
LONGEST_VALUE = 500  # characters
LONGEST_NOTE = 5_000  # characters

# Names that mean something else in emails and conditions.
RESERVED = frozenset(
    [
        *("address", "email", "fields", "language", "name", "note", "source"),
        *("status", "subscriber", "tag", "tags", "topic", "topics", "uid"),
    ]
)

# A number with a leading zero is a code, and a number with more digits than a float has would change.
_NUMBER = patterns.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,10})?")
_DATE = patterns.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?")
_YES = frozenset({"yes", "y", "true", "on", "1"})
_NO = frozenset({"no", "n", "false", "off", "0"})
_NOT_IN_TAGS = frozenset('",;()')
_SPELT = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i"}


class FieldKind(StrEnum):
    """The kind of a field's values."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"


def clean_tag(text: str) -> str:
    """Return a tag as it is stored: on one line, and in lower case, so that VIP and vip are the same.

    Raises SubscriberError for a tag that is empty or too long, or contains a character that conditions and files need.
    """
    tag = clean_line(text, LONGEST_TAG + 1).lower()
    shown = repr(tag[:LONGEST_TAG])
    if not tag:
        raise SubscriberError("the tag is empty")
    if len(tag) > LONGEST_TAG:
        raise SubscriberError(f"the tag {shown} is too long", hint=f"at most {LONGEST_TAG} characters")
    if tag[0] in "+-" or not _NOT_IN_TAGS.isdisjoint(tag):
        raise SubscriberError(
            f"{shown} can't be a tag",
            hint="a tag must not contain commas, semicolons, quotes or brackets, or begin with + or -",
        )
    return tag


def clean_tags(texts: Iterable[str]) -> tuple[str, ...]:
    """Return tags cleaned by `clean_tag`, sorted and without duplicates. Raises SubscriberError, also for too many."""
    tags = tuple(sorted({clean_tag(text) for text in texts}))
    if len(tags) > MOST_TAGS:
        raise SubscriberError(f"these are {len(tags):,} tags", hint=f"a person has at most {MOST_TAGS}")
    return tags


def clean_field_name(text: str) -> str:
    """Return the name of a field that has this heading, such as favourite_colour for "Favourite colour".

    Raises SubscriberError if the heading has no letters of the Latin alphabet, or if the name means something else.
    """
    plain = "".join(_SPELT.get(sign, sign) for sign in clean_line(text, 4 * LONGEST_FIELD_NAME).lower())
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    words = "".join(sign if sign.isalnum() else " " for sign in ascii_only).split()
    name = "_".join(words)[:LONGEST_FIELD_NAME].rstrip("_")
    if not name[:1].isalpha():
        raise SubscriberError(
            f"{clean_line(text, LONGEST_FIELD_NAME)!r} can't be the name of a field",
            hint="write it like city or plan_2",
        )
    if name in RESERVED:
        raise SubscriberError(f"{name!r} can't be the name of a field", hint="it means something else in emails")
    return name


def parse_value(kind: FieldKind, text: str) -> FieldValue:
    """Parse a text as the value of a field of the given kind.

    Raises SubscriberError if it is empty or too long, or isn't of that kind.
    """
    value = clean_line(text, LONGEST_VALUE + 1)
    if not value:
        raise SubscriberError("the value is empty")
    if len(value) > LONGEST_VALUE:
        raise SubscriberError(f"the value is longer than {LONGEST_VALUE} characters")
    found = _READERS[kind](value)
    if found is None:
        raise SubscriberError(f"{value[:60]!r} isn't {_CALLED[kind]}", hint=_HOW[kind])
    return found


def is_of_kind(kind: FieldKind, text: str) -> bool:
    """Return whether a text is a value of a kind. A code such as 01234 is a text, and not a number."""
    return _READERS[kind](text.strip()) is not None


def shown_value(value: FieldValue) -> str:
    """Return a value as people write it: yes and no, numbers without exponents, dates such as 2026-11-29."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value)


def encode_fields(fields: Mapping[str, FieldValue]) -> str:
    """Return fields as text for a column: a JSON object, sorted by name, without line breaks."""
    if not fields:
        return "{}"
    return json.dumps(dict(sorted(fields.items())), ensure_ascii=False, separators=(",", ":"))


def decode_fields(text: str) -> dict[str, FieldValue]:
    """Return the fields in a column, or none if its text is not a JSON object, for example after an edit by hand."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(name): value for name, value in found.items() if isinstance(value, str | int | float)}


def _number(text: str) -> FieldValue | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text) if "." in text else int(text)
    return int(value) if value == int(value) else value


def _date(text: str) -> FieldValue | None:
    """Return the day of a date, or of a moment, as a text in the form 2026-11-29."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text[:10]).isoformat()
    except ValueError:
        return None


def _yes_or_no(text: str) -> FieldValue | None:
    word = text.lower()
    return True if word in _YES else False if word in _NO else None


_READERS: Mapping[FieldKind, Callable[[str], FieldValue | None]] = {
    FieldKind.TEXT: str,
    FieldKind.NUMBER: _number,
    FieldKind.DATE: _date,
    FieldKind.YES_NO: _yes_or_no,
}
_CALLED = {FieldKind.NUMBER: "a number", FieldKind.DATE: "a date", FieldKind.YES_NO: "yes or no"}
_HOW = {
    FieldKind.NUMBER: "write it like 12 or 12.5",
    FieldKind.DATE: "write it like 2026-11-29",
    FieldKind.YES_NO: "write yes or no",
}
