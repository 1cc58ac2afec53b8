"""Answers on their way into the ledger: kept for a moment, written in groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.lifecycle import Event
from publisher.mail.outcomes import Entry, entry, returned
from publisher.mail.transport import Outcome

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
        told = entry(self._edition, delivery, outcome, unanswered, self.clock())
        self.unanswered_in_a_row = self.unanswered_in_a_row + 1 if told.doubtful else 0
        self._note(told)
        self._progress(delivery, told.status, told.reason)
        waited = self.clock() - self._oldest if self._oldest else timedelta()
        if len(self._pages) >= self._group or waited >= LONGEST_UNWRITTEN:
            self.flush()

    def give_back(self, delivery: Delivery) -> None:
        """Note that a delivery was not handed over: anyone may claim it again."""
        self._note(returned(delivery.id, self.clock()))

    def flush(self) -> None:
        """Put everything noted into the ledger, in one transaction."""
        self._store.deliveries.acknowledge(self._worker, self._pages)
        self._pages = []
        self._oldest = None

    def _note(self, told: Entry) -> None:
        self._oldest = self._oldest or self.clock()
        self._pages.append(told.settled)
