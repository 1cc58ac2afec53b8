"""Holds: why an edition is not sent, and who stopped it.

How an edition may be released depends on who holds it, so the holder is a value of its own (HeldBy). The reason
is a text for people; the program never interprets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from enum import StrEnum

from publisher.core.frozen import dataclass


class HeldBy(StrEnum):
    """Who holds an edition."""

    APPROVAL = "approval"  # the newsletter requires the owner's approval of each edition
    SCHEDULER = "scheduler"  # the edition is late, or its email has errors, and the owner should look at it first
    PERSON = "person"  # someone held, skipped or cancelled the edition
    SERVER = "server"  # the mail server refuses the edition for every recipient


@dataclass(frozen=True, slots=True)
class Hold:
    """The reason why an edition is not sent until it is released. why: a text for people; it must not be empty."""

    by: HeldBy
    why: str

    def __post_init__(self) -> None:
        if not self.why:
            raise ValueError("a hold needs a reason")

    @property
    def asks_owner(self) -> bool:
        """Whether the owner is asked to approve or skip the edition."""
        return self.by in (HeldBy.APPROVAL, HeldBy.SCHEDULER)


def by_person(why: str) -> Hold:
    """Return the hold for an edition that someone has stopped."""
    return Hold(HeldBy.PERSON, why)


def approval(goes_at: datetime | None, zone: tzinfo) -> Hold:
    """Return the hold for an edition that the owner has to approve.

    goes_at: when the approved edition is sent; None if it is sent as soon as it is approved.
    """
    then = "" if goes_at is None else f", then goes at {_civil(goes_at, zone)} ({zone})"
    return Hold(HeldBy.APPROVAL, f"waits for approval{then}")


def late(due: datetime, found: datetime, zone: tzinfo) -> Hold:
    """Return the hold for an edition whose scheduled time was too long ago."""
    return Hold(HeldBy.SCHEDULER, f"waits for a person: was due {_civil(due, zone)}, found at {_civil(found, zone)}")


def turned_new(sources: Sequence[str]) -> Hold:
    """Return the hold for an edition with items that arrived when more than half of a feed suddenly appeared as new."""
    names = ", ".join(sources)
    why = f"waits for a person: more than half of the items of {names} suddenly appeared as new"
    return Hold(HeldBy.SCHEDULER, why)


def sent_as(name: str, at: datetime | None, zone: tzinfo) -> Hold:
    """Return the hold for an email whose text was sent to the same people under another name.

    at: when that email was sent; None if it is being sent now.
    """
    when = f"was sent as {name} at {_civil(at, zone)}" if at else f"is sent as {name}"
    return Hold(HeldBy.SCHEDULER, f"waits for a person: the same text {when}")


def errors(messages: Iterable[str]) -> Hold:
    """Return the hold for an edition whose email has errors. messages: the errors, at least one."""
    first, *more = messages
    rest = f" (and {len(more)} more)" if more else ""
    return Hold(HeldBy.SCHEDULER, f"waits for a person: {first}{rest}")


def joined(*holds: Hold | None) -> Hold | None:
    """Combine several holds into one, with the holder of the first; return None if there are none."""
    found = [hold for hold in holds if hold]
    return Hold(found[0].by, "; ".join(hold.why for hold in found)) if found else None


def _civil(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
