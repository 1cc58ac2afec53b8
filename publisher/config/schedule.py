"""Parsed schedules and durations of newsletters. newsletters/slots.py decides which slots (scheduled times) are due."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, takewhile

from publisher.core.frozen import dataclass

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

EXAMPLES = (
    '"weekly monday 08:00", "weekly monday, thursday 08:00", "biweekly monday 08:00 from 2026-01-05", "daily 07:30", '
    '"weekdays 07:30", "monthly 1 09:00", "monthly last friday 09:00", "monthly first weekday 09:00", "each post", '
    '"manual", or five-field cron'
)

# A cron expression that is due more often than this within a year is not counted.
_MOST_COUNTED = 1_000
_YEAR_BEGINS = datetime(2026, 1, 1)  # noqa: DTZ001 - a schedule is in civil time


class ScheduleKind(StrEnum):
    """The kind of a schedule, which also decides how the newsletter's slots are named."""

    MANUAL = "manual"
    EACH_POST = "each post"
    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A parsed schedule, in local time of the newsletter's time zone.

    at       time of day; None for manual, each post and cron
    weekday  0 for Monday to 6 for Sunday; only for weekly, and for monthly by weekday. None for monthly with an ordinal
             means any from Monday to Friday
    others   further weekdays; only for weekly
    anchor   a day in a week with a slot, if only every second week has one; only for weekly
    day      day of the month, 1 to 31; shorter months use their last day
    ordinal  which of these weekdays in the month: 1 to 4, or -1 for the last
    cron     five fields, as Debian's cron understands them
    """

    kind: ScheduleKind
    at: time | None = None
    weekday: int | None = None
    others: tuple[int, ...] = ()
    anchor: date | None = None
    day: int | None = None
    ordinal: int | None = None
    cron: str = ""

    @property
    def most_a_month(self) -> int:
        """How often the cron expression is due in the busiest month of a year, at least 1; 0 if too often to count."""
        from cronsim import CronSim  # 2 ms, and few schedules need it

        end = _YEAR_BEGINS + timedelta(days=365)
        due = list(islice(takewhile(lambda at: at < end, CronSim(self.cron, _YEAR_BEGINS)), _MOST_COUNTED + 1))
        return 0 if len(due) > _MOST_COUNTED else max(Counter(at.month for at in due).values(), default=1)


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


def parse_schedule(text: str) -> Schedule:
    """Parse the text of a schedule; raise ValueError with a list of the accepted forms if it isn't valid."""
    words = _words(text)
    match words:
        case ["manual"]:
            return Schedule(ScheduleKind.MANUAL)
        case ["each", "post"]:
            return Schedule(ScheduleKind.EACH_POST)
        case ["daily" | "weekdays" as kind, clock]:
            return Schedule(ScheduleKind(kind), at=_time_of_day(clock))
        case ["weekly" | "biweekly", _, _, *_]:
            return _weekly(text, words)
        case ["monthly", day, clock]:
            return Schedule(ScheduleKind.MONTHLY, at=_time_of_day(clock), day=_day_of_month(day))
        case ["monthly", ordinal, day, clock] if ordinal in _ORDINALS:
            return Schedule(
                ScheduleKind.MONTHLY,
                at=_time_of_day(clock),
                weekday=None if day == "weekday" else _weekday(day),
                ordinal=_ORDINALS[ordinal],
            )
        case [_, _, _, _, _]:
            return _cron(text.strip())
    raise ValueError(f"{text!r} isn't a valid schedule; use {EXAMPLES}")


def _words(text: str) -> list[str]:
    words = text.strip().lower().split()
    is_biweekly = words[:1] == ["every"] and words[1:3] in (["2", "weeks"], ["two", "weeks"])
    return ["biweekly", *words[3:]] if is_biweekly else words


def _weekly(text: str, words: list[str]) -> Schedule:
    """Return the schedule for words such as ["weekly", "monday,", "thursday", "08:00"]; days may be joined by "and"."""
    anchor = None
    if words[0] == "biweekly":
        *words, word, day = words
        if word != "from":
            example = "biweekly monday 08:00 from 2026-01-05"
            raise ValueError(f"{text!r} doesn't say in which week it begins; write it like {example}")
        anchor = _anchor(day)
    names = [name for name in re.split(r"[\s,;&+]+", " ".join(words[1:-1])) if name and name != "and"]
    first, *others = sorted({_weekday(name) for name in names}) or [_weekday("")]
    return Schedule(ScheduleKind.WEEKLY, _time_of_day(words[-1]), first, tuple(others), anchor)


def _anchor(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} isn't a day; write it like 2026-01-05") from error


def _time_of_day(text: str) -> time:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        raise ValueError(f"{text!r} isn't a valid time of day; write it like 08:00")
    return time(int(match[1]), int(match[2]))


def _weekday(text: str) -> int:
    for number, name in enumerate(WEEKDAYS):
        if text in (name, name[:3]):
            return number
    raise ValueError(f"{text!r} isn't a weekday; use {', '.join(WEEKDAYS)}")


def _day_of_month(text: str) -> int:
    if text == "last":
        return 31
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 31:
        return int(text)
    raise ValueError(f"{text!r} isn't a day of the month; use 1 to 31, or last")


def _cron(text: str) -> Schedule:
    from cronsim import CronSim, CronSimError  # 2 ms, and few schedules need it

    try:
        CronSim(text, datetime(2026, 1, 1))  # noqa: DTZ001 - cron fields are civil time; the zone comes later
    except CronSimError as error:
        raise ValueError(f"{text!r} isn't a valid cron expression: {error}") from error
    return Schedule(ScheduleKind.CRON, cron=text)


def next_weekday(text: str, after: datetime) -> datetime | None:
    """Return the next moment after another one for text such as "monday 07:59"; None for other text.

    after: an aware time, in whose time zone the text is interpreted
    """
    words = text.strip().lower().split()
    if len(words) != 2 or words[0] not in WEEKDAYS:
        return None
    clock, days = _time_of_day(words[1]), (WEEKDAYS.index(words[0]) - after.weekday()) % 7
    found = datetime.combine(after.date() + timedelta(days=days), clock, after.tzinfo)
    return found if found > after else found + timedelta(days=7)


_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(text: str) -> timedelta:
    """Return the duration for text such as "90m", "12h" or "2d"; raise ValueError with a message for other text."""
    match = re.fullmatch(r"(\d{1,4}) ?([mhdw])", text.strip().lower(), re.ASCII)
    if match is None:
        if re.fullmatch(r"\d{5,} ?[mhdw]", text.strip().lower(), re.ASCII):
            raise ValueError(f"{_shortened(text)} is too long for a duration; the number has at most four digits")
        raise ValueError(f"{_shortened(text)} is not a valid duration; write it like 90m, 12h or 2d")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")
