"""Which status of a person follows which event: the only file that names the next status of a subscriber.

    event       stranger  pending       active        unsubscribed  bounced       complained  suppressed
    ──────────────────────────────────────────────────────────────────────────────────────────────────────
    requested   pending   pending       active        unsubscribed  bounced       ·           ·
    confirmed   ·         active        active        active        active        ·           ·
    added       active    active        active        ·             ·             ·           ·
    readded     active    active        active        active        active        ·           ·
    imported    active    ·             active        ·             ·             ·           ·
    left        ·         unsubscribed  unsubscribed  unsubscribed  unsubscribed  complained  suppressed
    removed     ·         unsubscribed  unsubscribed  unsubscribed  unsubscribed  complained  suppressed
    returned    ·         ·             active        active        ·             ·           ·
    moved       ·         ·             active        unsubscribed  active        ·           ·
    bounced     ·         bounced       bounced       unsubscribed  bounced       complained  suppressed
    complained  ·         complained    complained    complained    complained    complained  suppressed
    suppressed  ·         suppressed    suppressed    suppressed    suppressed    suppressed  suppressed
    lifted      ·         pending       active        unsubscribed  bounced       complained  unsubscribed

A dot is a move that is refused, with the reason in REFUSALS. Who typed an address into a form has proven
nothing, so `requested` makes nobody active and takes nothing back; `confirmed` comes from the mailbox itself.
`returned` is for who left by themselves. Whom the operator `removed` has the same status, and their history keeps
them from it: the button in an old letter must not undo that, while asking and confirming anew is a new agreement.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from publisher.core.mailing import SubscriberStatus


class Event(StrEnum):
    """What can happen to a person's standing."""

    REQUESTED = "requested"  # somebody typed the address into a form
    CONFIRMED = "confirmed"  # the link that was mailed to the address was used
    ADDED = "added"  # the operator vouches that the person agreed
    READDED = "readded"  # the operator vouches that the person asked to come back
    IMPORTED = "imported"  # a line of a file
    LEFT = "left"  # the person wants no more mail
    REMOVED = "removed"  # the operator stops the mail
    RETURNED = "returned"  # the person left by mistake and says so with their own link
    MOVED = "moved"  # the person's new address was confirmed
    BOUNCED = "bounced"  # the mailbox takes no mail
    COMPLAINED = "complained"  # the person reported a letter as spam
    SUPPRESSED = "suppressed"  # the operator wants the address never mailed again
    LIFTED = "lifted"  # the operator takes a suppression back


_S = SubscriberStatus

Standing = SubscriberStatus | None
"""A person's status; None for a stranger, of whom there is no row."""

TABLE: Mapping[tuple[Standing, Event], SubscriberStatus] = MappingProxyType(
    {
        (None, Event.REQUESTED): _S.PENDING,
        (None, Event.ADDED): _S.ACTIVE,
        (None, Event.READDED): _S.ACTIVE,
        (None, Event.IMPORTED): _S.ACTIVE,
        (_S.PENDING, Event.REQUESTED): _S.PENDING,
        (_S.PENDING, Event.CONFIRMED): _S.ACTIVE,
        (_S.PENDING, Event.ADDED): _S.ACTIVE,
        (_S.PENDING, Event.READDED): _S.ACTIVE,
        (_S.PENDING, Event.LEFT): _S.UNSUBSCRIBED,
        (_S.PENDING, Event.REMOVED): _S.UNSUBSCRIBED,
        (_S.PENDING, Event.BOUNCED): _S.BOUNCED,
        (_S.PENDING, Event.COMPLAINED): _S.COMPLAINED,
        (_S.PENDING, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.PENDING, Event.LIFTED): _S.PENDING,
        (_S.ACTIVE, Event.REQUESTED): _S.ACTIVE,
        (_S.ACTIVE, Event.CONFIRMED): _S.ACTIVE,
        (_S.ACTIVE, Event.ADDED): _S.ACTIVE,
        (_S.ACTIVE, Event.READDED): _S.ACTIVE,
        (_S.ACTIVE, Event.IMPORTED): _S.ACTIVE,
        (_S.ACTIVE, Event.LEFT): _S.UNSUBSCRIBED,
        (_S.ACTIVE, Event.REMOVED): _S.UNSUBSCRIBED,
        (_S.ACTIVE, Event.RETURNED): _S.ACTIVE,
        (_S.ACTIVE, Event.MOVED): _S.ACTIVE,
        (_S.ACTIVE, Event.BOUNCED): _S.BOUNCED,
        (_S.ACTIVE, Event.COMPLAINED): _S.COMPLAINED,
        (_S.ACTIVE, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.ACTIVE, Event.LIFTED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, Event.REQUESTED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, Event.CONFIRMED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, Event.READDED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, Event.LEFT): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, Event.REMOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, Event.RETURNED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, Event.MOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, Event.BOUNCED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, Event.COMPLAINED): _S.COMPLAINED,
        (_S.UNSUBSCRIBED, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.UNSUBSCRIBED, Event.LIFTED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, Event.REQUESTED): _S.BOUNCED,
        (_S.BOUNCED, Event.CONFIRMED): _S.ACTIVE,
        (_S.BOUNCED, Event.READDED): _S.ACTIVE,
        (_S.BOUNCED, Event.LEFT): _S.UNSUBSCRIBED,
        (_S.BOUNCED, Event.REMOVED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, Event.MOVED): _S.ACTIVE,
        (_S.BOUNCED, Event.BOUNCED): _S.BOUNCED,
        (_S.BOUNCED, Event.COMPLAINED): _S.COMPLAINED,
        (_S.BOUNCED, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.BOUNCED, Event.LIFTED): _S.BOUNCED,
        (_S.COMPLAINED, Event.LEFT): _S.COMPLAINED,
        (_S.COMPLAINED, Event.REMOVED): _S.COMPLAINED,
        (_S.COMPLAINED, Event.BOUNCED): _S.COMPLAINED,
        (_S.COMPLAINED, Event.COMPLAINED): _S.COMPLAINED,
        (_S.COMPLAINED, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.COMPLAINED, Event.LIFTED): _S.COMPLAINED,
        (_S.SUPPRESSED, Event.LEFT): _S.SUPPRESSED,
        (_S.SUPPRESSED, Event.REMOVED): _S.SUPPRESSED,
        (_S.SUPPRESSED, Event.BOUNCED): _S.SUPPRESSED,
        (_S.SUPPRESSED, Event.COMPLAINED): _S.SUPPRESSED,
        (_S.SUPPRESSED, Event.SUPPRESSED): _S.SUPPRESSED,
        (_S.SUPPRESSED, Event.LIFTED): _S.UNSUBSCRIBED,
    }
)

# The reason against a move, by the status it was found in.
REFUSALS: Mapping[Standing, str] = MappingProxyType(
    {
        None: "is not a subscriber",
        _S.PENDING: "was asked and has not confirmed",
        _S.ACTIVE: "is active",
        _S.UNSUBSCRIBED: "left, and is not brought back",
        _S.BOUNCED: "bounced, and is not brought back",
        _S.COMPLAINED: "reported a letter as spam, and is not brought back",
        _S.SUPPRESSED: "is suppressed, and is never mailed again",
    }
)


def next_status(status: Standing, event: Event) -> SubscriberStatus | None:
    """Return the status after the event; None where the event is refused, and REFUSALS says why."""
    return TABLE.get((status, event))
