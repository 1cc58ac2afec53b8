"""The life cycle of a delivery: its status after each event, the events that outcomes lead to, and the next attempt.

Only this module chooses the next status of a delivery, and the store writes it to the ledger.

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

`sent` and `skipped` are final. A dot marks a move that must not happen. The server's answers (accepted, deferred,
rejected) also apply to rows that are no longer `sending`: even if a worker stalled and lost its lease, it knows the
server's answer, and the ledger does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition, EditionKind
from publisher.mail.transport import Accepted, Deferred, Outcome, Rejected, Unanswered

if TYPE_CHECKING:
    from publisher.store.deliveries import Settled


class DeliveryEvent(StrEnum):
    """An event in the life of a delivery."""

    CLAIMED = "claimed"  # a worker took it from the queue
    LEFT = "left"  # the subscriber left after the edition was made
    ACCEPTED = "accepted"  # the server accepted the message
    DEFERRED = "deferred"  # the server refused it for now (4xx)
    REJECTED = "rejected"  # the server refused it for good (5xx)
    EXPIRED = "expired"  # the server has deferred it, or not answered, for too long
    RETURNED = "returned"  # the worker stopped before it handed the message over
    UNANSWERED_RESEND = "unanswered_resend"  # no answer came; the same message is sent again
    UNANSWERED_HOLD = "unanswered_hold"  # no answer came; the owner decides what to do
    RETRY = "retry"  # the owner asked for it to be sent
    CANCELLED = "cancelled"  # the owner asked for it not to be sent


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
        (_QUEUED, DeliveryEvent.RETRY): _QUEUED,  # its next try, perhaps hours away, is moved to now
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

# The statuses of deliveries that a worker may claim. Only their rows contain a time for the next try.
WAITING = frozenset(status for status, event in TABLE if event is DeliveryEvent.CLAIMED)

# The statuses of deliveries that wait for the owner's decision, however long it takes.
UNSETTLED = frozenset({_UNCERTAIN})


def next_status(status: DeliveryStatus, event: DeliveryEvent) -> DeliveryStatus:
    """Return the status of a delivery after an event. Raises ValueError if the event must not happen in this status."""
    try:
        return TABLE[status, event]
    except KeyError:
        raise ValueError(f"a delivery that is {status} cannot be {event}") from None


def moves(event: DeliveryEvent) -> dict[DeliveryStatus, DeliveryStatus]:
    """Return the row of the table for an event: a mapping from each possible status to the status after the event."""
    return {status: after for (status, when), after in TABLE.items() if when is event}


_MOVES = {event: moves(event) for event in DeliveryEvent}


@dataclass(frozen=True, slots=True)
class LedgerUpdate:
    """The change of one row of the ledger.

    settled     the values that the store writes
    status      the delivery's new status
    reason      the server's words; "" if there are none
    unanswered  whether the message was handed over but got no answer
    """

    settled: Settled
    status: DeliveryStatus
    reason: str = ""
    unanswered: bool = False


def update_after(
    edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: DeliveryEvent, now: datetime
) -> LedgerUpdate:
    """Return the update for a delivery after an attempt to send it.

    unanswered: the configured event for an outcome of Unanswered.
    """
    event, reason, next_try_at = _decide(edition, delivery, outcome, unanswered, now)
    return _update(
        delivery.id,
        event,
        now,
        reason=reason,
        next_try_at=next_try_at,
        edition_id=delivery.edition_id,
        unanswered=isinstance(outcome, Unanswered),
    )


def update_returned(
    delivery_id: int, now: datetime, again_at: datetime | None = None, *, edition_id: int | None = None
) -> LedgerUpdate:
    """Return the update for a delivery that was not handed over.

    again_at    when a worker may claim it again; None for immediately
    edition_id  its edition; None if unknown
    """
    return _update(delivery_id, DeliveryEvent.RETURNED, now, next_try_at=again_at or now, edition_id=edition_id)


def _decide(
    edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: DeliveryEvent, now: datetime
) -> tuple[DeliveryEvent, str, datetime | None]:
    """Return the event that follows from an outcome, the server's words, and the time of the next try, if any."""
    if isinstance(outcome, Accepted):
        return DeliveryEvent.ACCEPTED, "", None
    if isinstance(outcome, Rejected):
        return DeliveryEvent.REJECTED, outcome.reason, None
    attempts = delivery.attempts + 1
    at_once = edition.kind in (EditionKind.POSTS, EditionKind.LETTER)
    fewest = FEWEST_TRIES if at_once else FEWEST_OF_LATER
    again = next_try(edition.dated, now, attempts, seed=delivery.id, fewest=fewest)
    if not isinstance(outcome, Deferred) and next_status(DeliveryStatus.SENDING, unanswered) not in WAITING:
        return unanswered, outcome.reason, None
    if again is None:
        return DeliveryEvent.EXPIRED, f"given up after {attempts} tries: {outcome.reason}", None
    return DeliveryEvent.DEFERRED if isinstance(outcome, Deferred) else unanswered, outcome.reason, again


def _update(
    delivery_id: int,
    event: DeliveryEvent,
    now: datetime,
    *,
    reason: str = "",
    next_try_at: datetime | None = None,
    edition_id: int | None = None,
    unanswered: bool = False,
) -> LedgerUpdate:
    # SQLAlchemy takes 0.2 s to load. All callers have already loaded it, but not all users of the table above have.
    from publisher.store.deliveries import Settled

    settled = Settled(
        delivery_id,
        _MOVES[event],
        tried=event is not DeliveryEvent.RETURNED,
        sent_at=now if event is DeliveryEvent.ACCEPTED else None,
        next_try_at=next_try_at,
        reason=reason,
        edition_id=edition_id,
    )
    return LedgerUpdate(settled, next_status(DeliveryStatus.SENDING, event), reason, unanswered)


FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)

# RFC 5321, 4.5.4.1 asks a mail server to keep trying for 4 to 5 days.
GIVE_UP_AFTER = timedelta(days=5)

# The fewest tries of a message, which take almost a day. It may be tried for the first time when its edition is already
# old, for instance because of a daily limit.
FEWEST_TRIES = 10

# The same for the emails that each person gets at their own time, whose editions are as old as their texts. They take
# more than three days.
FEWEST_OF_LATER = 20

# The fraction by which a wait may be shortened. It differs between deliveries, so that messages that were deferred
# together are not all tried again at the same moment.
JITTER = 0.1


def next_try(
    made_at: datetime, now: datetime, attempts: int, *, seed: int | None = None, fewest: int = FEWEST_TRIES
) -> datetime | None:
    """Return the time of the next try for a deferred delivery, or None when it is time to give up.

    The wait doubles with each attempt, from 5 minutes to 6 hours. It is time to give up five days after the edition was
    made, but not before the fewest tries.

    made_at: when the edition was made or released. attempts: how many times the delivery was tried, including this
    time. seed: a number of the delivery, from which its jitter is computed; None for no jitter. fewest: how many tries
    are made at least.
    """
    doublings = min(attempts - 1, 10)  # the longest wait is reached earlier
    wait = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
    due = now + wait * (1 - JITTER * (0 if seed is None else _fraction(seed + attempts)))
    return due if attempts < fewest or due - made_at <= GIVE_UP_AFTER else None


def _fraction(seed: int) -> float:
    """Return a number from 0 to 1 that differs widely for neighbouring seeds (Knuth's multiplicative hash)."""
    return (seed * 2_654_435_761 % 2**32) / 2**32
