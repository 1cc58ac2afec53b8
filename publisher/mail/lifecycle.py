"""Which status follows which event: the only file that names the next status of a delivery.

    event                 queued    sending     deferred  uncertain  failed
    ─────────────────────────────────────────────────────────────────────────
    claimed               sending   ·           sending   ·          ·
    left                  skipped   ·           skipped   ·          ·
    accepted              sent      sent        sent      sent       ·
    deferred              ·         deferred    ·         deferred   ·
    rejected              failed    failed      failed    failed     ·
    expired               ·         failed      ·         failed     ·
    returned              ·         queued      ·         ·          ·
    unanswered_resend     ·         queued      ·         ·          ·
    unanswered_hold       ·         uncertain   ·         ·          ·
    retry                 queued    ·           queued    queued     queued
    cancelled             skipped   ·           skipped   skipped    ·

`sent` and `skipped` are final. A dot is a move that must not happen. The answers (accepted, deferred,
rejected) are also taken by rows that are no longer `sending`: a worker that stalled so long that its lease
was taken from it still knows better than the ledger what the server said.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from publisher.core.newsletter_models import DeliveryStatus


class Event(StrEnum):
    """What can happen to a delivery."""

    CLAIMED = "claimed"  # a worker took it in hand
    LEFT = "left"  # the subscriber left after the edition was made
    ACCEPTED = "accepted"  # the server took it
    DEFERRED = "deferred"  # the server said: not now
    REJECTED = "rejected"  # the server said: never
    EXPIRED = "expired"  # the server has said "not now" for too long
    RETURNED = "returned"  # the worker stopped before it handed the message over
    UNANSWERED_RESEND = "unanswered_resend"  # no answer was had, and the same message goes again
    UNANSWERED_HOLD = "unanswered_hold"  # no answer was had, and a person decides
    RETRY = "retry"  # a person wants it sent
    CANCELLED = "cancelled"  # a person does not want it sent


_QUEUED = DeliveryStatus.QUEUED
_SENDING = DeliveryStatus.SENDING
_SENT = DeliveryStatus.SENT
_DEFERRED = DeliveryStatus.DEFERRED
_FAILED = DeliveryStatus.FAILED
_UNCERTAIN = DeliveryStatus.UNCERTAIN
_SKIPPED = DeliveryStatus.SKIPPED

TABLE: Mapping[tuple[DeliveryStatus, Event], DeliveryStatus] = MappingProxyType(
    {
        (_QUEUED, Event.CLAIMED): _SENDING,
        (_QUEUED, Event.LEFT): _SKIPPED,
        (_QUEUED, Event.ACCEPTED): _SENT,
        (_QUEUED, Event.REJECTED): _FAILED,
        (_QUEUED, Event.RETRY): _QUEUED,  # one that waits for its next try, which is now
        (_QUEUED, Event.CANCELLED): _SKIPPED,
        (_SENDING, Event.ACCEPTED): _SENT,
        (_SENDING, Event.DEFERRED): _DEFERRED,
        (_SENDING, Event.REJECTED): _FAILED,
        (_SENDING, Event.EXPIRED): _FAILED,
        (_SENDING, Event.RETURNED): _QUEUED,
        (_SENDING, Event.UNANSWERED_RESEND): _QUEUED,
        (_SENDING, Event.UNANSWERED_HOLD): _UNCERTAIN,
        (_DEFERRED, Event.CLAIMED): _SENDING,
        (_DEFERRED, Event.LEFT): _SKIPPED,
        (_DEFERRED, Event.ACCEPTED): _SENT,
        (_DEFERRED, Event.REJECTED): _FAILED,
        (_DEFERRED, Event.RETRY): _QUEUED,
        (_DEFERRED, Event.CANCELLED): _SKIPPED,
        (_UNCERTAIN, Event.ACCEPTED): _SENT,
        (_UNCERTAIN, Event.DEFERRED): _DEFERRED,
        (_UNCERTAIN, Event.REJECTED): _FAILED,
        (_UNCERTAIN, Event.EXPIRED): _FAILED,
        (_UNCERTAIN, Event.RETRY): _QUEUED,
        (_UNCERTAIN, Event.CANCELLED): _SKIPPED,
        (_FAILED, Event.RETRY): _QUEUED,
    }
)

# What a worker may claim: a row in one of these has a time for its next try, and no other row has.
WAITING = frozenset(status for status, event in TABLE if event is Event.CLAIMED)

# What waits for a person, however long.
UNSETTLED = frozenset({_UNCERTAIN})


def next_status(status: DeliveryStatus, event: Event) -> DeliveryStatus:
    """Return the status after the event. Raises ValueError for a move that must not happen."""
    try:
        return TABLE[status, event]
    except KeyError:
        raise ValueError(f"a delivery that is {status} cannot be {event}") from None


def moves(event: Event) -> dict[DeliveryStatus, DeliveryStatus]:
    """Return what the event does, by the status it finds: one column of the table, for the store to write."""
    return {status: after for (status, when), after in TABLE.items() if when is event}
