"""Editions over several mail servers, which share the work, take over from each other, and have limits."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from publisher.config import Relay
from publisher.core.errors import StoppedError, TransportError
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.smtp import pool, server_health
from publisher.mail.smtp_transport import SmtpTransport
from publisher.store import Store
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition
from tests.support.sink import Sink, sink
from tests.support.smtp_samples import everybody, send, wait_until
from tests.support.smtp_server import Patient, mail_server
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


def test_a_recovered_server_is_used_again(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # However long the server takes to come back, the run tries it again.
    monkeypatch.setattr(server_health, "FAILURES", 10_000)
    monkeypatch.setattr(server_health, "LONGEST_REST", 0.2)
    edition, port = make_edition(sqlite_store, 400), free_port()
    with ExitStack() as stack:
        first = stack.enter_context(sink(tmp_path / "one", "-M", "50", port=port, connections=1))
        second: list[Sink] = []
        settled = count(1)

        def come_back(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
            if next(settled) == 50:  # the server ends instead of answering this message
                first.process.wait(60)
                second.append(stack.enter_context(sink(tmp_path / "two", port=port)))

        options = DeliveryOptions(tmp_path, rest=timedelta(milliseconds=200))
        with SmtpTransport([first.server]) as transport:
            counts = deliver(
                sqlite_store, transport, edition, HEADERS, LINKS, options=options, clock=Clock(), progress=come_back
            )
        assert counts.by_status == {SENT: 399, QUEUED: 1}
        assert len(first.taken()) == 50
        assert len(second[0].taken()) == 350


def test_servers_share_the_work_by_weight(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SILENT_SECONDS", 60.0)  # a server on a busy machine is not silent
    edition, one, two = make_edition(sqlite_store, 400), Patient(), Patient()
    with (
        mail_server(mailboxes=one) as (_, heavy),
        mail_server(mailboxes=two) as (_, light),
        ThreadPoolExecutor(1) as thread,
    ):
        servers = [
            Relay(host="127.0.0.1", port=to.port, tls="none", connections=3, messages=400, weight=weight)
            for to, weight in ((heavy, 3), (light, 1))
        ]
        sending = thread.submit(send, sqlite_store, servers, edition, tmp_path)
        wait_until(lambda: bool(one.handed_over and two.handed_over))  # neither has begun without the other
        for server in (one, two):
            server.let(400)
        sending.result()
    shares = one.arrived, two.arrived
    assert sum(shares) == 400
    assert 280 <= shares[0] <= 320


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
    edition, clock, stop, others = make_edition(store, 50), Clock(), Stop(), count(1)

    def progress(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        """End the run when all messages to the other domain are sent."""
        if delivery.address.endswith("@example.org") and next(others) == 50:
            stop.ask()

    with sink(tmp_path / "sink", domains=("slow.example 1/h",)) as to:
        options = DeliveryOptions(tmp_path, stop=stop)
        with SmtpTransport([to.server]) as transport, pytest.raises(StoppedError):
            deliver(store, transport, edition, HEADERS, LINKS, options=options, clock=clock, progress=progress)
        slow = Counter(to.recipients()) - everybody(50)
        assert slow.total() <= 1
        assert store.deliveries.counts(edition.id).by_status == {SENT: 50 + slow.total(), QUEUED: 13 - slow.total()}
        clock.move(hours=13)
        assert send(store, [replace(to.server, domains=())], edition, tmp_path, clock=clock).by_status == {SENT: 63}
        order = to.recipients()
    assert len(order) == len(set(order)) == 63
