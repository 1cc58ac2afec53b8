"""Editions through a real mail server: many connections, and every kind of failure."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.free_ports import free_port
from publisher.config import Relay
from publisher.core.bounce_report import Verdict
from publisher.core.errors import StoreError, TransportError
from publisher.core.newsletter_models import Delivery, DeliveryStatus
from publisher.mail.queue import deliver
from publisher.mail.run_options import DeliveryOptions
from publisher.mail.smtp_transport import SmtpTransport
from publisher.mail.transport import Deferred, Rejected
from publisher.mail.verp import ReturnPath
from publisher.store import Store, open_store
from tests.support import ROOT
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition
from tests.support.sink import sink
from tests.support.smtp_samples import everybody, judged, send, wait_until
from tests.support.smtp_server import Patient, mail_server

SENT, FAILED, DEFERRED = DeliveryStatus.SENT, DeliveryStatus.FAILED, DeliveryStatus.DEFERRED
QUEUED, UNCERTAIN = DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN

PROGRAM = ROOT / "tests/support/deliver_everything.py"


@pytest.mark.parametrize("options", [(), ("-p",), ("-e",)], ids=["pipelining", "lockstep", "without ESMTP"])
def test_everyone_gets_one_message_over_many_connections(
    sqlite_store: Store, tmp_path: Path, options: tuple[str, ...]
) -> None:
    edition = make_edition(sqlite_store, 300)
    with sink(tmp_path / "sink", *options, connections=8, messages=25) as to:
        assert send(sqlite_store, [to.server], edition, tmp_path).by_status == {SENT: 300}
        assert Counter(to.recipients()) == everybody(300)
        assert send(sqlite_store, [to.server], edition, tmp_path).by_status == {SENT: 300}
        assert len(to.taken()) == 300


def test_both_databases_send_the_same(store: Store, tmp_path: Path) -> None:
    edition = make_edition(store, 300)
    with sink(tmp_path / "sink", connections=8) as to:
        assert send(store, [to.server], edition, tmp_path, hold=True).by_status == {SENT: 300}
        assert Counter(to.recipients()) == everybody(300)


def test_lmtp_accepts_an_edition(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 50)
    with sink(tmp_path / "sink", "-L", unix=True) as to:
        assert send(sqlite_store, [to.server], edition, tmp_path).by_status == {SENT: 50}
        assert Counter(to.recipients()) == everybody(50)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("-r", "MAIL"), DEFERRED),
        (("-r", "RCPT"), DEFERRED),
        (("-r", "DATA"), DEFERRED),
        (("-r", "."), DEFERRED),
        (("-f", "RCPT"), FAILED),
        (("-f", "DATA"), FAILED),
        (("-f", "."), FAILED),
    ],
    ids=lambda value: "".join(value) if isinstance(value, tuple) else str(value),
)
def test_a_refusal_fails_one_message(
    sqlite_store: Store, tmp_path: Path, options: tuple[str, ...], status: DeliveryStatus
) -> None:
    edition = make_edition(sqlite_store, 60)
    with sink(tmp_path / "sink", *options) as to:
        assert send(sqlite_store, [to.server], edition, tmp_path).by_status == {status: 60}
        again = send(sqlite_store, [to.server], edition, tmp_path)
        assert again.by_status == {status: 60}  # not before its time, or never
        assert len(to.taken()) == (60 if "." in options else 0)  # the sink keeps messages that it rejects at their end


@pytest.mark.parametrize("option", ["-q", "-Q"])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_repeated_hang_ups_end_the_run(sqlite_store: Store, tmp_path: Path, option: str, command: str) -> None:
    edition = make_edition(sqlite_store, 60)
    with (
        sink(tmp_path / "sink", option, command, connections=3) as to,
        pytest.raises(TransportError, match="hung up 5 times in a row"),
    ):
        send(sqlite_store, [to.server], edition, tmp_path, hold=True)
    counts = sqlite_store.deliveries.counts(edition.id)
    in_doubt = counts[UNCERTAIN]
    assert counts.total == counts[QUEUED] + counts[DEFERRED] + in_doubt == 60
    # 421 is an answer; silence after a whole message isn't. Five failures, the first of three connections.
    assert (0 < in_doubt <= 7) if (option, command) == ("-q", ".") else in_doubt == 0


def test_a_refused_sender_stops_the_run(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 60)
    with (
        sink(tmp_path / "sink", "-f", "MAIL") as to,
        pytest.raises(TransportError, match=r"refuses the sender ada@example\.org: 500"),
    ):
        send(sqlite_store, [to.server], edition, tmp_path)
    assert sqlite_store.deliveries.counts(edition.id).by_status == {QUEUED: 60}


def test_an_unreachable_server_empties_no_queue(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 60)
    away = Relay(host="127.0.0.1", port=free_port(), tls="none")
    with pytest.raises(TransportError, match=r"cannot be reached: Connection refused \(see mail.smtp.host"):
        send(sqlite_store, [away], edition, tmp_path, hold=True)
    assert sqlite_store.deliveries.counts(edition.id).by_status == {QUEUED: 60}


def test_permanent_refusals_are_reported(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 5)
    told: list[tuple[str, str]] = []

    def refused(delivery: Delivery, outcome: Deferred | Rejected) -> Verdict:
        told.append((delivery.address, outcome.reason))
        return judged(delivery, outcome)

    with sink(tmp_path / "sink", "-f", "RCPT", "-B", "550 5.1.1 no such user") as to:
        counts = send(sqlite_store, [to.server], edition, tmp_path, refused=refused)
    assert counts.by_status == {FAILED: 5}
    assert sorted(told) == [(f"reader{i}@example.org", "550 5.1.1 no such user") for i in range(5)]


def test_refused_content_stops_the_edition(sqlite_store: Store, tmp_path: Path) -> None:
    edition = make_edition(sqlite_store, 200)
    with (
        sink(tmp_path / "sink", "-f", ".", "-B", "554 5.7.1 looks like spam") as to,
        pytest.raises(TransportError, match=r"refuses the edition itself, 10 of 10 messages: 554 5\.7\.1 looks like"),
    ):
        send(sqlite_store, [to.server], edition, tmp_path)
    counts = sqlite_store.deliveries.counts(edition.id)
    assert counts.total == counts[FAILED] + counts[QUEUED] == 200
    assert counts[FAILED] <= 20


def test_each_message_has_its_own_return_address(sqlite_store: Store, tmp_path: Path) -> None:
    edition, path = make_edition(sqlite_store, 3), ReturnPath("bounces@example.org", "secret")
    with mail_server() as (mailboxes, settings):
        relay = Relay(host=settings.host, port=settings.port, tls="none")
        send(sqlite_store, [relay], edition, tmp_path, return_path=path)
    assert len({path.read(sender) for sender in mailboxes.senders} - {None}) == 3


def test_an_invalid_address_does_not_affect_others(sqlite_store: Store, tmp_path: Path) -> None:
    from tests.support.store_samples import NOW, person

    sqlite_store.subscribers.add(person("not an address"), at=NOW, source="test")
    for address in ("jörg@example.org", "421-always@example.org", "hangup@example.org"):
        sqlite_store.subscribers.add(person(address), at=NOW, source="test")
    edition = make_edition(sqlite_store, 20)
    with mail_server(smtputf8=False) as (mailboxes, settings):
        relay = Relay(host=settings.host, port=settings.port, tls="none")
        counts = send(sqlite_store, [relay], edition, tmp_path)
    assert counts.by_status == {FAILED: 2, DEFERRED: 2, SENT: 20}
    assert {len(messages) for messages in mailboxes.messages.values()} == {1}


def test_an_unwritable_ledger_stops_the_run(sqlite_store: Store, tmp_path: Path) -> None:
    edition, clock = make_edition(sqlite_store, 400), Clock()
    broken: list[int] = []

    def break_it(delivery: Delivery, status: DeliveryStatus, reason: str) -> None:
        if not broken:
            broken.append(delivery.id)
            with sqlite3.connect(tmp_path / "publisher.db", timeout=60) as other:
                other.execute("ALTER TABLE deliveries RENAME TO hidden")

    with sink(tmp_path / "sink", connections=5) as to:
        with SmtpTransport([to.server]) as transport, pytest.raises(StoreError, match="no such table"):
            deliver(
                sqlite_store,
                transport,
                edition,
                HEADERS,
                LINKS,
                options=DeliveryOptions(tmp_path),
                clock=clock,
                progress=break_it,
            )
        with sqlite3.connect(tmp_path / "publisher.db", timeout=60) as other:
            other.execute("ALTER TABLE hidden RENAME TO deliveries")
        clock.move(minutes=5)
        assert send(sqlite_store, [to.server], edition, tmp_path, clock=clock).by_status == {SENT: 400}
        taken = Counter(to.recipients())
    assert taken.keys() == everybody(400).keys()
    assert 0 <= sum(taken.values()) - 400 <= 5


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing_in_doubt(tmp_path: Path, stop: signal.Signals) -> None:
    url = f"sqlite:///{tmp_path}/publisher.db"
    with open_store(url, tmp_path) as store, mail_server(mailboxes=Patient()) as (mailboxes, settings):
        assert isinstance(mailboxes, Patient)
        edition = make_edition(store, 2_000)
        way = f"smtp:{settings.port}"
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), url, str(tmp_path), way, "hold", "6"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        mailboxes.let(150)
        wait_until(lambda: mailboxes.arrived >= 100)
        process.send_signal(stop)
        mailboxes.let(2_000)  # from now on, it would not stop by itself
        _, said = process.communicate()
        assert process.returncode in (-stop, 128 + stop), said
        counts = store.deliveries.counts(edition.id)
        assert counts.by_status == {SENT: counts[SENT], QUEUED: 2_000 - counts[SENT]}
        assert 100 <= counts[SENT] == mailboxes.arrived < 2_000
