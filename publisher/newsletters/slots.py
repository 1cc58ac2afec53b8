"""Which slots a newsletter has, and when each is due. Pure: the moment is an argument.

A schedule is a promise in civil time: "Monday at eight, where I live". So due times are counted on the
civil calendar first, without any zone, and only then placed in the zone:

    a civil time that the clock skips   is due at the first instant after the gap
    a civil time that the clock repeats is due the first time
    two civil times on one instant      are one slot, named by the later one (only inside a gap)

In one sentence: a civil time is due at the first instant at which the clock on the wall has reached it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from itertools import takewhile

from publisher.config.schedule import Schedule, ScheduleKind
from publisher.core.models import require_aware

_NEVER_DUE = (ScheduleKind.MANUAL, ScheduleKind.EACH_POST)
_FRIDAY = 4
_YEAR_9999 = datetime.max - timedelta(days=400)  # noqa: DTZ901 - the end of civil time, which has no zone


@dataclass(frozen=True, slots=True)
class Slot:
    """One due time of a newsletter.

    label  the civil name, which is the slot's key: 2026-W47, 2026-11-21, 2026-11, 2026-11-21T08:00
    at     the instant, in UTC, so that two of them compare rightly around a repeated hour
    """

    label: str
    at: datetime

    def __post_init__(self) -> None:
        require_aware("at", self.at)


def post_slot(post_id: str) -> str:
    """Return the slot of one post, for a newsletter that sends each post as it appears."""
    return f"post:{post_id}"


def is_post_slot(slot: str) -> bool:
    """Return whether a slot is one of a single post."""
    return slot.startswith("post:")


def slot_label(schedule: Schedule, moment: datetime, zone: tzinfo) -> str:
    """Return the label of the slot to which an edition made by hand at `moment` belongs.

    That is the week, day or month which holds the moment; for cron the latest due time at or before it.
    Raises ValueError for "each post", whose slots are named by their posts: see post_slot.
    """
    require_aware("moment", moment)
    if schedule.kind is ScheduleKind.EACH_POST:
        raise ValueError("a slot of an 'each post' newsletter is named by its post")
    if schedule.kind is ScheduleKind.CRON:
        latest = latest_due(schedule, moment, zone)
        if latest is not None:
            return latest.label
    return _label(schedule, _wall(moment, zone))


def next_due(schedule: Schedule, after: datetime, zone: tzinfo) -> Slot | None:
    """Return the first slot that is due later than `after`; None if the schedule has none."""
    return next(upcoming(schedule, after, zone), None)


def upcoming(schedule: Schedule, after: datetime, zone: tzinfo) -> Iterator[Slot]:
    """Yield every slot that is due later than `after`, in order, each instant and each label once."""
    require_aware("after", after)
    after = after.astimezone(UTC)
    held: Slot | None = None
    # No civil time up to the wall clock's reading can be due later than now, so the search starts there.
    for civil in _civil_times(schedule, _wall(after, zone), forward=True):
        slot = Slot(_label(schedule, civil), place(civil, zone))
        if held is not None and held.at < slot.at and after < held.at:
            yield held
        held = slot
    if held is not None and after < held.at:
        yield held


def latest_due(schedule: Schedule, moment: datetime, zone: tzinfo) -> Slot | None:
    """Return the last slot that was due at or before `moment`; None if the schedule has none."""
    require_aware("moment", moment)
    moment = moment.astimezone(UTC)
    local = moment.astimezone(zone)
    # In the second pass of a repeated hour the wall clock reads less than it has read before.
    reached = local.replace(tzinfo=None, fold=0) + (
        _offset(local.replace(fold=0)) - _offset(local.replace(fold=1)) if local.fold else timedelta()
    )
    for civil in _civil_times(schedule, reached, forward=False):
        at = place(civil, zone)
        if at <= moment:
            return Slot(_label(schedule, civil), at)
    return None


def place(civil: datetime, zone: tzinfo) -> datetime:
    """Return the first instant (in UTC) at which the clock on the wall of the zone has reached `civil`."""
    at = civil.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _wall(at, zone) == civil:
        return at
    # Skipped by the clock: with the old offset the time lies after the change, with the new one before it.
    early, late = civil.replace(tzinfo=zone, fold=1).astimezone(UTC), at
    while late - early > timedelta(seconds=1):
        middle = (early + (late - early) / 2).replace(microsecond=0)
        if _wall(middle, zone) >= civil:
            late = middle
        else:
            early = middle
    return late


def _wall(moment: datetime, zone: tzinfo) -> datetime:
    """What a clock on the wall reads, as a naive time."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta()


def _label(schedule: Schedule, civil: datetime) -> str:
    match schedule.kind:
        case ScheduleKind.WEEKLY:
            year, week, _ = civil.isocalendar()
            return f"{year}-W{week:02}"
        case ScheduleKind.MONTHLY:
            return f"{civil:%Y-%m}"
        case ScheduleKind.CRON:
            return f"{civil:%Y-%m-%dT%H:%M}"
    return f"{civil:%Y-%m-%d}"


def _civil_times(schedule: Schedule, start: datetime, *, forward: bool) -> Iterator[datetime]:
    """Due times as naive civil times: after `start` and rising, or from `start` backwards and falling."""
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
            return day.weekday() == schedule.weekday
    if schedule.ordinal is None:
        return day.day == min(schedule.day or 1, _last_day(day))
    if day.weekday() != schedule.weekday:
        return False
    if schedule.ordinal == -1:
        return day.day + 7 > _last_day(day)
    return (day.day + 6) // 7 == schedule.ordinal


def _last_day(day: datetime) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _cron_times(expression: str, start: datetime, *, forward: bool) -> Iterator[datetime]:
    from cronsim import CronSim

    if forward:
        return _until_9999(CronSim(expression, start))
    # Its backward walk leaves out the start itself, which here may be due.
    return iter(CronSim(expression, start.replace(microsecond=0) + timedelta(seconds=1), reverse=True))


def _until_9999(times: Iterator[datetime]) -> Iterator[datetime]:
    """End where civil time does: beyond the year 9999 there is nothing to count with."""
    try:
        yield from takewhile(lambda time: time < _YEAR_9999, times)
    except OverflowError:
        return


@dataclass(frozen=True, slots=True)
class SlotHistory:
    """What is known of a newsletter's slots.

    since   from when on its slots count: when it, or its schedule, was first seen
    passed  up to which moment its slots are over, made or not; None before any is
    taken   labels of the slots that have an edition
    """

    since: datetime
    passed: datetime | None = None
    taken: Collection[str] = frozenset()

    def __post_init__(self) -> None:
        require_aware("since", self.since)
        require_aware("passed", self.passed)


@dataclass(frozen=True, slots=True)
class Due:
    """An edition is to be made, and goes at once."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Late:
    """An edition is to be made and held for a person: its slot is longer ago than is allowed."""

    slot: Slot
    found: datetime


@dataclass(frozen=True, slots=True)
class Early:
    """An edition is to be made and waits for approval: its slot is still to come."""

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
    """Return what is to be done now about the newest slot that has begun; None where there is nothing.

    lead  how long before its slot an edition is made, for a person to approve it

    Of several slots that were missed only the newest counts: its edition carries whatever is new. A slot from before
    `since` is none, one that is over or has an edition is done.
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
    """How a post stands with a newsletter that sends each by itself.

    due   when it goes: some minutes after it was published and after its file was last changed
    late  whether that is longer ago than is allowed
    """

    due: datetime
    late: bool = False
    ready: bool = False


def post_timing(
    published: datetime, changed: datetime | None, now: datetime, *, settle: timedelta, max_lateness: timedelta
) -> PostTiming:
    """Return whether a post that is public may go by itself.

    changed  when its file was; None where that is not known. A time to come, from a clock that was wrong, says nothing
    """
    moments = [published] + ([changed] if changed is not None and changed <= now else [])
    due = max(moments) + settle
    return PostTiming(due, late=now - due > max_lateness, ready=due <= now)
