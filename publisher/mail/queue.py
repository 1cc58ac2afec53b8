"""The delivery of editions: claim a batch, send it and acknowledge it, until no delivery is due.

The function to call is `deliver_editions`, or `deliver` for one edition. A transport that can send many messages at the
same time gets the editions as a whole. Any other transport gets one message after the other from this module.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from traceback import clear_frames
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from publisher.core.bounce_report import Verdict
from publisher.core.errors import PublisherError, StoreAwayError, StoreError, TransportError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Delivery, DeliveryCounts, Edition, EditionKind
from publisher.mail.database_retries import Patience
from publisher.mail.lifecycle import WAITING, DeliveryEvent, LedgerUpdate, moves, update_after, update_returned
from publisher.mail.links import Links
from publisher.mail.message import MailMerge, MessageTemplate, NewsletterHeaders
from publisher.mail.run_options import DeliveryOptions, EditionRun, MoreEditions, Progress, Refused, Run
from publisher.mail.transport import Outcome, RefusedAt, Rejected, Transport, Unanswered
from publisher.mail.turns import FairTurns
from publisher.mail.worker_locks import dead_workers, working

if TYPE_CHECKING:
    from publisher.store import Store
    from publisher.store.deliveries import Settled

# How many deliveries are claimed together and acknowledged in one transaction. This allows 100,000 rows per second,
# compared with 4,000 one by one.
BATCH = 50

# A server that hangs up on this many messages in a row is likely to hang up on the next, and each message may have
# arrived.
UNANSWERED_IN_A_ROW = 3

# How often a run checks for editions that have become due, in seconds.
LOOK_SECONDS = 1.0

# How many times per lease a run looks for dead workers, and the minimum time between two checks, in seconds.
LOOKS_A_LEASE, SHORTEST_LOOK = 12, 1.0

# Messages of an edition that is older than this are dated when they are sent, not when it was made.
OLD = timedelta(days=7)

# When the oldest unwritten answer is older than this, the next answer causes all of them to be written. A power cut can
# lose the answers of about this period.
LONGEST_UNWRITTEN = timedelta(seconds=1)


@runtime_checkable
class BulkTransport(Transport, Protocol):
    """A transport that can send whole editions by itself, many messages at the same time."""

    def deliver_editions(self, store: Store, run: Run, more: MoreEditions) -> None:
        """Claim, send and acknowledge until no delivery is due. Raises the same errors as `deliver_editions`.

        more: called immediately, every second, and after the end of each edition, not always in the same thread.
        """
        ...

    def troubles(self) -> tuple[TransportError, ...]:
        """Return the errors of failed servers whose work other servers have taken over."""
        ...


@dataclass(frozen=True, slots=True)
class EditionOrder:
    """An edition to send, and the functions that are notified about it.

    priority  how many messages its newsletter may send in a turn
    progress  called with each settled delivery, its status and the server's words
    refused   called with each delivery that failed for good, and its last outcome; returns the verdict on it. After
              many verdicts of REFUSED, the edition itself is refused
    ended     called at the end of the edition, perhaps in another thread: with None if no delivery is due any longer,
              or with the error if its messages cannot be made or the server refuses it
    """

    edition: Edition
    headers: NewsletterHeaders
    links: Links
    priority: int = 1
    progress: Progress = lambda delivery, status, reason: None
    refused: Refused = lambda delivery, outcome: Verdict.TEMPORARY
    ended: Callable[[PublisherError | None], None] = lambda error: None


def deliver_editions(
    store: Store,
    transport: Transport,
    more: Callable[[], Sequence[EditionOrder]],
    *,
    options: DeliveryOptions,
    clock: Callable[[], datetime],
) -> None:
    """Send the deliveries of some editions that are due, each only once. The newsletters take turns.

    Several processes may do this at the same time, even for the same edition, because only one of them claims each
    delivery. The deliveries that dead workers left behind are taken over, at the beginning and repeatedly later.

    more: returns the editions to begin now. It is called immediately, every second, and after the end of each edition,
    not always in the same thread; the run ends when it returns none and all others have ended. clock: returns the
    present time, with a time zone.

    However the run ends, even by KeyboardInterrupt, the answers received are written, and deliveries that were not
    handed over return to the queue. Raises TransportError if no more messages can be sent, StoreError if the ledger
    cannot be written, and StoppedError if a stop was requested through options.stop.
    """
    options.stop.check()
    with _explained_store_errors(), working(options.state_dir / "workers") as worker:
        run = Run(options, worker, options.unanswered, clock)
        beginnings = _Beginnings(store, run, more)
        with _recorded(store, run):
            if isinstance(transport, BulkTransport):
                transport.deliver_editions(store, run, beginnings)
            else:
                _OneByOne(store, transport, run).deliver_editions(beginnings)


def deliver(
    store: Store,
    transport: Transport,
    edition: Edition,
    headers: NewsletterHeaders,
    links: Links,
    *,
    options: DeliveryOptions,
    clock: Callable[[], datetime],
    progress: Progress = lambda delivery, status, reason: None,
    refused: Refused = lambda delivery, outcome: Verdict.TEMPORARY,
) -> DeliveryCounts:
    """Send one edition as `deliver_editions` does; return the number of deliveries in each status.

    progress, refused: see EditionOrder. Also raises RefusedError if the server refuses the edition, and TransportError
    if its messages cannot be made.
    """
    errors: list[PublisherError | None] = []
    orders = [EditionOrder(edition, headers, links, 1, progress, refused, errors.append)]

    def once() -> Sequence[EditionOrder]:
        """Return the order the first time, and nothing later."""
        return [orders.pop()] if orders else ()

    deliver_editions(store, transport, once, options=options, clock=clock)
    for error in errors:
        if error is not None:
            raise error
    return store.deliveries.counts(edition.id)


def take_over(store: Store, *, options: DeliveryOptions, now: datetime, by: str = "") -> int:
    """Free the deliveries of workers that are dead or whose lease has ended; return their number.

    This applies to all editions. Deliveries that such a worker certainly had not handed over are queued again
    immediately. The others are sent again or put on hold, depending on the options.

    by: the worker that takes over, which is alive even if its own lease has ended.
    """
    after = moves(options.unanswered)
    again = now if all(status in WAITING for status in after.values()) else None
    reason = "its worker ended without an answer"
    with dead_workers(options.state_dir / "workers") as dead:
        freed = sum(
            store.deliveries.take_over(
                worker,
                now=now,
                is_dead=worker in dead,
                returned=moves(DeliveryEvent.RETURNED),
                in_doubt=after,
                next_try_at=again,
                reason=reason,
            )
            for worker in sorted({*dead, *store.workers.expired(now)} - {by})
        )
        return freed + store.deliveries.reclaim(
            now=now, dead_workers=dead, moves=after, next_try_at=again, reason=reason
        )


class _Beginnings:
    """Begins the editions of a run. If the database goes away, the next call continues where this one ended."""

    def __init__(self, store: Store, run: Run, more: Callable[[], Sequence[EditionOrder]]) -> None:
        self._store, self._run, self._more = store, run, more
        self._orders = deque[EditionOrder]()
        self._look_seconds = max(SHORTEST_LOOK, run.options.lease.total_seconds() / LOOKS_A_LEASE)
        self._look_at = time.monotonic() + self._look_seconds

    def __call__(self) -> Sequence[EditionRun]:
        """Begin editions that have become due; return those that have something to send."""
        if time.monotonic() >= self._look_at:
            self._take_over()
            self._look_at = time.monotonic() + self._look_seconds
        while self._orders or self._ask_for_more():
            self._take_over()
            if begun := self._begin():
                return begun
        return ()

    def _ask_for_more(self) -> bool:
        self._orders.extend(self._more())
        return bool(self._orders)

    def _take_over(self) -> None:
        run = self._run
        take_over(self._store, options=run.options, now=run.clock(), by=run.worker)

    def _begin(self) -> list[EditionRun]:
        begun = list[EditionRun]()
        while self._orders:
            try:
                edition = _edition_run(self._store, self._orders[0], self._run)
            except StoreAwayError:
                if begun:
                    break  # the others begin in the next call
                raise
            self._orders.popleft()
            if edition:
                begun.append(edition)
        return begun


@contextmanager
def _recorded(store: Store, run: Run) -> Iterator[None]:
    """Record the worker in the database while the block runs."""
    options = run.options
    store.workers.begin(run.worker, options.host_name or run.worker, run.heartbeat(), options.host)
    try:
        yield
    except StoreError:
        raise
    except BaseException as error:  # however a run ends, its worker must not stay recorded as running
        clear_frames(error.__traceback__)
        store.workers.end(run.worker)
        raise
    patience = Patience(options.lease.total_seconds())
    with options.stop.heard(patience.end):
        patience.keep_trying(lambda has_failed: store.workers.end(run.worker))


@contextmanager
def _explained_store_errors() -> Iterator[None]:
    """Explain in each StoreError that the server's last answers are missing from the ledger."""
    try:
        yield
    except StoreError as error:
        raise StoreError(
            f"{error.message}: the ledger cannot be written, and the mail server's last answers are missing from it",
            where=error.where,
            hint=f"{error.hint or 'see the log of the database'}; the next run finds the deliveries concerned, and "
            "treats them as delivery.on_uncertain says",
        ) from error


def _edition_run(store: Store, order: EditionOrder, run: Run) -> EditionRun | None:
    """Return the work on an edition; return None, and report its end, if its messages cannot be made."""
    edition, headers = order.edition, order.headers
    try:
        templates = _templates(store, edition, headers, run.clock())
    except TransportError as error:
        order.ended(error)
        return None
    merge = MailMerge(edition, headers, order.links, templates, run.options.return_path)
    return EditionRun(merge, replace(run, progress=order.progress, refused=order.refused), order.priority, order.ended)


def _templates(store: Store, edition: Edition, headers: NewsletterHeaders, now: datetime) -> dict[str, MessageTemplate]:
    # Rounded to the hour, so that a message that is sent again after a crash has the same bytes.
    dated = now.replace(minute=0, second=0, microsecond=0) if _is_old(edition, now) else edition.dated
    try:
        return {
            letter.variant: MessageTemplate.of(letter, headers, dated) for letter in store.editions.letters(edition.id)
        }
    except ValueError as error:
        raise TransportError(
            f"the sender {headers.sender!r} cannot be used: {error}", hint="see mail.sender and mail.reply_to"
        ) from error


def _is_old(edition: Edition, now: datetime) -> bool:
    """Return whether an edition's messages are dated when they are sent.

    Otherwise a mailbox would show them among old messages.
    """
    at_once = edition.kind in (EditionKind.POSTS, EditionKind.LETTER)
    return not at_once or now - edition.dated > OLD


class _OneByOne:
    """A run with a transport that takes one message at a time."""

    def __init__(self, store: Store, transport: Transport, run: Run) -> None:
        self._store, self._transport, self._run = store, transport, run

    def deliver_editions(self, more: MoreEditions) -> None:
        """Send one batch of an edition after the other, until no delivery is due."""
        turns, look_at = FairTurns[_SingleEdition](), float("-inf")
        while True:
            if time.monotonic() >= look_at:
                look_at = time.monotonic() + LOOK_SECONDS
                for sent in more():
                    edition = _SingleEdition(self._store, self._transport, sent)
                    turns.add(edition, sent.merge.edition.newsletter, sent.priority)
            next_one = turns.take(lambda edition: True)
            if next_one is None:
                return
            if not next_one.send_batch():
                turns.remove(next_one)
                next_one.sent.ended(None)
                look_at = float("-inf")


class _SingleEdition:
    """An edition that is sent through a transport that takes one message at a time."""

    def __init__(self, store: Store, transport: Transport, sent: EditionRun) -> None:
        # If a message without an answer must not be sent again, each is noted before it is sent, together with the
        # answer to the previous one.
        self._is_repeatable = transport.idempotent and sent.run.unanswered is DeliveryEvent.UNANSWERED_RESEND
        self.sent = sent
        self._store, self._transport, self._merge, self._run = store, transport, sent.merge, sent.run
        self._ledger = _LedgerBuffer(store, sent.merge.edition, sent.run, is_repeatable=self._is_repeatable)

    def send_batch(self) -> bool:
        """Claim and send a batch; return False if no delivery is due."""
        now = self._run.clock()
        batch = self._run.claim(self._store, self._merge.edition.id, BATCH, None if self._is_repeatable else ())
        if batch:
            # Half of the lease is left for sending the last message; the rest of the batch is claimed again.
            self._send(batch, until=now + self._run.options.lease / 2)
        return bool(batch)

    def _send(self, batch: Sequence[Delivery], *, until: datetime) -> None:
        """Send a batch. Deliveries that are not sent by `until`, or because of an error, return to the queue."""
        waiting = deque(batch)
        try:
            while waiting:
                self._run.options.stop.check()
                self._send_first(waiting)
                if self._run.clock() >= until:
                    return
        except BaseException as error:  # a signal, too, may arrive between the start of a transaction and its block
            # The frames of the exception would keep that transaction open, with the lock that the ledger needs.
            clear_frames(error.__traceback__)
            raise
        finally:
            for delivery in waiting:
                self._ledger.give_back(delivery)
            self._ledger.flush()

    def _send_first(self, waiting: deque[Delivery]) -> None:
        """Send the first waiting delivery. It is removed from `waiting` as soon as it may have been handed over."""
        delivery = waiting[0]
        try:
            message = self._merge.message(delivery)
        except ValueError as error:  # the address or name is only a problem for this message
            waiting.popleft()
            self._ledger.write(delivery, Rejected(str(error), RefusedAt.HERE))
            return
        sender, key = self._merge.envelope_from(delivery), self._merge.key(delivery)
        if not self._is_repeatable:
            self._ledger.note(delivery)
        try:
            outcome = self._transport.send(sender, delivery.address, message, key)
        except TransportError:
            raise  # nothing was handed over
        except BaseException as error:  # even after Ctrl-C it is unknown whether the message was accepted
            if self._is_repeatable:
                raise  # it is queued again with the rest
            waiting.popleft()
            self._ledger.write(delivery, Unanswered(f"stopped while it was being sent: {type(error).__name__}"))
            raise
        waiting.popleft()
        self._ledger.write(delivery, outcome)
        if self._ledger.unanswered_in_a_row >= UNANSWERED_IN_A_ROW:
            raise TransportError(
                f"the mail server hung up on {UNANSWERED_IN_A_ROW} messages in a row", hint="see the server's log"
            )


class _LedgerBuffer:
    """A buffer for outcomes, which it writes to the ledger in groups."""

    def __init__(self, store: Store, edition: Edition, run: Run, *, is_repeatable: bool) -> None:
        self._store = store
        self._edition = edition
        self._unknown = None if is_repeatable else ()  # what is in doubt if nothing is noted
        self._run = run
        self._gathered: list[Settled] = []
        self._oldest: datetime | None = None
        self.unanswered_in_a_row = 0

    def write(self, delivery: Delivery, outcome: Outcome) -> None:
        """Add the outcome of a delivery to the buffer, and report it as progress."""
        update = update_after(self._edition, delivery, outcome, self._run.unanswered, self._run.clock())
        self.unanswered_in_a_row = self.unanswered_in_a_row + 1 if update.unanswered else 0
        self._add(update)
        self._run.progress(delivery, update.status, update.reason)
        self._run.judge_failure(delivery, update.status, outcome)
        waited = self._run.clock() - self._oldest if self._oldest else timedelta()
        if len(self._gathered) >= BATCH or waited >= LONGEST_UNWRITTEN:
            self.flush()

    def give_back(self, delivery: Delivery) -> None:
        """Return a delivery to the queue, because it was not handed over to the transport."""
        self._add(update_returned(delivery.id, self._run.clock(), edition_id=delivery.edition_id))

    def note(self, delivery: Delivery) -> None:
        """Record that a delivery is about to be handed over, together with all buffered outcomes."""
        self._write((delivery.id,))

    def flush(self) -> None:
        """Write all buffered outcomes to the ledger, in one transaction."""
        if self._gathered:
            self._write(self._unknown)

    def _write(self, in_doubt: tuple[int, ...] | None) -> None:
        settled, self._gathered, self._oldest = self._gathered, [], None
        self._run.tally.accepted += sum(each.sent_at is not None for each in settled)
        self._store.deliveries.acknowledge(self._run.worker, settled, self._run.heartbeat(in_doubt))

    def _add(self, update: LedgerUpdate) -> None:
        self._oldest = self._oldest or self._run.clock()
        self._gathered.append(update.settled)
