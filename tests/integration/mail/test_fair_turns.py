"""Several editions in one run: they take turns, join, and end one by one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from publisher.config import Smtp
from publisher.core.errors import PublisherError, RefusedError
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.outbox import Outbox
from publisher.mail.queue import BATCH, EditionOrder, deliver_editions
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition, make_small
from tests.support.smtp_samples import ended_in_time, everybody, judged
from tests.support.smtp_server import Patient, mail_server

SENT, QUEUED, FAILED = DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.FAILED
AT_ONCE = 20  # how many messages the server accepts between two checks for editions


@dataclass
class Sent:
    """What a run reported about its editions: the order in which messages were settled, and how editions ended."""

    settled: list[str] = field(default_factory=list)
    ended: list[tuple[str, PublisherError | None]] = field(default_factory=list)

    def order(self, edition: Edition, priority: int = 1) -> EditionOrder:
        def progress(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
            self.settled.append(edition.slot)

        def ended(error: PublisherError | None) -> None:
            self.ended.append((edition.slot, error))

        return EditionOrder(edition, HEADERS, LINKS, priority, progress, judged, ended)


class Steps:
    """A server that accepts AT_ONCE messages at each check for editions, and an edition that becomes due half-way.

    Then it accepts no more until the run has claimed the messages of that edition, however long that takes.
    """

    def __init__(self, store: Store, server: Patient, first: EditionOrder, second: EditionOrder) -> None:
        self._store, self._server = store, server
        self._first: list[EditionOrder] = [first]
        self._second: list[EditionOrder] = [second]
        self._small = second.edition.id
        self.arrived_when_due = self._let = 0

    def more(self) -> Sequence[EditionOrder]:
        """Return the edition that has become due."""
        arrived = self._server.arrived
        is_joining = not self._second and self._store.deliveries.counts(self._small)[QUEUED]
        if arrived < self._let or is_joining:
            return ()
        due = [self._first.pop()] if self._first else []
        if not due and self._second and arrived >= AT_ONCE:
            due, self.arrived_when_due = [self._second.pop()], arrived
        self._let += AT_ONCE
        self._server.let(AT_ONCE)
        return due


def test_one_recipient_does_not_wait_for_four_hundred_others(sqlite_store: Store, tmp_path: Path) -> None:
    large, small = make_edition(sqlite_store, 400), make_small(sqlite_store, "other", "ada@example.net")
    sent, patient = Sent(), Patient()
    steps = Steps(sqlite_store, patient, sent.order(large), sent.order(small))

    def more() -> Sequence[EditionOrder]:
        if "ada@example.net" in patient.messages:
            patient.let(400)
        return steps.more()

    with mail_server(mailboxes=patient) as (_, server):
        deliver_over(sqlite_store, server, more, tmp_path)
    arrived = list(patient.messages)
    # Messages that the server accepts until the next check may already have been assigned to connections.
    assert arrived.index("ada@example.net") <= steps.arrived_when_due + 2 * AT_ONCE
    assert len(arrived) == 401
    assert all(len(copies) == 1 for copies in patient.messages.values())
    assert sent.ended == [("small", None), ("2026-W47", None)]
    assert [sent.settled.count(slot) for slot in ("small", "2026-W47")] == [1, 400]


def test_a_refused_edition_ends_alone(sqlite_store: Store, tmp_path: Path) -> None:
    refused = make_small(sqlite_store, "other", *(f"data-554-{i}@example.net" for i in range(40)))
    well, sent = make_edition(sqlite_store, 60), Sent()
    orders = [sent.order(refused), sent.order(well)]
    with mail_server() as (mailboxes, server):
        deliver_over(sqlite_store, server, lambda: [orders.pop() for _ in range(len(orders))], tmp_path)
    assert Counter(mailboxes.messages.keys()) == everybody(60)
    (error,) = (error for slot, error in sent.ended if slot == "small")
    assert isinstance(error, RefusedError)
    assert ("2026-W47", None) in sent.ended
    assert sqlite_store.deliveries.counts(well.id).by_status == {SENT: 60}
    counts = sqlite_store.deliveries.counts(refused.id)
    assert counts[QUEUED] + counts[FAILED] == 40
    assert 10 <= counts[FAILED] < 40


def test_editions_share_a_rate(sqlite_store: Store, tmp_path: Path) -> None:
    """The limits belong to the server: two editions use as many turns as one edition of their total size."""
    editions = [
        make_edition(sqlite_store, 10),
        make_small(sqlite_store, "other", *map("small{}@example.net".format, range(10))),
    ]
    orders = [Sent().order(each) for each in editions]
    with mail_server() as (mailboxes, server):
        limited = replace(server, rate="40/s")
        began = time.monotonic()
        deliver_over(sqlite_store, limited, lambda: [orders.pop() for _ in range(len(orders))], tmp_path)
        took = time.monotonic() - began
    assert len(mailboxes.messages) == 20
    assert took > 0.4  # 19 intervals of 25 ms, minus the burst; with a rate per edition it could be half of that


def test_the_outbox_is_shared_in_batches(sqlite_store: Store, tmp_path: Path) -> None:
    large, small, sent = (
        make_edition(sqlite_store, 2 * BATCH + 1),
        make_small(sqlite_store, "other", "ada@example.net"),
        Sent(),
    )
    orders = [sent.order(small), sent.order(large)]
    with Outbox(tmp_path / "outbox") as outbox:
        deliver_all(sqlite_store, outbox, lambda: [orders.pop() for _ in range(len(orders))], tmp_path)
    assert sent.settled.index("small") == BATCH
    assert sent.ended == [("small", None), ("2026-W47", None)]


def deliver_over(store: Store, server: Smtp, more: Callable[[], Sequence[EditionOrder]], folder: Path) -> None:
    with SmtpTransport(replace(server, connections=4)) as transport:
        deliver_all(store, transport, more, folder)


def deliver_all(store: Store, transport: Transport, more: Callable[[], Sequence[EditionOrder]], folder: Path) -> None:
    stop = Stop()
    with ended_in_time(stop):
        deliver_editions(store, transport, more, options=DeliveryOptions(folder, stop=stop), clock=Clock())
