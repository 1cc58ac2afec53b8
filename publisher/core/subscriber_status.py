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

from publisher.core.newsletter_models import SubscriberStatus


class SubscriberEvent(StrEnum):
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

TABLE: Mapping[tuple[Standing, SubscriberEvent], SubscriberStatus] = MappingProxyType(
    {
        (None, SubscriberEvent.REQUESTED): _S.PENDING,
        (None, SubscriberEvent.ADDED): _S.ACTIVE,
        (None, SubscriberEvent.READDED): _S.ACTIVE,
        (None, SubscriberEvent.IMPORTED): _S.ACTIVE,
        (_S.PENDING, SubscriberEvent.REQUESTED): _S.PENDING,
        (_S.PENDING, SubscriberEvent.CONFIRMED): _S.ACTIVE,
        (_S.PENDING, SubscriberEvent.ADDED): _S.ACTIVE,
        (_S.PENDING, SubscriberEvent.READDED): _S.ACTIVE,
        (_S.PENDING, SubscriberEvent.LEFT): _S.UNSUBSCRIBED,
        (_S.PENDING, SubscriberEvent.REMOVED): _S.UNSUBSCRIBED,
        (_S.PENDING, SubscriberEvent.BOUNCED): _S.BOUNCED,
        (_S.PENDING, SubscriberEvent.COMPLAINED): _S.COMPLAINED,
        (_S.PENDING, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.PENDING, SubscriberEvent.LIFTED): _S.PENDING,
        (_S.ACTIVE, SubscriberEvent.REQUESTED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.CONFIRMED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.ADDED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.READDED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.IMPORTED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.LEFT): _S.UNSUBSCRIBED,
        (_S.ACTIVE, SubscriberEvent.REMOVED): _S.UNSUBSCRIBED,
        (_S.ACTIVE, SubscriberEvent.RETURNED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.MOVED): _S.ACTIVE,
        (_S.ACTIVE, SubscriberEvent.BOUNCED): _S.BOUNCED,
        (_S.ACTIVE, SubscriberEvent.COMPLAINED): _S.COMPLAINED,
        (_S.ACTIVE, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.ACTIVE, SubscriberEvent.LIFTED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, SubscriberEvent.REQUESTED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, SubscriberEvent.CONFIRMED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, SubscriberEvent.READDED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, SubscriberEvent.LEFT): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, SubscriberEvent.REMOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, SubscriberEvent.RETURNED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, SubscriberEvent.MOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, SubscriberEvent.BOUNCED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, SubscriberEvent.COMPLAINED): _S.COMPLAINED,
        (_S.UNSUBSCRIBED, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.UNSUBSCRIBED, SubscriberEvent.LIFTED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, SubscriberEvent.REQUESTED): _S.BOUNCED,
        (_S.BOUNCED, SubscriberEvent.CONFIRMED): _S.ACTIVE,
        (_S.BOUNCED, SubscriberEvent.READDED): _S.ACTIVE,
        (_S.BOUNCED, SubscriberEvent.LEFT): _S.UNSUBSCRIBED,
        (_S.BOUNCED, SubscriberEvent.REMOVED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, SubscriberEvent.MOVED): _S.ACTIVE,
        (_S.BOUNCED, SubscriberEvent.BOUNCED): _S.BOUNCED,
        (_S.BOUNCED, SubscriberEvent.COMPLAINED): _S.COMPLAINED,
        (_S.BOUNCED, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.BOUNCED, SubscriberEvent.LIFTED): _S.BOUNCED,
        (_S.COMPLAINED, SubscriberEvent.LEFT): _S.COMPLAINED,
        (_S.COMPLAINED, SubscriberEvent.REMOVED): _S.COMPLAINED,
        (_S.COMPLAINED, SubscriberEvent.BOUNCED): _S.COMPLAINED,
        (_S.COMPLAINED, SubscriberEvent.COMPLAINED): _S.COMPLAINED,
        (_S.COMPLAINED, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.COMPLAINED, SubscriberEvent.LIFTED): _S.COMPLAINED,
        (_S.SUPPRESSED, SubscriberEvent.LEFT): _S.SUPPRESSED,
        (_S.SUPPRESSED, SubscriberEvent.REMOVED): _S.SUPPRESSED,
        (_S.SUPPRESSED, SubscriberEvent.BOUNCED): _S.SUPPRESSED,
        (_S.SUPPRESSED, SubscriberEvent.COMPLAINED): _S.SUPPRESSED,
        (_S.SUPPRESSED, SubscriberEvent.SUPPRESSED): _S.SUPPRESSED,
        (_S.SUPPRESSED, SubscriberEvent.LIFTED): _S.UNSUBSCRIBED,
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


def next_status(status: Standing, event: SubscriberEvent) -> SubscriberStatus | None:
    """Return the status after the event; None where the event is refused, and REFUSALS says why."""
    return TABLE.get((status, event))
