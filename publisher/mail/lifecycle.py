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
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.transport import Accepted, Deferred, Outcome, Rejected

if TYPE_CHECKING:
    from publisher.store.deliveries import Settled


class DeliveryEvent(StrEnum):
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

TABLE: Mapping[tuple[DeliveryStatus, DeliveryEvent], DeliveryStatus] = MappingProxyType(
    {
        (_QUEUED, DeliveryEvent.CLAIMED): _SENDING,
        (_QUEUED, DeliveryEvent.LEFT): _SKIPPED,
        (_QUEUED, DeliveryEvent.ACCEPTED): _SENT,
        (_QUEUED, DeliveryEvent.REJECTED): _FAILED,
        (_QUEUED, DeliveryEvent.RETRY): _QUEUED,  # one that waits for its next try, which is now
        (_QUEUED, DeliveryEvent.CANCELLED): _SKIPPED,
        (_SENDING, DeliveryEvent.ACCEPTED): _SENT,
        (_SENDING, DeliveryEvent.DEFERRED): _DEFERRED,
        (_SENDING, DeliveryEvent.REJECTED): _FAILED,
        (_SENDING, DeliveryEvent.EXPIRED): _FAILED,
        (_SENDING, DeliveryEvent.RETURNED): _QUEUED,
        (_SENDING, DeliveryEvent.UNANSWERED_RESEND): _QUEUED,
        (_SENDING, DeliveryEvent.UNANSWERED_HOLD): _UNCERTAIN,
        (_DEFERRED, DeliveryEvent.CLAIMED): _SENDING,
        (_DEFERRED, DeliveryEvent.LEFT): _SKIPPED,
        (_DEFERRED, DeliveryEvent.ACCEPTED): _SENT,
        (_DEFERRED, DeliveryEvent.REJECTED): _FAILED,
        (_DEFERRED, DeliveryEvent.RETRY): _QUEUED,
        (_DEFERRED, DeliveryEvent.CANCELLED): _SKIPPED,
        (_UNCERTAIN, DeliveryEvent.ACCEPTED): _SENT,
        (_UNCERTAIN, DeliveryEvent.DEFERRED): _DEFERRED,
        (_UNCERTAIN, DeliveryEvent.REJECTED): _FAILED,
        (_UNCERTAIN, DeliveryEvent.EXPIRED): _FAILED,
        (_UNCERTAIN, DeliveryEvent.RETRY): _QUEUED,
        (_UNCERTAIN, DeliveryEvent.CANCELLED): _SKIPPED,
        (_FAILED, DeliveryEvent.RETRY): _QUEUED,
    }
)

# What a worker may claim: a row in one of these has a time for its next try, and no other row has.
WAITING = frozenset(status for status, event in TABLE if event is DeliveryEvent.CLAIMED)

# What waits for a person, however long.
UNSETTLED = frozenset({_UNCERTAIN})


def next_status(status: DeliveryStatus, event: DeliveryEvent) -> DeliveryStatus:
    """Return the status after the event. Raises ValueError for a move that must not happen."""
    try:
        return TABLE[status, event]
    except KeyError:
        raise ValueError(f"a delivery that is {status} cannot be {event}") from None


def moves(event: DeliveryEvent) -> dict[DeliveryStatus, DeliveryStatus]:
    """Return what the event does, by the status it finds: one column of the table, for the store to write."""
    return {status: after for (status, when), after in TABLE.items() if when is event}


FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)

# As long as RFC 5321, 4.5.4.1 asks a mail server to keep trying.
GIVE_UP_AFTER = timedelta(days=5)

# So much of a wait may be left out, by each delivery another part: what was put off at once must not come
# back at once.
JITTER = 0.1


def next_try(made_at: datetime, now: datetime, attempts: int, *, seed: int | None = None) -> datetime | None:
    """Return the moment of the next try, or None when it is time to give up.

    made_at: when the edition was made, or went. attempts: how often it was tried, this time included; from 1.
    seed: what is the delivery's own, for its part of the jitter; None for none. The wait doubles with each
    attempt, from 5 minutes to 6 hours.
    """
    doublings = min(attempts - 1, 10)  # beyond the longest wait anyhow
    wait = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    due = now + wait * (1 - JITTER * (0 if seed is None else _part(seed + attempts)))
    return due if due - made_at <= GIVE_UP_AFTER else None


def _part(seed: int) -> float:
    """Return a part of 1 that neighbours do not share (Knuth's multiplicative hash)."""
    return (seed * 2_654_435_761 % 2**32) / 2**32


_MOVES = {event: moves(event) for event in DeliveryEvent}


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """One line for the ledger.

    status    where the delivery stands then
    doubtful  no answer was had
    """

    settled: Settled
    status: DeliveryStatus
    reason: str = ""
    doubtful: bool = False


def update_after(
    edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: DeliveryEvent, now: datetime
) -> LedgerUpdate:
    """Return what became of a delivery. unanswered: what to do with one that got no answer."""
    event, reason, next_try_at = _decide(edition, delivery, outcome, unanswered, now)
    return _entry(delivery.id, event, now, reason=reason, next_try_at=next_try_at)


def update_returned(delivery_id: int, now: datetime, again_at: datetime | None = None) -> LedgerUpdate:
    """Return that a delivery was not handed over: anyone may claim it again, at once or from again_at on."""
    return _entry(delivery_id, DeliveryEvent.RETURNED, now, next_try_at=again_at or now)


def _decide(
    edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: DeliveryEvent, now: datetime
) -> tuple[DeliveryEvent, str, datetime | None]:
    """Return the event, the words, and when to try again."""
    if isinstance(outcome, Accepted):
        return DeliveryEvent.ACCEPTED, "", None
    if isinstance(outcome, Rejected):
        return DeliveryEvent.REJECTED, outcome.reason, None
    attempts = delivery.attempts + 1
    again = next_try(edition.dated, now, attempts, seed=delivery.id)
    if isinstance(outcome, Deferred):
        if again is None:
            return DeliveryEvent.EXPIRED, f"given up after {attempts} tries: {outcome.reason}", None
        return DeliveryEvent.DEFERRED, outcome.reason, again
    if next_status(DeliveryStatus.SENDING, unanswered) not in WAITING:
        return unanswered, outcome.reason, None
    return unanswered, outcome.reason, again or now


def _entry(
    delivery_id: int, event: DeliveryEvent, now: datetime, *, reason: str = "", next_try_at: datetime | None = None
) -> LedgerUpdate:
    from publisher.store.deliveries import Settled  # loads SQLAlchemy; whoever delivers has loaded it

    settled = Settled(
        delivery_id,
        _MOVES[event],
        tried=event is not DeliveryEvent.RETURNED,
        sent_at=now if event is DeliveryEvent.ACCEPTED else None,
        next_try_at=next_try_at,
        reason=reason,
    )
    doubtful = event in (DeliveryEvent.UNANSWERED_RESEND, DeliveryEvent.UNANSWERED_HOLD)
    return LedgerUpdate(settled, next_status(DeliveryStatus.SENDING, event), reason, doubtful)
