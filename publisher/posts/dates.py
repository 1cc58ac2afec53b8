"""Dates as writers spell them, made aware in the site's zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo

# A post dated with a day only appears at this hour of the site's morning. Midnight UTC would be the day
# before in America, and midnight local time does not exist on every day everywhere.
MORNING = time(9, 0)

_LOOSE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?)?",
    re.IGNORECASE,
)
_NAMED_MONTH = re.compile(r"[A-Za-z]{3,}")


def parse_date(text: str, zone: tzinfo) -> datetime:
    """Return the moment that `text` names, aware; a bare day is MORNING, a time without zone is civil time of `zone`.

    Understands ISO 8601 and its loose forms (2024-1-5 9:00 +0900), RFC 2822, and days with a month's name
    (5 January 2024). Raises ValueError for anything else, ambiguous forms such as 01/02/2024 among them.
    """
    text = text.strip().replace("/", "-") if re.match(r"\d{4}/", text.strip()) else text.strip()
    match = _LOOSE.fullmatch(text)
    if match:
        return _from_parts(match, zone)
    if _NAMED_MONTH.search(text):
        return _from_words(text, zone)
    raise ValueError(f"{text!r} is no date; write it like 2024-07-06 or 2024-07-06 08:30")


def _from_parts(match: re.Match[str], zone: tzinfo) -> datetime:
    year, month, day, hour, minute, second, offset = match.groups()
    try:
        if hour is None:
            return place(datetime.combine(date(int(year), int(month), int(day)), MORNING), zone)
        civil = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001 - placed in a zone on the next lines
    except ValueError as error:
        raise ValueError(f"{match[0]!r} is no date: {error}") from error
    if offset is None:
        return place(civil, zone)
    if offset[0] in "+-":
        return datetime.fromisoformat(f"{civil.isoformat()}{offset[:3]}:{offset[-2:]}")
    return civil.replace(tzinfo=UTC)


def _from_words(text: str, zone: tzinfo) -> datetime:
    from email.utils import parsedate_to_datetime

    from dateutil import parser

    try:
        if "," in text[:5] and ":" in text:
            found = parsedate_to_datetime(text)
        else:
            # Two defaults tell a given part from a filled-in one: a text that leaves the day open is no date.
            found = parser.parse(text, default=datetime(2001, 1, 1, 9))  # noqa: DTZ001 - placed below
            other = parser.parse(text, default=datetime(2002, 2, 2, 9))  # noqa: DTZ001 - placed below
            if found != other:
                raise ValueError("year, month or day is missing")
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{text!r} is no date; write it like 2024-07-06 or 2024-07-06 08:30") from error
    return place(found, zone) if found.tzinfo is None else found


def place(civil: datetime, zone: tzinfo) -> datetime:
    """Give a naive civil time its zone. A time in a gap becomes the valid one as far after the gap."""
    return civil.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
