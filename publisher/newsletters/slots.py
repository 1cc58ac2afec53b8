"""Computes the slots of a newsletter, the times at which its editions are due. The current time is an argument.

A schedule is a promise in civil time: "Monday at eight, where I live". So slots are first computed on the civil
calendar, without a time zone, and then converted to instants:

    a civil time that the clock skips         is due at the first instant after the gap
    a civil time that the clock repeats       is due when it occurs first
    two civil times that fall on one instant  (only in a gap) are one slot, named after the later time

In one sentence: a civil time is due at the first instant at which the wall clock has reached it.

The label of a slot and its state in the database determine whether an edition is due, never a timer. So no slot is
repeated or lost if a clock is set back, a timer fires twice or the process was not running.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import takewhile

from cronsim import CronSim

from publisher.config.schedule import Schedule, ScheduleKind
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware

_NEVER_DUE = (ScheduleKind.MANUAL, ScheduleKind.EACH_POST)
_FRIDAY = 4
_YEAR_9999 = datetime.max - timedelta(days=400)  # noqa: DTZ901 - the end of civil time, which has no zone


@dataclass(frozen=True, slots=True)
class Slot:
    """One time at which an edition is due.

    label  the unique name on the civil calendar, such as 2026-W47, 2026-11-21, 2026-11 or 2026-11-21T08:00
    at     the instant in UTC, so that comparisons are correct around a repeated hour
    """

    label: str
    at: datetime

    def __post_init__(self) -> None:
        require_aware("at", self.at)


def post_slot(post_id: str) -> str:
    """Return the label of the slot of a single post, for a newsletter that sends each post as it appears."""
    return f"post:{post_id}"


def is_post_slot(slot: str) -> bool:
    """Return whether a label belongs to the slot of a single post."""
    return slot.startswith("post:")


def slot_label(schedule: Schedule, moment: datetime, zone: tzinfo) -> str:
    """Return the label of the slot for an edition that is made by hand at `moment`.

    The slot is the week, day or month that contains the moment; for a cron schedule, the latest due time up to it.
    Raises ValueError for "each post", whose slots are named after their posts (see post_slot).
    """
    require_aware("moment", moment)
    if schedule.kind is ScheduleKind.EACH_POST:
        raise ValueError("a slot of an 'each post' newsletter is named after its post")
    if schedule.kind is ScheduleKind.CRON:
        latest = latest_due(schedule, moment, zone)
        if latest is not None:
            return latest.label
    return _label(schedule, _wall(moment, zone))


def next_due(schedule: Schedule, after: datetime, zone: tzinfo) -> Slot | None:
    """Return the first slot that is due later than `after`, or None if the schedule has none."""
    return next(upcoming(schedule, after, zone), None)


def upcoming(schedule: Schedule, after: datetime, zone: tzinfo) -> Iterator[Slot]:
    """Yield every slot that is due later than `after`, in order; no instant or label is repeated."""
    require_aware("after", after)
    after = after.astimezone(UTC)
    candidate: Slot | None = None
    # A civil time that the wall clock has already reached cannot be due later, so the search starts there.
    for civil in _civil_times(schedule, _wall(after, zone), forward=True):
        slot = Slot(_label(schedule, civil), first_instant(civil, zone))
        if candidate is not None and candidate.at < slot.at and after < candidate.at:
            yield candidate
        candidate = slot
    if candidate is not None and after < candidate.at:
        yield candidate


def latest_due(schedule: Schedule, moment: datetime, zone: tzinfo) -> Slot | None:
    """Return the last slot that was due at or before `moment`, or None if the schedule has none."""
    require_aware("moment", moment)
    moment = moment.astimezone(UTC)
    local = moment.astimezone(zone)
    # During the second pass of a repeated hour, the wall clock shows an earlier time than it has already reached.
    reached = local.replace(tzinfo=None, fold=0) + (
        _offset(local.replace(fold=0)) - _offset(local.replace(fold=1)) if local.fold else timedelta()
    )
    for civil in _civil_times(schedule, reached, forward=False):
        at = first_instant(civil, zone)
        if at <= moment:
            return Slot(_label(schedule, civil), at)
    return None


@dataclass(frozen=True, slots=True)
class SlotHistory:
    """The history of a newsletter's slots in the database.

    since   the time when the newsletter, or its current schedule, was first seen; earlier slots are ignored
    passed  the time up to which slots are over, with or without an edition; None if no slot is over yet
    taken   the labels of the slots that have an edition
    """

    since: datetime
    passed: datetime | None = None
    taken: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        require_aware("since", self.since)
        require_aware("passed", self.passed)


@dataclass(frozen=True, slots=True)
class Due:
    """An edition has to be made, and may be sent immediately."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Late:
    """An edition has to be made and put on hold, because its slot passed more than max_lateness ago."""

    slot: Slot
    found: datetime


@dataclass(frozen=True, slots=True)
class Early:
    """An edition has to be made ahead of its slot, so that there is time to approve it."""

    slot: Slot


Decision = Due | Late | Early | None


def decide(
    schedule: Schedule,
    zone: tzinfo,
    record: SlotHistory,
    now: datetime,
    *,
    max_lateness: timedelta,
    lead: timedelta = timedelta(),
) -> Decision:
    """Decide whether an edition has to be made now for the newest slot; None if there is nothing to do.

    lead  how long before its slot an edition is made, so that there is time to approve it

    If several slots were missed, only the newest counts, because its edition contains all new posts. Slots up to
    `record.since` are ignored, and so is a slot that is over or has an edition.
    """
    slot = latest_due(schedule, now + lead, zone)
    if slot is None or slot.at <= record.since or slot.label in record.taken:
        return None
    if record.passed is not None and slot.at <= record.passed:
        return None
    if slot.at > now:
        return Early(slot)
    if now - slot.at > max_lateness:
        return Late(slot, now)
    return Due(slot)


@dataclass(frozen=True, slots=True)
class PostTiming:
    """The time at which a post is due in a newsletter that sends each post as it appears.

    due    settle_minutes after the post was published, or after its file was last changed if that is later
    late   whether `due` passed more than max_lateness ago
    ready  whether `due` has been reached
    """

    due: datetime
    late: bool = False
    ready: bool = False


def post_timing(
    published: datetime, changed: datetime | None, now: datetime, *, settle: timedelta, max_lateness: timedelta
) -> PostTiming:
    """Return the time at which a public post is due as an edition of its own.

    changed  the time when the post's file was last changed, or None if it is not known; a time in the future is
             ignored, because it means that a clock was wrong
    """
    moments = [published] + ([changed] if changed is not None and changed <= now else [])
    due = max(moments) + settle
    return PostTiming(due, late=now - due > max_lateness, ready=due <= now)


def first_instant(civil: datetime, zone: tzinfo) -> datetime:
    """Return the first instant, in UTC, at which a wall clock in the time zone has reached `civil`."""
    at = civil.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(at, zone) == civil:
        return at
    # The clock skips this time, which lies after the change with the old offset, but before it with the new offset.
    early, late = civil.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if _wall(middle, zone) >= civil:
            late = middle
        else:
            early = middle
    return late


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    """Return the time that a wall clock shows, without a time zone."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _label(schedule: Schedule, civil: datetime) -> str:
    match schedule.kind:
        case ScheduleKind.WEEKLY if not schedule.others:
            year, week, _ = civil.isocalendar()
            return f"{year}-W{week:02}"
        case ScheduleKind.MONTHLY:
            return f"{civil:%Y-%m}"
        case ScheduleKind.CRON:
            return f"{civil:%Y-%m-%dT%H:%M}"
    return f"{civil:%Y-%m-%d}"


def _civil_times(schedule: Schedule, start: datetime, *, forward: bool) -> Iterator[datetime]:
    """Return the due times as naive civil times: after `start` in order, or up to `start` in reverse order."""
    if schedule.kind in _NEVER_DUE:
        return iter(())
    if schedule.kind is ScheduleKind.CRON:
        return _cron_times(schedule.cron, start, forward=forward)
    return _calendar_times(schedule, start, forward=forward)


def _calendar_times(schedule: Schedule, start: datetime, *, forward: bool) -> Iterator[datetime]:
    at = schedule.at or time()
    step = timedelta(days=1 if forward else -1)
    day = datetime.combine(start.date(), at)
    while timedelta(days=400) < day - datetime.min and day < _YEAR_9999:  # noqa: DTZ901 - civil time
        if _falls_on(schedule, day) and (day > start if forward else day <= start):
            yield day
        day += step


def _falls_on(schedule: Schedule, day: datetime) -> bool:
    match schedule.kind:
        case ScheduleKind.DAILY:
            return True
        case ScheduleKind.WEEKDAYS:
            return day.weekday() <= _FRIDAY
        case ScheduleKind.WEEKLY:
            return day.weekday() in (schedule.weekday, *schedule.others) and _is_in_week(schedule, day)
    if schedule.ordinal is None:
        return day.day == min(schedule.day or 1, _last_day(day))
    if schedule.weekday is None:
        return _is_working_day(day, schedule.ordinal)
    if day.weekday() != schedule.weekday:
        return False
    if schedule.ordinal == -1:
        return day.day + 7 > _last_day(day)
    return (day.day + 6) // 7 == schedule.ordinal


def _is_in_week(schedule: Schedule, day: datetime) -> bool:
    """Return whether a day is in a week with a slot, which may be only every second week, counted from the anchor."""
    if schedule.anchor is None:
        return True
    weeks = [each.toordinal() - each.weekday() for each in (day.date(), schedule.anchor)]
    return (weeks[0] - weeks[1]) % 14 == 0


def _is_working_day(day: datetime, ordinal: int) -> bool:
    """Return whether a day is the first to fourth, or with -1 the last, day from Monday to Friday of its month."""
    same = range(day.day, _last_day(day) + 1) if ordinal == -1 else range(1, day.day + 1)
    working = [each for each in same if day.replace(day=each).weekday() <= _FRIDAY]
    return day.weekday() <= _FRIDAY and len(working) == abs(ordinal)


def _last_day(day: datetime) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _cron_times(expression: str, start: datetime, *, forward: bool) -> Iterator[datetime]:
    if forward:
        return _until_9999(CronSim(expression, start))
    # CronSim leaves out the start itself when it goes backwards, but here the start may be due.
    return iter(CronSim(expression, start.replace(microsecond=0) + timedelta(seconds=1), reverse=True))


def _until_9999(times: Iterator[datetime]) -> Iterator[datetime]:
    """Yield times until the year 9999, because datetime cannot represent later ones."""
    try:
        yield from takewhile(lambda time: time < _YEAR_9999, times)
    except OverflowError:
        return


def free_slot(label: str, taken: Collection[str]) -> str:
    """Return the label of a slot, or if it is taken, the label with the first free number (2026-W47.2)."""
    if label not in taken:
        return label
    number = 2
    while f"{label}.{number}" in taken:
        number += 1
    return f"{label}.{number}"
