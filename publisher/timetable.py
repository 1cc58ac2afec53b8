"""The next slots of each newsletter, and what its next edition would hold today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import TYPE_CHECKING

from publisher.config import Config, NewsletterConfig, ScheduleKind, parse_schedule
from publisher.config.schedule import Schedule
from publisher.editions.schedule import Slot, upcoming
from publisher.plan import Call, make_plan

if TYPE_CHECKING:
    from publisher.plan import Plan
    from publisher.store import Store


@dataclass(frozen=True, slots=True)
class Coming:
    """A slot to come.

    at      in the newsletter's zone
    remark  what the clock on the wall does there: "02:30 is skipped that day"; "" where it does nothing
    made    whether the slot has its edition already: by hand, or for approval
    """

    label: str
    at: datetime
    remark: str = ""
    made: bool = False


@dataclass(frozen=True, slots=True)
class Timetable:
    """One newsletter's.

    slots    the next ones, soonest first; none of a newsletter that has no clock
    posts    titles that its next edition would hold if it were made now
    readers  how many would get it
    idle     why there would be none
    """

    newsletter: NewsletterConfig
    slots: tuple[Coming, ...]
    posts: tuple[str, ...] = ()
    readers: int = 0
    idle: str = ""


def timetables(
    config: Config, store: Store | None, names: Sequence[str], now: datetime, count: int = 10
) -> list[Timetable]:
    """Return the timetables of the newsletters called `names` (all, if none are named); write nothing."""
    wanted = [each for each in config.newsletters if not names or each.name in names]
    slots = {each.name: _coming(config, store, each, now, count) for each in wanted}
    free = {name: next((slot.label for slot in found if not slot.made), "") for name, found in slots.items()}
    calls = {name: Call(label) for name, label in free.items()}
    plan = make_plan(config, store, [each.name for each in wanted], now, keep=False, calls=calls) if wanted else None
    return [_table(each, slots[each.name], plan) for each in wanted if plan]


def _coming(
    config: Config, store: Store | None, newsletter: NewsletterConfig, now: datetime, count: int
) -> tuple[Coming, ...]:
    zone, schedule = config.newsletter_zone(newsletter), parse_schedule(newsletter.schedule)
    taken = store.editions.slots(newsletter.name) if store else frozenset()
    return tuple(
        Coming(slot.label, slot.at.astimezone(zone), remark(schedule, slot, zone), slot.label in taken)
        for slot in islice(upcoming(schedule, now, zone), count)
    )


def _table(newsletter: NewsletterConfig, slots: tuple[Coming, ...], plan: Plan) -> Timetable:
    planned = [each for each in plan.editions if each.newsletter.name == newsletter.name]
    idle = next((each.reason for each in plan.idle if each.newsletter.name == newsletter.name), "")
    titles = tuple(post.title for each in planned for post in each.posts)
    return Timetable(newsletter, slots, titles, max((each.recipients for each in planned), default=0), idle)


def when_not(schedule: Schedule, settle_minutes: int) -> str:
    """Return in words when editions are made for which no slot is to come."""
    match schedule.kind:
        case ScheduleKind.MANUAL:
            return "when you publish"
        case ScheduleKind.EACH_POST:
            return f"{settle_minutes} minute{'s' * (settle_minutes != 1)} after a post is published or changed"
    return "no slot after this"


def remark(schedule: Schedule, slot: Slot, zone: tzinfo) -> str:
    """Return what the clock on the wall does at a slot; "" where it reads the schedule's time, once."""
    local = slot.at.astimezone(zone)
    wanted = slot.label[-5:] if schedule.kind is ScheduleKind.CRON else f"{schedule.at:%H:%M}" if schedule.at else ""
    if wanted and f"{local:%H:%M}" != wanted:
        return f"{wanted} is skipped by the clock: due at the first moment after it"
    again = local.replace(fold=1).astimezone(UTC)
    if again > slot.at and again - slot.at < timedelta(days=1):
        return f"{local:%H:%M} comes twice: due the first time"
    return ""
