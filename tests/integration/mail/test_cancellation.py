"""A run that is stopped from another thread leaves nothing in doubt, and the next run sends the rest."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from threading import Thread

import pytest

from publisher.core.errors import StoppedError
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition
from tests.support.sink import sink

SENT, QUEUED = DeliveryStatus.SENT, DeliveryStatus.QUEUED


def stopped_after(store: Store, transport: Transport, options: DeliveryOptions, count: int) -> None:
    """Deliver the only edition, and stop it from another thread once `count` deliveries are settled."""
    settled = 0

    def progress(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        nonlocal settled
        settled += 1
        if settled == count:
            asking = Thread(target=options.stop.ask)
            asking.start()
            asking.join()

    edition = store.editions.list()[0]
    with pytest.raises(StoppedError):
        deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=Clock(), progress=progress)


def test_an_outbox_run_stops_and_the_next_continues(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 120)
    with Outbox(tmp_path / "outbox") as outbox:
        stopped_after(sqlite_store, outbox, DeliveryOptions(tmp_path), 20)
        counts = sqlite_store.deliveries.counts(edition.id)
        assert 20 <= counts[SENT] < 120
        assert counts[SENT] + counts[QUEUED] == 120
        counts = deliver(
            sqlite_store, outbox, edition, HEADERS, LINKS, options=DeliveryOptions(tmp_path), clock=Clock()
        )
    assert counts.by_status == {SENT: 120}


def test_a_stopped_smtp_run_leaves_no_doubt(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 1_500)
    with sink(tmp_path / "sink") as to:
        with SmtpTransport([to.server]) as transport:
            stopped_after(sqlite_store, transport, DeliveryOptions(tmp_path), 60)
        counts = sqlite_store.deliveries.counts(edition.id)
        assert 60 <= counts[SENT] < 1_500
        assert counts.by_status == {SENT: len(to.taken()), QUEUED: 1_500 - len(to.taken())}
        with SmtpTransport([to.server]) as transport:
            deliver(sqlite_store, transport, edition, HEADERS, LINKS, options=DeliveryOptions(tmp_path), clock=Clock())
        assert Counter(to.recipients()) == Counter(f"reader{i}@example.org" for i in range(1_500))


def test_a_run_stopped_before_it_begins_sends_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    edition, stop = make_edition(sqlite_store, 3), Stop()
    stop.ask()
    with Outbox(tmp_path / "outbox") as outbox, pytest.raises(StoppedError):
        deliver(
            sqlite_store, outbox, edition, HEADERS, LINKS, options=DeliveryOptions(tmp_path, stop=stop), clock=Clock()
        )
    assert sqlite_store.deliveries.counts(edition.id).by_status == {QUEUED: 3}


def test_a_hurried_run_does_not_wait(sqlite_store: Store, tmp_path: Path) -> None:
    edition, stop = make_edition(sqlite_store, 20), Stop()
    slow = sink(tmp_path / "sink", "-W", ".:120", connections=1)  # two minutes until it answers a message
    with slow as to, SmtpTransport([to.server]) as transport:
        run = Thread(
            target=_ends_stopped, args=(sqlite_store, transport, edition, DeliveryOptions(tmp_path, stop=stop))
        )
        run.start()
        assert until_leased(sqlite_store, edition)
        stop.ask()
        stop.ask()
        run.join(60)
    counts = sqlite_store.deliveries.counts(edition.id)
    assert (counts.total, counts[DeliveryStatus.SENDING]) == (20, 0)
    assert counts[QUEUED] >= 18  # messages that the server had received are tried again later


def until_leased(store: Store, edition: Edition) -> bool:
    """Wait until the run has leased a message, and then long enough for it to be handed over."""
    for _ in range(1_000):
        if store.deliveries.counts(edition.id)[DeliveryStatus.SENDING]:
            time.sleep(0.5)
            return True
        time.sleep(0.01)
    return False


def _ends_stopped(store: Store, transport: Transport, edition: Edition, options: DeliveryOptions) -> None:
    with pytest.raises(StoppedError):
        deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=Clock())
