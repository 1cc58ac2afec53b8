"""Answers on their way into the ledger: kept for a moment, written in groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.delivery.backoff import next_try
from publisher.delivery.lifecycle import WAITING, Event, moves, next_status
from publisher.delivery.transport import Accepted, Deferred, Outcome, Rejected
from publisher.model import Delivery, DeliveryStatus, Edition

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.deliveries import Settled

# An answer is in the ledger within this time of the next one, however slow the server: what a power cut can
# undo.
LONGEST_UNWRITTEN = timedelta(seconds=1)


class Book:
    """What one worker learned about the deliveries in its hands."""

    def __init__(
        self,
        store: Store,
        worker: str,
        edition: Edition,
        group: int,
        clock: Callable[[], datetime],
        progress: Callable[[Delivery, DeliveryStatus, str], None],
    ) -> None:
        """group: so many answers are written at once; a process that is killed loses the rest."""
        self.clock = clock
        self._group = group
        self.unanswered_in_a_row = 0
        self._store = store
        self._worker = worker
        self._edition = edition
        self._progress = progress
        self._pages: list[Settled] = []
        self._oldest: datetime | None = None

    def write(self, delivery: Delivery, outcome: Outcome, unanswered: Event) -> None:
        """Note what became of a delivery. unanswered: what to do with one that got no answer."""
        event, reason, next_try_at = self._decide(delivery, outcome, unanswered)
        doubtful = event is unanswered
        self.unanswered_in_a_row = self.unanswered_in_a_row + 1 if doubtful else 0
        self._note(delivery, event, reason=reason, next_try_at=next_try_at)
        self._progress(delivery, next_status(DeliveryStatus.SENDING, event), reason)
        waited = self.clock() - self._oldest if self._oldest else timedelta()
        if len(self._pages) >= self._group or waited >= LONGEST_UNWRITTEN:
            self.flush()

    def give_back(self, delivery: Delivery) -> None:
        """Note that a delivery was not handed over: anyone may claim it again."""
        self._note(delivery, Event.RETURNED, next_try_at=self.clock())

    def flush(self) -> None:
        """Put everything noted into the ledger, in one transaction."""
        self._store.deliveries.acknowledge(self._worker, self._pages)
        self._pages = []
        self._oldest = None

    def _decide(self, delivery: Delivery, outcome: Outcome, unanswered: Event) -> tuple[Event, str, datetime | None]:
        """Return what the outcome means to the ledger: the event, the words, and when to try again."""
        if isinstance(outcome, Accepted):
            return Event.ACCEPTED, "", None
        if isinstance(outcome, Rejected):
            return Event.REJECTED, outcome.reason, None
        again = next_try(self._edition.made_at, self.clock(), delivery.attempts + 1)
        if isinstance(outcome, Deferred):
            if again is None:
                return Event.EXPIRED, f"given up after {delivery.attempts + 1} tries: {outcome.reason}", None
            return Event.DEFERRED, outcome.reason, again
        if next_status(DeliveryStatus.SENDING, unanswered) not in WAITING:
            return unanswered, outcome.reason, None
        return unanswered, outcome.reason, again or self.clock()

    def _note(self, delivery: Delivery, event: Event, *, reason: str = "", next_try_at: datetime | None = None) -> None:
        from publisher.store.deliveries import Settled  # loads SQLAlchemy; whoever delivers has loaded it

        now = self.clock()
        self._oldest = self._oldest or now
        self._pages.append(
            Settled(
                delivery.id,
                moves(event),
                tried=event is not Event.RETURNED,
                sent_at=now if event is Event.ACCEPTED else None,
                next_try_at=next_try_at,
                reason=reason,
            )
        )
