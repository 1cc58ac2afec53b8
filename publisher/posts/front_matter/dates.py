"""Parsing of the dates in front matter, in the many forms that writers use."""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from publisher.core import patterns

# A post whose date is only a day appears at this hour in the site's time zone, unless posts.time says another. Midnight
# UTC would be the day before in America, and midnight local time does not exist on every day everywhere.
MORNING = time(9, 0)

# The meaning of 9999-12-31 as an expiry date. The calendar's very last hours do not exist in every time zone.
NEVER = datetime(9999, 12, 30, tzinfo=UTC)

# An offset from UTC: YAML writes -4 and +5:30. Go writes an abbreviation after it, +0100 CET, which adds nothing.
_OFFSET = r"(?:(Z|UTC|GMT|[+-](?:\d{3,6}|\d{1,2}(?::\d\d(?::\d\d)?)?))(?-i:\s+(?![AP]M)[A-Z]{2,5})?)?"
_LOOSE = patterns.compile(
    rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}})(?:[T \t]+(\d{{1,2}}):(\d{{2}})(?::(\d{{2}})(?:[.,]\d+)?)?\s*{_OFFSET})?",
    re.IGNORECASE | re.ASCII,
)
# The same day in other spellings that begin with the year: 2026.11.3, 2026年11月3日 and 2026년 11월 3일.
_YEAR_FIRST = patterns.compile(r"(\d{4})\s*[./年년]\s*(\d{1,2})\s*[./月월]\s*(\d{1,2})(?!\d)\s*[.日일]?\s*", re.ASCII)
# ISO 8601 without separators, and the names of notes in a Zettelkasten: 20261103, 20261103T0830Z, 202611030830.
_COMPACT = patterns.compile(
    rf"(\d{{4}})(\d\d)(\d\d)(?:[T ]?(\d\d):?(\d\d)(?::?(\d\d))?\s*{_OFFSET})?",
    re.IGNORECASE | re.ASCII,
)
# With dots the day comes first, wherever people write dots: 5.1.2026, 05. 01. 2026 8:30.
_DAY_FIRST = patterns.compile(r"(\d{1,2})\.[ ]?(\d{1,2})\.[ ]?(\d{4})(?!\d),?", re.ASCII)
# With slashes the month comes first for tools that read dates as JavaScript or dateutil do.
_MONTH_FIRST = patterns.compile(r"(0?[1-9]|1[0-2])/(\d{1,2})/(\d{4})(?!\d),?", re.ASCII)
# A zone from the database after a time, or in the brackets of RFC 9557, which may contain a calendar too.
_ZONE_BY_NAME = patterns.compile(
    r"[ \t]*\[!?([\w/+-]{1,60})\]|[ \t]+(?=[A-Z])([\w+-]{1,30}(?:/[\w+-]{1,30}){1,2})", re.ASCII
)
_CALENDAR = patterns.compile(r"\[!?u-ca=[a-z0-9-]{1,30}\]$", re.ASCII)
_TWELVE_HOURS = patterns.compile(
    r"(?<![\d+-])(\d{1,2})(?::(\d\d)(?::(\d\d))?)?\s*([ap])\.?m\b\.?", re.IGNORECASE | re.ASCII
)
# The most common form, which the standard library parses in a third of the time.
_PLAIN_ISO = patterns.compile(r"[1-9]\d{3}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
# Also matches a word that only begins like a month, which dateutil rejects.
_NAMED_MONTH = patterns.compile(r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)", re.IGNORECASE)
_IN_BRACKETS = patterns.compile(r"\([^()]*\)$")
_GMT_OFFSET = patterns.compile(r"\b(?:GMT|UTC)(?=[+-]\d)")
_HALF_OF_DAY = patterns.compile(r"\d\s*[ap]\.?m\b", re.IGNORECASE)
# Both numbers can be a month.
_DAY_OR_MONTH_FIRST = patterns.compile(r"(?:0?[1-9]|1[0-2])[/.-](?:0?[1-9]|1[0-2])[/.-]\d{2,4}(?!\d)")
_HINT = "write it like 2024-07-06 or 2024-07-06 08:30"
# Texts that Eleventy and Quarto accept as a date.
_CHANGING = ("last modified", "created", "git last modified", "git created", "last-modified", "today", "now")
_UNIVERSAL = ("UTC", "GMT", "Z")

# https://yaml.org/type/timestamp.html
_TIME_STAMP = patterns.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|[ \t]+)\d{1,2}:\d{2}:\d{2}(?:\.\d*)?", re.ASCII)


def is_time_stamp(text: str) -> bool:
    """Return whether YAML would parse a date without a zone as a time stamp: a day and a time with seconds."""
    return _TIME_STAMP.fullmatch(text.strip()) is not None


def parse_date(text: str, zone: tzinfo, *, morning: time = MORNING, month_first: bool = False) -> datetime:
    """Parse a date, and return it with a time zone. A time without a zone is in `zone`.

    morning      the time of day for a date without one
    month_first  whether 01/02/2024 is the second of January, as for some tools; else it is ambiguous

    The accepted forms are ISO 8601, looser forms of it (2024-1-5 9:00 +0900, 2024.1.5 9:00 pm, 2024年1月5日, 5.1.2024),
    YAML's time stamps (2024-01-05 9:00:00 -4), RFC 2822, RFC 9557, and dates with the name of the month (5 January
    2024). A zone may be a name from the database (America/New_York). Raises ValueError for all others, including
    ambiguous dates such as 01/02/2024 and 5 May 24, and abbreviations of time zones such as CET, which mean different
    hours on different machines.
    """
    text = text.strip()
    if _PLAIN_ISO.fullmatch(text) and not text.startswith("9999"):
        with suppress(ValueError):  # the code below then reports what is wrong with the date
            return datetime.fromisoformat(text)
    given = text
    if "/" in text or text.endswith("]"):
        text, zone = _without_zone(text, zone)
    text = _with_hyphens(text, month_first)
    match = _LOOSE.fullmatch(text)
    if match:
        return _from_parts(match, zone, given, morning)
    if _NAMED_MONTH.search(text):
        return _from_words(text, zone, morning)
    if text.lower() in _CHANGING:
        raise ValueError(f"{_short(given)} isn't a valid date: it changes with the file or the build; {_HINT}")
    if _DAY_OR_MONTH_FIRST.match(text):
        raise ValueError(f"{_short(given)} is an ambiguous date; {_HINT}")
    raise ValueError(f"{_short(given)} isn't a valid date; {_HINT}")


def _without_zone(text: str, zone: tzinfo) -> tuple[str, tzinfo]:
    """Return a date without the zone's name at its end, and that zone; without such a name, the text and `zone`."""
    plain = _CALENDAR.sub("", text)
    start = max(plain.rfind("["), plain.rfind(" "))
    found = _ZONE_BY_NAME.fullmatch(plain, start) if start > 0 else None
    if found is None or not (found[1] or found[2]):
        return plain, zone
    name = found[1] or found[2]
    if name in _UNIVERSAL:
        return plain[:start], UTC
    with suppress(ValueError, OSError, KeyError):  # KeyError: the database has no such zone
        if "/" in name:
            return plain[:start], ZoneInfo(name)
    raise ValueError(f"{_short(text)} has an unknown time zone, {_short(name)}; write an offset such as +01:00")


def _with_hyphens(text: str, month_first: bool) -> str:
    """Return a date in digits as ISO 8601 spells it, with 24-hour times."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\N{MINUS SIGN}", "-")
    if compact := _COMPACT.fullmatch(text):
        year, month, day, hour, minute, second, offset = compact.groups()
        time_of_day = f" {hour}:{minute}:{second or '00'}{offset or ''}" if hour else ""
        return f"{year}-{month}-{day}{time_of_day}"
    if found := _DAY_FIRST.match(text):
        text = f"{found[3]}-{found[2]}-{found[1]} {text[found.end() :].lstrip()}".rstrip()
    elif month_first and (found := _MONTH_FIRST.match(text)):
        text = f"{found[3]}-{found[1]}-{found[2]} {text[found.end() :].lstrip()}".rstrip()
    if not text[:4].isdecimal():
        return text
    if found := _YEAR_FIRST.match(text):
        text = f"{found[1]}-{found[2]}-{found[3]} {text[found.end() :].removeprefix('T')}".rstrip()
    return _TWELVE_HOURS.sub(_whole_day, text, count=1)


def _whole_day(found: re.Match[str]) -> str:
    """Return a time such as 12:30 AM as 00:30; an impossible time stays as it is."""
    if not 1 <= int(found[1]) <= 12:
        return found[0]
    hour = int(found[1]) % 12 + (12 if found[4] in "pP" else 0)
    return f"{hour}:{found[2] or '00'}:{found[3] or '00'}"


class _UnclearError(ValueError):
    """A date is rejected although it can be parsed. The message says why and how to fix it."""


def _short(text: str) -> str:
    """Return the text in quotes, cut to a length that fits into a message."""
    return repr(text if len(text) <= 60 else f"{text[:59]}…")


def _from_parts(match: re.Match[str], zone: tzinfo, given: str, morning: time) -> datetime:
    year, month, day, hour, minute, second, offset = match.groups()
    if year == "9999":
        return NEVER
    try:
        if year < "1000":
            raise ValueError
        if hour is None:
            return place(datetime.combine(date(int(year), int(month), int(day)), morning), zone)
        civil = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0))  # noqa: DTZ001 - placed in a zone on the next lines
    except ValueError as error:
        raise ValueError(f"{_short(given)} isn't a valid date: there is no such {_missing(match)}") from error
    if offset is None:
        return place(civil, zone)
    if offset[0] not in "+-":
        return civil.replace(tzinfo=UTC)
    if (fixed := _offset(offset)) is None:
        raise ValueError(f"{_short(given)} isn't a valid date: there is no UTC offset {offset}")
    return civil.replace(tzinfo=fixed)


def _offset(text: str) -> timezone | None:
    """Return the zone for an offset of one to six digits, such as -4, +530 and +05:30; None if there is none."""
    figures = text[1:]
    parts = figures.split(":")
    if len(parts) == 1:  # an odd number of digits begins with a one-digit hour
        figures = figures.zfill(len(figures) + len(figures) % 2)
        parts = [figures[at : at + 2] for at in range(0, len(figures), 2)]
    hours, minutes, seconds = (int(part) for part in (*parts, "0", "0")[:3])
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    size = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return timezone(-size if text[0] == "-" else size)


def _missing(match: re.Match[str]) -> str:
    """Return which part of an impossible date does not exist."""
    year, month, day = (int(part) for part in match.groups()[:3])
    if year < 1000:
        return "year"
    if not 1 <= month <= 12:
        return "month"
    try:
        date(year, month, day)
    except ValueError:
        return "day"
    return "time"


def _from_words(text: str, zone: tzinfo, morning: time) -> datetime:
    from email.utils import parsedate_to_datetime  # not at the top: few dates are written in words

    from dateutil import parser  # takes 0.02 s, and few posts need it

    # JavaScript writes GMT+0100 (Central European Standard Time), in which dateutil would reverse the sign.
    text = _GMT_OFFSET.sub("", _IN_BRACKETS.sub("", text).rstrip())
    try:
        if "," in text[:5] and ":" in text and not _HALF_OF_DAY.search(text):
            found, last = parsedate_to_datetime(text), text.split()[-1]
            if found.tzinfo is None and ":" not in last:
                found = found.replace(tzinfo=_named_zone(last, None))
        elif not re.search(r"\b\d{4}\b", text):
            raise _UnclearError(f"is an ambiguous date; {_HINT}")
        else:
            # Parsing with two defaults reveals parts that were filled in: a text without a day is not a date.
            found, other = (
                parser.parse(text, default=datetime.combine(date(year, part, part), morning), tzinfos=_named_zone)
                for year, part in ((2001, 1), (2002, 2))
            )
            if found != other:
                raise _UnclearError(f"has no year, month or day; {_HINT}")
        if not 1000 <= found.year < NEVER.year:
            raise ValueError("year is out of range")
    except _UnclearError as error:
        raise ValueError(f"{_short(text)} {error}") from error
    except (ValueError, OverflowError, TypeError) as error:
        raise ValueError(f"{_short(text)} isn't a valid date; {_HINT}") from error
    return place(found, zone) if found.tzinfo is None else found


def _named_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """Return the zone for an offset in seconds. Names are rejected: dateutil would look them up on the machine."""
    if offset is not None:
        return timezone(timedelta(seconds=offset))
    if name is None:
        return None
    if name in _UNIVERSAL or name == "-0000":
        return UTC
    raise _UnclearError(f"has an unknown time zone, {_short(name)}; write an offset such as +01:00")


def place(civil: datetime, zone: tzinfo) -> datetime:
    """Put a naive time into a time zone. A time that a clock change skips is moved forward by the length of the gap."""
    return civil.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
