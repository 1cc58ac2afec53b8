"""Holds: why an edition is not sent, and who stopped it.

Who holds an edition decides what may release it, so it is a value of its own. The reason is a text for people, and
nothing reads it but they.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum


class HeldBy(StrEnum):
    """Who holds an edition."""

    APPROVAL = "approval"  # its newsletter wants each edition approved by the owner
    SCHEDULER = "scheduler"  # it is late, or its email has errors, and the owner should look first
    PERSON = "person"  # someone held, skipped or cancelled it
    SERVER = "server"  # the mail server refuses it whoever it is for


@dataclass(frozen=True, slots=True)
class Hold:
    """Why nothing of an edition is sent until it is released. why: a text for people, not ""."""

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
    """Return the hold of someone who stops an edition."""
    return Hold(HeldBy.PERSON, why)


def approval(goes_at: datetime | None, zone: tzinfo) -> Hold:
    """Return the hold of an edition that the owner has to approve.

    goes_at: when it is sent after that; None if it is sent at once.
    """
    then = "" if goes_at is None else f", then goes at {_civil(goes_at, zone)} ({zone})"
    return Hold(HeldBy.APPROVAL, f"waits for approval{then}")


def late(due: datetime, found: datetime, zone: tzinfo) -> Hold:
    """Return the hold of an edition whose scheduled time is too long ago."""
    return Hold(HeldBy.SCHEDULER, f"waits for a person: was due {_civil(due, zone)}, found at {_civil(found, zone)}")


def errors(messages: Iterable[str]) -> Hold:
    """Return the hold of an edition whose email has findings of level error; `messages` has at least one."""
    first, *more = messages
    rest = f" (and {len(more)} more)" if more else ""
    return Hold(HeldBy.SCHEDULER, f"waits for a person: {first}{rest}")


def joined(*holds: Hold | None) -> Hold | None:
    """Return several holds as one, held by whoever comes first; None if there are none."""
    found = [hold for hold in holds if hold]
    return Hold(found[0].by, "; ".join(hold.why for hold in found)) if found else None


def _civil(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
