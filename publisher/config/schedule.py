"""What a newsletter's `schedule` setting says, as a value. Which slots are due is decided in editions.schedule."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

EXAMPLES = (
    '"weekly monday 08:00", "daily 07:30", "weekdays 07:30", "monthly 1 09:00", '
    '"monthly last friday 09:00", "each post", "manual", or five-field cron'
)


class ScheduleKind(StrEnum):
    """How often a newsletter goes out; it also decides how its slots are named."""

    MANUAL = "manual"
    EACH_POST = "each post"
    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CRON = "cron"


@dataclass(frozen=True, slots=True)
class Schedule:
    """One parsed schedule, in the newsletter's own civil time.

    at       time of day (not for manual, each post and cron)
    weekday  0 = Monday (weekly, and monthly by weekday)
    day      day of the month, 1 to 31; a shorter month uses its last day
    ordinal  1 to 4, or -1 for the last such weekday of the month
    cron     five fields, Debian's meaning
    """

    kind: ScheduleKind
    at: time | None = None
    weekday: int | None = None
    day: int | None = None
    ordinal: int | None = None
    cron: str = ""


_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}


def parse_schedule(text: str) -> Schedule:
    """Parse a schedule setting; raise ValueError with the accepted forms when it is none of them."""
    words = text.strip().lower().split()
    match words:
        case ["manual"]:
            return Schedule(ScheduleKind.MANUAL)
        case ["each", "post"]:
            return Schedule(ScheduleKind.EACH_POST)
        case ["daily" | "weekdays" as kind, clock]:
            return Schedule(ScheduleKind(kind), at=_time_of_day(clock))
        case ["weekly", day, clock]:
            return Schedule(ScheduleKind.WEEKLY, at=_time_of_day(clock), weekday=_weekday(day))
        case ["monthly", day, clock]:
            return Schedule(ScheduleKind.MONTHLY, at=_time_of_day(clock), day=_day_of_month(day))
        case ["monthly", ordinal, day, clock] if ordinal in _ORDINALS:
            return Schedule(
                ScheduleKind.MONTHLY,
                at=_time_of_day(clock),
                weekday=_weekday(day),
                ordinal=_ORDINALS[ordinal],
            )
        case [_, _, _, _, _]:
            return _cron(text.strip())
    raise ValueError(f"{text!r} is no schedule; use {EXAMPLES}")


def _time_of_day(text: str) -> time:
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if match is None:
        raise ValueError(f"{text!r} is no time of day; write it like 08:00")
    return time(int(match[1]), int(match[2]))


def _weekday(text: str) -> int:
    for number, name in enumerate(WEEKDAYS):
        if text in (name, name[:3]):
            return number
    raise ValueError(f"{text!r} is no weekday; use {', '.join(WEEKDAYS)}")


def _day_of_month(text: str) -> int:
    if text == "last":
        return 31
    if text.isascii() and text.isdigit() and 1 <= int(text) <= 31:
        return int(text)
    raise ValueError(f"{text!r} is no day of the month; use 1 to 31, or last")


def _cron(text: str) -> Schedule:
    from datetime import datetime

    from cronsim import CronSim, CronSimError

    try:
        CronSim(text, datetime(2026, 1, 1))  # noqa: DTZ001 - cron fields are civil time, placed in a zone later
    except CronSimError as error:
        raise ValueError(f"{text!r} is no cron expression: {error}") from error
    return Schedule(ScheduleKind.CRON, cron=text)
