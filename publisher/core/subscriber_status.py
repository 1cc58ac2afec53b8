"""The table of subscriber events and statuses; only this module decides a subscriber's next status.

    event       stranger      pending       active        unsubscribed  bounced       complained  suppressed
    ────────────────────────────────────────────────────────────────────────────────────────────────────────────
    requested   pending       pending       active        unsubscribed  bounced       ·           ·
    confirmed   ·             active        active        active        active        ·           ·
    added       active        active        active        ·             ·             ·           ·
    readded     active        active        active        active        active        ·           ·
    imported    active        ·             active        ·             ·             ·           ·
    left        unsubscribed  unsubscribed  unsubscribed  unsubscribed  unsubscribed  complained  suppressed
    removed     unsubscribed  unsubscribed  unsubscribed  unsubscribed  unsubscribed  complained  suppressed
    returned    ·             ·             active        active        ·             ·           ·
    moved       ·             ·             active        unsubscribed  active        ·           ·
    bounced     bounced       bounced       bounced       unsubscribed  bounced       complained  suppressed
    complained  complained    complained    complained    complained    complained    complained  suppressed
    suppressed  suppressed    suppressed    suppressed    suppressed    suppressed    suppressed  suppressed
    lifted      ·             pending       active        unsubscribed  bounced       complained  unsubscribed

A dot means that the event is refused, for the reason in REFUSALS. A stranger is an address that is not in the database;
only an imported file can say that a stranger `left`, `bounced` and so on. Typing an address into a form proves nothing,
so `requested` never makes anyone active and never undoes another event; `confirmed` comes from the mailbox itself.
`returned` is for people who unsubscribed themselves. People whom the owner `removed` have the same status, but their
subscriptions prevent `returned`: a link in an old email must not undo the removal. If they sign up and confirm again,
that is a new agreement.

Each subscription has a status of its own, by the table in subscription_status.py. A subscriber who leaves the last one
has `left`. An event that leads to unsubscribed, complained or suppressed ends all subscriptions, as `ends_all` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.subscription_status import SubscriptionEvent


class SubscriberEvent(StrEnum):
    """The events that can happen to a subscriber."""

    REQUESTED = "requested"  # someone typed the address into a form
    CONFIRMED = "confirmed"  # the link sent to the address was used
    ADDED = "added"  # the owner confirms that the person agreed
    READDED = "readded"  # the owner confirms that the person asked to return
    IMPORTED = "imported"  # the address is in a CSV file that was imported
    LEFT = "left"  # the subscriber unsubscribed
    REMOVED = "removed"  # the owner unsubscribed them
    RETURNED = "returned"  # the subscriber undid the unsubscription with their own link
    MOVED = "moved"  # the subscriber's new address was confirmed
    BOUNCED = "bounced"  # the mailbox accepts no email
    COMPLAINED = "complained"  # the subscriber reported an email as spam
    SUPPRESSED = "suppressed"  # the owner put the address on the suppression list
    LIFTED = "lifted"  # the owner took the address off the suppression list


_S = SubscriberStatus
_E = SubscriberEvent

# The status is None for a stranger, who has no row.
TABLE: Mapping[tuple[SubscriberStatus | None, SubscriberEvent], SubscriberStatus] = MappingProxyType(
    {
        (None, _E.REQUESTED): _S.PENDING,
        (None, _E.ADDED): _S.ACTIVE,
        (None, _E.READDED): _S.ACTIVE,
        (None, _E.IMPORTED): _S.ACTIVE,
        (None, _E.LEFT): _S.UNSUBSCRIBED,
        (None, _E.REMOVED): _S.UNSUBSCRIBED,
        (None, _E.BOUNCED): _S.BOUNCED,
        (None, _E.COMPLAINED): _S.COMPLAINED,
        (None, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.PENDING, _E.REQUESTED): _S.PENDING,
        (_S.PENDING, _E.CONFIRMED): _S.ACTIVE,
        (_S.PENDING, _E.ADDED): _S.ACTIVE,
        (_S.PENDING, _E.READDED): _S.ACTIVE,
        (_S.PENDING, _E.LEFT): _S.UNSUBSCRIBED,
        (_S.PENDING, _E.REMOVED): _S.UNSUBSCRIBED,
        (_S.PENDING, _E.BOUNCED): _S.BOUNCED,
        (_S.PENDING, _E.COMPLAINED): _S.COMPLAINED,
        (_S.PENDING, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.PENDING, _E.LIFTED): _S.PENDING,
        (_S.ACTIVE, _E.REQUESTED): _S.ACTIVE,
        (_S.ACTIVE, _E.CONFIRMED): _S.ACTIVE,
        (_S.ACTIVE, _E.ADDED): _S.ACTIVE,
        (_S.ACTIVE, _E.READDED): _S.ACTIVE,
        (_S.ACTIVE, _E.IMPORTED): _S.ACTIVE,
        (_S.ACTIVE, _E.LEFT): _S.UNSUBSCRIBED,
        (_S.ACTIVE, _E.REMOVED): _S.UNSUBSCRIBED,
        (_S.ACTIVE, _E.RETURNED): _S.ACTIVE,
        (_S.ACTIVE, _E.MOVED): _S.ACTIVE,
        (_S.ACTIVE, _E.BOUNCED): _S.BOUNCED,
        (_S.ACTIVE, _E.COMPLAINED): _S.COMPLAINED,
        (_S.ACTIVE, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.ACTIVE, _E.LIFTED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, _E.REQUESTED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, _E.CONFIRMED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, _E.READDED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, _E.LEFT): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, _E.REMOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, _E.RETURNED): _S.ACTIVE,
        (_S.UNSUBSCRIBED, _E.MOVED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, _E.BOUNCED): _S.UNSUBSCRIBED,
        (_S.UNSUBSCRIBED, _E.COMPLAINED): _S.COMPLAINED,
        (_S.UNSUBSCRIBED, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.UNSUBSCRIBED, _E.LIFTED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, _E.REQUESTED): _S.BOUNCED,
        (_S.BOUNCED, _E.CONFIRMED): _S.ACTIVE,
        (_S.BOUNCED, _E.READDED): _S.ACTIVE,
        (_S.BOUNCED, _E.LEFT): _S.UNSUBSCRIBED,
        (_S.BOUNCED, _E.REMOVED): _S.UNSUBSCRIBED,
        (_S.BOUNCED, _E.MOVED): _S.ACTIVE,
        (_S.BOUNCED, _E.BOUNCED): _S.BOUNCED,
        (_S.BOUNCED, _E.COMPLAINED): _S.COMPLAINED,
        (_S.BOUNCED, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.BOUNCED, _E.LIFTED): _S.BOUNCED,
        (_S.COMPLAINED, _E.LEFT): _S.COMPLAINED,
        (_S.COMPLAINED, _E.REMOVED): _S.COMPLAINED,
        (_S.COMPLAINED, _E.BOUNCED): _S.COMPLAINED,
        (_S.COMPLAINED, _E.COMPLAINED): _S.COMPLAINED,
        (_S.COMPLAINED, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.COMPLAINED, _E.LIFTED): _S.COMPLAINED,
        (_S.SUPPRESSED, _E.LEFT): _S.SUPPRESSED,
        (_S.SUPPRESSED, _E.REMOVED): _S.SUPPRESSED,
        (_S.SUPPRESSED, _E.BOUNCED): _S.SUPPRESSED,
        (_S.SUPPRESSED, _E.COMPLAINED): _S.SUPPRESSED,
        (_S.SUPPRESSED, _E.SUPPRESSED): _S.SUPPRESSED,
        (_S.SUPPRESSED, _E.LIFTED): _S.UNSUBSCRIBED,
    }
)

# Why an event is refused, by the current status.
REFUSALS: Mapping[SubscriberStatus | None, str] = MappingProxyType(
    {
        None: "is not a subscriber",
        _S.PENDING: "has not confirmed yet",
        _S.ACTIVE: "is already active",
        _S.UNSUBSCRIBED: "unsubscribed, so not added",
        _S.BOUNCED: "bounced, so not added",
        _S.COMPLAINED: "marked an email as spam, which is final",
        _S.SUPPRESSED: "is on the suppression list",
    }
)


def next_status(status: SubscriberStatus | None, event: SubscriberEvent) -> SubscriberStatus | None:
    """Return the status after the event; None if the event is refused for the reason in REFUSALS."""
    return TABLE.get((status, event))


# What the events that stop all mail do to each subscription.
_ENDS_ALL: Mapping[SubscriberEvent, SubscriptionEvent] = MappingProxyType(
    {
        _E.LEFT: SubscriptionEvent.LEFT_ALL,
        _E.REMOVED: SubscriptionEvent.REMOVED,
        _E.COMPLAINED: SubscriptionEvent.COMPLAINED,
        _E.SUPPRESSED: SubscriptionEvent.SUPPRESSED,
    }
)

# What an event that adds a subscriber does to each subscription that is asked for.
SUBSCRIBES: Mapping[SubscriberEvent, SubscriptionEvent] = MappingProxyType(
    {
        _E.CONFIRMED: SubscriptionEvent.CONFIRMED,
        _E.ADDED: SubscriptionEvent.ADDED,
        _E.READDED: SubscriptionEvent.READDED,
        _E.IMPORTED: SubscriptionEvent.IMPORTED,
        _E.RETURNED: SubscriptionEvent.UNDONE,
    }
)


def ends_all(event: SubscriberEvent) -> SubscriptionEvent | None:
    """Return what an event does to each of the subscriber's subscriptions; None if they continue.

    A bounce says nothing about what the person wants, so their subscriptions continue when the mailbox works again.
    """
    return _ENDS_ALL.get(event)
