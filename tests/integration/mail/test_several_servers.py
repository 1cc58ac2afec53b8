"""Editions over several mail servers, which share the work, take over from each other, and have limits."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from publisher.config import Relay
from publisher.core.errors import TransportError
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition
from tests.support.sink import Sink, sink
from tests.support.smtp_samples import everybody, send
from tests.support.smtp_server import mail_server
from tests.support.store_samples import NOW, person

SENT, QUEUED = DeliveryStatus.SENT, DeliveryStatus.QUEUED


def test_another_server_replaces_an_unreachable_one(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 100)
    away = Relay(host="127.0.0.1", port=free_port(), tls="none", weight=9)
    with sink(tmp_path / "sink") as to:
        assert send(sqlite_store, [away, to.server], edition, tmp_path).by_status == {SENT: 100}
        assert Counter(to.recipients()) == everybody(100)


def test_another_server_sends_dropped_messages(sqlite_store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(sqlite_store, 200), Clock()
    with sink(tmp_path / "one", "-M", "40", connections=3) as one, sink(tmp_path / "two", connections=3) as two:
        first = send(sqlite_store, [one.server, two.server], edition, tmp_path, clock=clock)
        assert first.total == first[SENT] + first[QUEUED] == 200
        assert first[QUEUED] <= 3
        clock.move(minutes=5)
        assert send(sqlite_store, [two.server], edition, tmp_path, clock=clock).by_status == {SENT: 200}
        taken = Counter([*one.taken(), *two.taken()])
    assert Counter(recipient for recipient, _ in taken) == everybody(200)
    assert sum(taken.values()) - 200 <= first[QUEUED]


def test_a_recovered_server_is_used_again(sqlite_store: Store, tmp_path: Path) -> None:
    edition, port = make_edition(sqlite_store, 400), free_port()
    with ExitStack() as stack:
        first = stack.enter_context(sink(tmp_path / "one", "-M", "50", port=port, connections=1))
        second: list[Sink] = []

        def come_back(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
            if not second and first.process.poll() is not None:
                second.append(stack.enter_context(sink(tmp_path / "two", port=port)))

        options = DeliveryOptions(tmp_path, rest=timedelta(milliseconds=200))
        with SmtpTransport([first.server]) as transport:
            counts = deliver(
                sqlite_store, transport, edition, HEADERS, LINKS, options=options, clock=Clock(), progress=come_back
            )
        assert counts[SENT] + counts[QUEUED] == 400
        assert counts[QUEUED] <= 1
        assert len(second[0].taken()) >= 349


def test_servers_share_the_work_by_weight(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 400)
    with sink(tmp_path / "one", weight=3) as one, sink(tmp_path / "two", weight=1) as two:
        send(sqlite_store, [one.server, two.server], edition, tmp_path)
        shares = len(one.taken()), len(two.taken())
    assert sum(shares) == 400
    assert 280 <= shares[0] <= 320


@pytest.mark.timeout(60)
def test_the_daily_quota_counts_all_runs(sqlite_store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(sqlite_store, 130), Clock()
    with mail_server() as (mailboxes, settings):
        server = Relay(host=settings.host, port=settings.port, tls="none", per_day=60)
        for days, accepted in ((0, 60), (0, 60), (1, 120)):
            clock.move(days=days)
            with pytest.raises(TransportError, match="daily limit of recipients"):
                send(sqlite_store, [server], edition, tmp_path, clock=clock)
            assert len(mailboxes.senders) == accepted
            assert sqlite_store.deliveries.counts(edition.id).by_status == {SENT: accepted, QUEUED: 130 - accepted}
        clock.move(days=1)
        assert send(sqlite_store, [server], edition, tmp_path, clock=clock).by_status == {SENT: 130}
        assert {address: len(messages) for address, messages in mailboxes.messages.items()} == everybody(130)


def test_everyone_gets_email_despite_limits(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)
    with sink(tmp_path / "sink", rate="400/s", domains=("example.org 200/s",)) as to:
        assert send(store, [to.server], edition, tmp_path).by_status == {SENT: 60}
        assert Counter(to.recipients()) == everybody(60)


def test_an_expired_claim_is_sent_once(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 60)
    options = DeliveryOptions(tmp_path, lease=timedelta(milliseconds=200))
    with sink(tmp_path / "sink", rate="100/s") as to:
        with SmtpTransport([to.server]) as transport:
            clock = Clock()  # stands still: no other worker may take over what this one has leased
            counts = deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=clock)
        assert counts.by_status == {SENT: 60}
        assert Counter(to.recipients()) == everybody(60)


def test_a_limited_domain_does_not_delay_others(store: Store, tmp_path: Path) -> None:
    for number in range(13):
        store.subscribers.add(person(f"ada{number}@slow.example"), at=NOW, source="test")
    edition, begun = make_edition(store, 50), time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - begun)

    with sink(tmp_path / "sink", domains=("slow.example 2/s",)) as to:
        with SmtpTransport([to.server]) as transport:
            counts = deliver(store, transport, edition, HEADERS, LINKS, options=DeliveryOptions(tmp_path), clock=clock)
        assert counts.by_status == {SENT: 63}
        order = to.recipients()
    assert len(order) == len(set(order)) == 63
    assert all(address.endswith("@slow.example") for address in order[-8:])
