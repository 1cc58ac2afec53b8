"""Why an edition waits for a person, in words. What the clock holds begins alike, so that its links know their own."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

BEGINS = "waits for "
APPROVAL = f"{BEGINS}approval"


def approval(goes_at: datetime | None, zone: tzinfo) -> str:
    """Return the words for an edition that the owner has to approve. goes_at: when it then goes; None is at once."""
    return APPROVAL if goes_at is None else f"{APPROVAL}, then goes at {_civil(goes_at, zone)} ({zone})"


def late(due: datetime, found: datetime, zone: tzinfo) -> str:
    """Return the words for an edition whose time is too long ago."""
    return f"{BEGINS}a person: was due {_civil(due, zone)}, found at {_civil(found, zone)}"


def errors(messages: Iterable[str]) -> str:
    """Return the words for an edition whose letter has findings of level error."""
    first, *more = messages
    rest = f" (and {len(more)} more)" if more else ""
    return f"{BEGINS}a person: {first}{rest}"


def joined(*reasons: str) -> str:
    """Return several reasons as one; "" where there is none."""
    return "; ".join(reason for reason in reasons if reason)


def by_clock(held: str) -> bool:
    """Return whether the clock holds an edition, and not a person."""
    return held.startswith(BEGINS)


def _civil(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M}"
