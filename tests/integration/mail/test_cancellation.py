"""A run that is stopped from another thread leaves nothing in doubt, and the next run sends the rest."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Thread

import pytest

from publisher.config import Relay
from publisher.core.errors import StoppedError
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.outbox import Outbox
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.smtp import sending_loop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Transport
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition
from tests.support.sink import sink
from tests.support.smtp_samples import wait_until
from tests.support.smtp_server import Patient, mail_server

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


def test_a_hurried_run_does_not_wait(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending_loop, "GRACE_SECONDS", float("inf"))
    edition, stop, never = make_edition(sqlite_store, 20), Stop(), Patient()
    with (
        mail_server(mailboxes=never) as (_, server),
        SmtpTransport([Relay(host=server.host, port=server.port, tls="none", connections=1)]) as transport,
    ):
        run = Thread(
            target=_ends_stopped,
            args=(sqlite_store, transport, edition, DeliveryOptions(tmp_path, stop=stop)),
            daemon=True,
        )
        run.start()
        wait_until(lambda: never.handed_over == 1)
        stop.ask()
        stop.ask()
        run.join(300)
        assert not run.is_alive()
    # The message that the server has received is tried again later.
    assert sqlite_store.deliveries.counts(edition.id).by_status == {QUEUED: 20}
    assert sum(row.attempts for row in sqlite_store.ledger.rows(edition.id)) == 1
    assert never.arrived == 0


def _ends_stopped(store: Store, transport: Transport, edition: Edition, options: DeliveryOptions) -> None:
    with pytest.raises(StoppedError):
        deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=Clock())
