"""Deliver an edition: claim a batch, send it, acknowledge it, until nothing is due."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from publisher.core.errors import StoreError, TransportError
from publisher.core.newsletter_models import Delivery, DeliveryCounts, Edition
from publisher.mail.ledger_writer import LedgerBuffer
from publisher.mail.lifecycle import WAITING, DeliveryEvent, moves, update_returned
from publisher.mail.links import Links
from publisher.mail.message import MailMerge, MessageTemplate, NewsletterHeaders
from publisher.mail.run_options import DeliveryOptions, Gone, Progress, Run, Stop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Rejected, Transport, Unanswered
from publisher.mail.workers import Journal, dead_workers, handed_over, journal, working

if TYPE_CHECKING:
    from collections.abc import Iterator

    from publisher.store import Store


# So many are claimed at once, and acknowledged in one transaction: 100,000 rows a second, where one by one
# is 4,000.
BATCH = 50

# A server that hangs up on so many messages in a row will do so with the next, and each may have arrived.
UNANSWERED_IN_A_ROW = 3


def deliver(
    store: Store,
    transport: Transport,
    edition: Edition,
    headers: NewsletterHeaders,
    links: Links,
    *,
    terms: DeliveryOptions,
    clock: Callable[[], datetime],
    progress: Progress = lambda delivery, status, reason: None,
    gone: Gone = lambda delivery, reason: None,
) -> DeliveryCounts:
    """Send the edition's deliveries that are due, each once, and return how all of them stand.

    Several processes may do this at once, on one edition: each delivery is in one's hands only. What dead
    workers left is taken over first. clock: gives the present, aware. progress: told of each delivery as it
    is settled, with its status and the server's words. gone: told of each whose mailbox is not there any more.

    Whatever ends it, KeyboardInterrupt included, the answers that were had are written and what was not
    handed over goes back. Raises TransportError where nothing more can be sent, RefusedError where nothing more
    of this edition can, StoreError where the ledger cannot be written, StoppedError where the terms' stop was asked.
    """
    terms.stop.check()
    composer = MailMerge(edition, headers, links, _templates(store, edition, headers), terms.return_path)
    workers = terms.state_dir / "workers"
    with _ledger_named(), working(workers) as worker, journal(workers, worker) as handed:
        take_over(store, transport, terms=terms, now=clock())
        unanswered = terms.unanswered(transport)
        if isinstance(transport, SmtpTransport):
            from publisher.mail.smtp_transport import send_edition  # asyncio, which the outbox has no use for

            order = Run(terms.lease, unanswered, clock, progress, gone, handed, terms.rest, terms.stop)
            send_edition(store, worker, transport, composer, order, terms.state_dir)
        else:
            # An answer that is lost with the process is a message sent twice, where sending again makes a copy.
            book = LedgerBuffer(store, worker, edition, BATCH if transport.idempotent else 1, clock, progress)
            sending = _Sending(transport, composer, book, unanswered, handed, terms.stop)
            _one_by_one(store, worker, sending, terms.lease)
    return store.deliveries.counts(edition.id)


@contextmanager
def _ledger_named() -> Iterator[None]:
    """Say of a ledger that cannot be written what that means: answers were had that are not in it."""
    try:
        yield
    except StoreError as error:
        raise StoreError(
            f"{error.message}: the ledger cannot be written, and the last answers of the mail server are not in it",
            where=error.where,
            hint=f"{error.hint or 'see its log'}: the next run finds out what was in hand, and does with it what "
            "delivery.on_uncertain says",
        ) from error


def _one_by_one(store: Store, worker: str, sending: _Sending, lease: timedelta) -> None:
    """Claim and send batch after batch, until nothing is due."""
    while True:
        now = sending.book.clock()
        batch = store.deliveries.claim(
            sending.composer.edition.id,
            worker,
            now=now,
            lease_until=now + lease,
            limit=BATCH,
            claimed=moves(DeliveryEvent.CLAIMED),
            left=moves(DeliveryEvent.LEFT),
        )
        if not batch:
            return
        # With half of the lease left a message can be sent in peace; the rest of the batch is claimed anew.
        sending.send_batch(batch, until=now + lease / 2)


def take_over(store: Store, transport: Transport, *, terms: DeliveryOptions, now: datetime) -> int:
    """Free the deliveries of dead workers and of lapsed leases, of every edition; return how many there were.

    What its worker had not handed over goes again at once. What it may have handed over, as its journal says, and
    all of a worker's whose journal is missing or of another boot, goes again or is held for a person: as the terms say.
    """
    event = terms.unanswered(transport)
    after = moves(event)
    again = all(status in WAITING for status in after.values())
    workers = terms.state_dir / "workers"
    with dead_workers(workers) as dead:
        freed = sum(_give_back(store, workers, worker, now) for worker in dead)
        return freed + store.deliveries.reclaim(
            now=now,
            dead_workers=dead,
            moves=after,
            next_try_at=now if again else None,
            reason="its worker ended without an answer",
        )


def _give_back(store: Store, workers: Path, worker: str, now: datetime) -> int:
    """Give back what a dead worker leased and surely did not hand over; return how many there were."""
    leased = store.deliveries.leased_by(worker)
    doubtful = handed_over(workers, worker, leased)
    if doubtful is None:
        return 0
    return store.deliveries.acknowledge(worker, [update_returned(i, now).settled for i in leased if i not in doubtful])


def _templates(store: Store, edition: Edition, headers: NewsletterHeaders) -> dict[str, MessageTemplate]:
    try:
        return {
            letter.variant: MessageTemplate.of(letter, headers, edition.dated)
            for letter in store.editions.letters(edition.id)
        }
    except ValueError as error:
        raise TransportError(
            f"the sender {headers.sender!r} cannot be used: {error}", hint="see mail.sender and mail.reply_to"
        ) from error


@dataclass(frozen=True, slots=True)
class _Sending:
    """What sending needs, the same for every batch."""

    transport: Transport
    composer: MailMerge
    book: LedgerBuffer
    unanswered: DeliveryEvent
    handed: Journal
    stop: Stop

    def send_batch(self, batch: Sequence[Delivery], *, until: datetime) -> None:
        """Send the batch; what is not sent by `until`, or by the time anything is raised, goes back."""
        waiting = deque(batch)
        with self._settled_in_the_end(waiting):
            while waiting:
                self.stop.check()
                self._send(waiting)
                if self.book.clock() >= until:
                    return

    @contextmanager
    def _settled_in_the_end(self, waiting: deque[Delivery]) -> Iterator[None]:
        try:
            yield
        finally:
            for delivery in waiting:
                self.book.give_back(delivery)
            self.book.flush()

    def _send(self, waiting: deque[Delivery]) -> None:
        """Send the first one, and take it from those that wait once it may have left our hands."""
        delivery = waiting[0]
        try:
            message = self.composer.message(delivery)
        except ValueError as error:  # its address or name harms this message, and no other
            waiting.popleft()
            self.book.write(delivery, Rejected(str(error)), self.unanswered)
            return
        try:
            sender, key = self.composer.envelope_from(delivery), self.composer.key(delivery)
            self.handed.note(delivery.id)
            outcome = self.transport.send(sender, delivery.address, message, key)
        except TransportError:
            raise  # nothing was handed over
        except BaseException as error:
            if self.transport.idempotent:
                raise  # it goes back with the rest: sent again it makes no copy, so the next run need not wait
            waiting.popleft()
            stopped = Unanswered(f"stopped while it was being sent: {type(error).__name__}")
            self.book.write(delivery, stopped, self.unanswered)
            raise
        waiting.popleft()
        self.book.write(delivery, outcome, self.unanswered)
        if self.book.unanswered_in_a_row >= UNANSWERED_IN_A_ROW:
            raise TransportError(
                f"the mail server hung up on {UNANSWERED_IN_A_ROW} messages in a row", hint="see its log"
            )
