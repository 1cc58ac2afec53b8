"""Dates as writers spell them, made aware in the site's zone."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

# A post dated with a day only appears at this hour of the site's morning. Midnight UTC would be the day
# before in America, and midnight local time does not exist on every day everywhere.
MORNING = time(9, 0)

# What 9999-12-31 means as a day of expiry. The calendar's very last hours do not exist in every zone.
NEVER = datetime(9999, 12, 30, tzinfo=UTC)

_LOOSE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?",
    re.IGNORECASE | re.ASCII,
)
# The commonest spelling, which the standard library reads in a third of the time.
_PLAIN_ISO = re.compile(r"[1-9]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
# A word that only begins like a month may stand here too; dateutil refuses what it does not know.
_NAMED_MONTH = re.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\s*\([^()]*\)$")
_GMT_OFFSET = re.compile(r"\b(?:GMT|UTC)(?=[+-]\d)")
_HALF_OF_DAY = re.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)
_UNIVERSAL = ("UTC", "GMT", "Z")


def parse_date(text: str, zone: tzinfo) -> datetime:
    """Return the moment that `text` names, aware; a bare day is MORNING, a time without zone is civil time of `zone`.

    Understands ISO 8601 and its loose forms (2024-1-5 9:00 +0900), RFC 2822, and days with a month's name
    (5 January 2024). Raises ValueError for anything else, ambiguous forms such as 01/02/2024 and 5 May 24, and
    names of zones (CET), which mean other hours on other machines, among them.
    """
    text = text.strip()
    if _PLAIN_ISO.fullmatch(text) and not text.startswith("9999"):
        with suppress(ValueError):  # the long way says what is wrong with it
            return datetime.fromisoformat(text)
    if text[4:5] == "/" and text[:4].isdecimal():
        text = text.replace("/", "-")
    match = _LOOSE.fullmatch(text)
    if match:
        return _from_parts(match, zone)
    if _NAMED_MONTH.search(text):
        return _from_words(text, zone)
    raise ValueError(f"{_short(text)} isn't a valid date; write it like 2024-07-06 or 2024-07-06 08:30")


def _short(text: str) -> str:
    """The text in quotes, as much of it as a message can hold."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _from_parts(match: re.Match[str], zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second, offset = match.groups()
    if year == "9999":
        return NEVER
    try:
        if year < "1000":
            raise ValueError("year is out of range")
        if hour is None:
            return place(datetime.combine(date(int(year), int(month), int(day)), MORNING), zone)
        civil = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001 - placed in a zone on the next lines
    except ValueError as error:
        raise ValueError(f"{match[0]!r} isn't a valid date: {error}") from error
    if offset is None:
        return place(civil, zone)
    if offset[0] not in "+-":
        return civil.replace(tzinfo=UTC)
    try:
        minutes = offset[3:].removeprefix(":") or "00"
        return datetime.fromisoformat(f"{civil.isoformat()}{offset[:3]}:{minutes}")
    except ValueError as error:
        raise ValueError(f"{match[0]!r} isn't a valid date: there is no UTC offset {offset}") from error


def _from_words(text: str, zone: tzinfo) -> datetime:
    from email.utils import parsedate_to_datetime

    from dateutil import parser

    # JavaScript writes GMT+0100 (Central European Standard Time); dateutil would read the sign the other way round.
    text = _GMT_OFFSET.sub("", _IN_BRACKETS.sub("", text))
    try:
        if "," in text[:5] and ":" in text and not _HALF_OF_DAY.search(text):
            found, last = parsedate_to_datetime(text), text.split()[-1]
            if found.tzinfo is None and ":" not in last:
                found = found.replace(tzinfo=_named_zone(last, None))
        elif not re.search(r"\b\d{4}\b", text):
            raise ValueError("which number is the year?")
        else:
            # Two defaults tell a given part from a filled-in one: a text that leaves the day open is no date.
            found, other = (
                parser.parse(text, default=datetime(year, part, part, 9), tzinfos=_named_zone)  # noqa: DTZ001 - placed below
                for year, part in ((2001, 1), (2002, 2))
            )
            if found != other:
                raise ValueError("year, month or day is missing")
        if not 1000 <= found.year < NEVER.year:
            raise ValueError("year is out of range")
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{_short(text)} isn't a valid date; write it like 2024-07-06 or 2024-07-06 08:30") from error
    return place(found, zone) if found.tzinfo is None else found


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """The zone of an offset in seconds; a name alone is refused, since dateutil would ask the machine what it means."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name in _UNIVERSAL or name == "-0000":
        return UTC
    raise ValueError(f"the zone {name} is not known")


def place(civil: datetime, zone: tzinfo) -> datetime:
    """Give a naive civil time its zone. A time in a gap becomes the valid one as far after the gap."""
    return civil.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
