"""What an outcome means to the ledger: pure, for whoever writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.backoff import next_try
from publisher.mail.lifecycle import WAITING, Event, moves, next_status
from publisher.mail.transport import Accepted, Deferred, Outcome, Rejected

if TYPE_CHECKING:
    from publisher.store.deliveries import Settled

_MOVES = {event: moves(event) for event in Event}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line for the ledger.

    status    where the delivery stands then
    doubtful  no answer was had
    """

    settled: Settled
    status: DeliveryStatus
    reason: str = ""
    doubtful: bool = False


def entry(edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: Event, now: datetime) -> Entry:
    """Return what became of a delivery. unanswered: what to do with one that got no answer."""
    event, reason, next_try_at = _decide(edition, delivery, outcome, unanswered, now)
    return _entry(delivery.id, event, now, reason=reason, next_try_at=next_try_at)


def returned(delivery_id: int, now: datetime, again_at: datetime | None = None) -> Entry:
    """Return that a delivery was not handed over: anyone may claim it again, at once or from again_at on."""
    return _entry(delivery_id, Event.RETURNED, now, next_try_at=again_at or now)


def _decide(
    edition: Edition, delivery: Delivery, outcome: Outcome, unanswered: Event, now: datetime
) -> tuple[Event, str, datetime | None]:
    """Return the event, the words, and when to try again."""
    if isinstance(outcome, Accepted):
        return Event.ACCEPTED, "", None
    if isinstance(outcome, Rejected):
        return Event.REJECTED, outcome.reason, None
    attempts = delivery.attempts + 1
    again = next_try(edition.dated, now, attempts, seed=delivery.id)
    if isinstance(outcome, Deferred):
        if again is None:
            return Event.EXPIRED, f"given up after {attempts} tries: {outcome.reason}", None
        return Event.DEFERRED, outcome.reason, again
    if next_status(DeliveryStatus.SENDING, unanswered) not in WAITING:
        return unanswered, outcome.reason, None
    return unanswered, outcome.reason, again or now


def _entry(
    delivery_id: int, event: Event, now: datetime, *, reason: str = "", next_try_at: datetime | None = None
) -> Entry:
    from publisher.store.deliveries import Settled  # loads SQLAlchemy; whoever delivers has loaded it

    settled = Settled(
        delivery_id,
        _MOVES[event],
        tried=event is not Event.RETURNED,
        sent_at=now if event is Event.ACCEPTED else None,
        next_try_at=next_try_at,
        reason=reason,
    )
    doubtful = event in (Event.UNANSWERED_RESEND, Event.UNANSWERED_HOLD)
    return Entry(settled, next_status(DeliveryStatus.SENDING, event), reason, doubtful)
