"""Whether a newsletter's edition is due, late, or to be made ahead. Pure: the record and the moment are arguments.

The label of a slot decides, and the moment until which slots are over; never a timer. So a clock that is set back, a
tick that comes twice and a process that was down make no slot twice, and lose none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from publisher.config.schedule import Schedule
from publisher.core.models import require_aware
from publisher.newsletters.slots import Slot, latest_due


@dataclass(frozen=True, slots=True)
class Record:
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
class Ahead:
    """An edition is to be made and waits for approval: its slot is still to come."""

    slot: Slot


Decision = Due | Late | Ahead | None


def decide(
    schedule: Schedule,
    zone: tzinfo,
    record: Record,
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
        return Ahead(slot)
    if now - slot.at > max_lateness:
        return Late(slot, now)
    return Due(slot)


@dataclass(frozen=True, slots=True)
class Settling:
    """How a post stands with a newsletter that sends each by itself.

    due   when it goes: some minutes after it was published and after its file was last changed
    late  whether that is longer ago than is allowed
    """

    due: datetime
    late: bool = False
    ready: bool = False


def settling(
    published: datetime, changed: datetime | None, now: datetime, *, settle: timedelta, max_lateness: timedelta
) -> Settling:
    """Return whether a post that is public may go by itself.

    changed  when its file was; None where that is not known. A time to come, from a clock that was wrong, says nothing
    """
    moments = [published] + ([changed] if changed is not None and changed <= now else [])
    due = max(moments) + settle
    return Settling(due, late=now - due > max_lateness, ready=due <= now)
