"""PostgreSQL is unavailable for a while during sending: a worker waits, and nothing is in doubt afterwards."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from benchmarks.networks import Proxy
from publisher.config import Relay
from publisher.core.errors import LeaseLostError, PublisherError, StoreAwayError, StoreError
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, Edition
from publisher.mail import database_retries, queue
from publisher.mail.queue import EditionOrder, take_over
from publisher.mail.run_options import DeliveryOptions, Stop
from publisher.mail.smtp_transport import SmtpTransport
from publisher.publishing.wiring import open_project_store
from publisher.store import Store, open_store
from publisher.store.fleet_tables import workers
from tests.support.clockwork import DAY, SLOT, Clockwork, configure
from tests.support.delivery_samples import HEADERS, LINKS, Clock, make_edition, make_small
from tests.support.project import WEEKLY, Project
from tests.support.smtp_samples import LONGEST_SECONDS, everybody, wait_until
from tests.support.smtp_server import Mailboxes, Patient, mail_server
from tests.support.store_fixtures import start_postgres
from tests.support.store_samples import NOW, later

SENT, QUEUED, UNCERTAIN = DeliveryStatus.SENT, DeliveryStatus.QUEUED, DeliveryStatus.UNCERTAIN
READERS, CONNECTIONS, BEFORE = 60, 3, 20
FOREVER = timedelta(hours=1)


@dataclass
class Sending:
    """A worker that sends in a thread; the server has accepted some messages and not yet answered others."""

    store: Store
    edition: Edition
    mailboxes: Patient
    relay: Relay
    folder: Path
    hold: bool
    lease: timedelta
    stop: Stop = field(default_factory=Stop)
    result: Future[DeliveryCounts] = field(default_factory=Future)

    def run(self) -> DeliveryCounts:
        on_uncertain = "hold" if self.hold else "resend"
        options = DeliveryOptions(self.folder, self.lease, on_uncertain, stop=self.stop)  # type: ignore[arg-type]
        with SmtpTransport([self.relay]) as transport:
            return queue.deliver(self.store, transport, self.edition, HEADERS, LINKS, options=options, clock=Clock())

    def answer_all_in_hand(self) -> None:
        self.mailboxes.let(CONNECTIONS)
        wait_until(lambda: self.mailboxes.arrived == BEFORE + CONNECTIONS)

    def answer_everything(self) -> None:
        self.mailboxes.let(10 * READERS)


@contextmanager
def sending(url: str, folder: Path, *, hold: bool = True, lease: timedelta = FOREVER) -> Iterator[Sending]:
    """Start sending, and yield once each connection has handed over a message that is not answered yet."""
    mailboxes = Patient()
    with (
        open_store(url, folder) as store,
        mail_server(mailboxes=mailboxes) as (_, server),
        ThreadPoolExecutor(1) as pool,
    ):
        limits = {"rate": "400/s", "per_day": 1_000, "connections": CONNECTIONS}
        relay = Relay(host=server.host, port=server.port, tls="none", timeout=60, **limits)  # type: ignore[arg-type]
        begun = Sending(store, make_edition(store, READERS), mailboxes, relay, folder, hold, lease)
        begun.result = pool.submit(begun.run)
        mailboxes.let(BEFORE)
        wait_until(lambda: mailboxes.handed_over == BEFORE + CONNECTIONS)
        try:
            yield begun
        finally:
            mailboxes.let(10 * READERS)
            begun.stop.ask()


@pytest.fixture(scope="module", autouse=True)
def kept_commits(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let commits of PostgreSQL survive an immediate shutdown; other tests are faster without this."""
    server = request.getfixturevalue("postgres")

    def has(value: str) -> bool:
        """Return whether the server has read the new setting, which it does some time after the request."""
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            return connection.execute("SHOW synchronous_commit").fetchone() == (value,)

    for value in ("on", "off"):
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"ALTER SYSTEM SET synchronous_commit = {value}".encode())
            connection.execute("SELECT pg_reload_conf()")
        wait_until(lambda: has(value))  # noqa: B023 - called before the next round
        if value == "on":
            yield


def end_postgres(server: Any, *, at_once: bool) -> None:
    """Stop PostgreSQL in an orderly way, or immediately, as in a crash."""
    process = psutil.Process(server.get_pid())
    process.send_signal(signal.SIGQUIT if at_once else signal.SIGINT)
    process.wait(60)


@contextmanager
def away(server: Any, *, at_once: bool = False) -> Iterator[None]:
    """Stop PostgreSQL while the block runs."""
    end_postgres(server, at_once=at_once)
    try:
        yield
    finally:
        start_postgres(server)


def copies(mailboxes: Mailboxes) -> Counter[str]:
    return Counter({address: len(taken) for address, taken in mailboxes.messages.items()})


@pytest.mark.postgres
@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_restart_during_sending_leaves_nothing_in_doubt(
    postgres: Any, postgres_url: str, tmp_path: Path, hold: bool, at_once: bool
) -> None:
    with sending(postgres_url, tmp_path, hold=hold) as begun:
        with away(postgres, at_once=at_once):
            begun.answer_all_in_hand()
        begun.answer_everything()
        assert begun.result.result(LONGEST_SECONDS).by_status == {SENT: READERS}
        assert copies(begun.mailboxes) == everybody(READERS)
        assert {row.attempts for row in begun.store.ledger.rows(begun.edition.id)} == {1}
        assert begun.store.workers.list() == []


@pytest.mark.postgres
def test_nothing_more_is_handed_over_while_the_database_is_away(
    postgres: Any, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sending(postgres_url, tmp_path) as begun:
        with away(postgres):
            begun.answer_everything()
            wait_until(lambda: "sending waits for the database" in capsys.readouterr().err)
            assert begun.mailboxes.handed_over <= BEFORE + CONNECTIONS
        assert begun.result.result(LONGEST_SECONDS).by_status == {SENT: READERS}
    assert "sending continues" in capsys.readouterr().err


@pytest.mark.postgres
@pytest.mark.parametrize("hold", [True, False])
def test_messages_in_flight_are_in_doubt_after_an_outage_longer_than_the_lease(
    postgres: Any, postgres_url: str, tmp_path: Path, hold: bool
) -> None:
    with sending(postgres_url, tmp_path, hold=hold, lease=timedelta(seconds=1)) as begun:
        with away(postgres):
            begun.answer_all_in_hand()
            with pytest.raises(StoreError, match="the mail server's last answers are missing from it"):
                begun.result.result(LONGEST_SECONDS)
        begun.answer_everything()
        after = begun.run().by_status
        twice = copies(begun.mailboxes) - everybody(READERS)
    assert after == ({SENT: READERS - CONNECTIONS, UNCERTAIN: CONNECTIONS} if hold else {SENT: READERS})
    assert twice.total() == (0 if hold else CONNECTIONS)


@pytest.mark.postgres
def test_a_stop_ends_the_waiting(
    postgres: Any, postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sending(postgres_url, tmp_path) as begun:
        with away(postgres):
            begun.answer_all_in_hand()
            wait_until(lambda: "sending waits for the database" in capsys.readouterr().err)
            begun.stop.ask()
            with pytest.raises(PublisherError):
                begun.result.result(LONGEST_SECONDS)
        assert begun.mailboxes.handed_over == BEFORE + CONNECTIONS


@pytest.mark.postgres
def test_a_worker_replaced_while_it_waited_hands_over_nothing_more(
    postgres_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_url(postgres_url)
    proxy = Proxy(Path(str(url.query["host"])) / ".s.PGSQL.5432")
    through = url.set(host="127.0.0.1", port=proxy.port).difference_update_query(["host"])
    other = DeliveryOptions(tmp_path / "other", on_uncertain="hold")
    try:
        with (
            open_store(postgres_url, tmp_path) as store,
            sending(through.render_as_string(hide_password=False), tmp_path / "slow") as begun,
        ):
            proxy.refuse()
            begun.answer_all_in_hand()
            wait_until(lambda: "sending waits for the database" in capsys.readouterr().err)
            with store.database.write() as connection:
                connection.execute(sa.update(workers).values(lease_until=later(days=-9_999)))
            assert take_over(store, options=other, now=NOW) > 0
            assert store.deliveries.counts(begun.edition.id)[UNCERTAIN] == CONNECTIONS
            begun.answer_everything()
            proxy.let_through()
            with pytest.raises(LeaseLostError):
                begun.result.result(LONGEST_SECONDS)
            assert begun.mailboxes.handed_over == BEFORE + CONNECTIONS
            # The answers that it had received are still written.
            assert store.deliveries.counts(begun.edition.id).by_status == {
                SENT: BEFORE + CONNECTIONS,
                QUEUED: READERS - BEFORE - CONNECTIONS,
            }
    finally:
        proxy.close()


def losing_answers(work: Callable[..., Any], every: int = 2) -> Callable[..., Any]:
    """Do some work, but lose every second answer, as if the connection broke during the commit."""
    calls = count()

    def lose(*given: Any, **named: Any) -> Any:
        done = work(*given, **named)
        if next(calls) % every == 0:
            raise StoreAwayError("server closed the connection unexpectedly")
        return done

    return lose


def test_a_commit_without_an_answer_is_done_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = make_edition(store, READERS), make_small(store, "other", "ada@example.net", "450-bob@example.net")
    for table, names in (
        (store.deliveries, ("claim", "acknowledge")),
        (store.hosts, ("count_claim",)),
        (store.limits, ("take_turns", "take_recipients")),
        (store.editions, ("held", "letters")),
        (store.workers, ("end", "expired")),
    ):
        for name in names:
            monkeypatch.setattr(table, name, losing_answers(getattr(table, name)))
    orders = [EditionOrder(first, HEADERS, LINKS), EditionOrder(second, HEADERS, LINKS)]
    options = DeliveryOptions(tmp_path, on_uncertain="hold")
    with mail_server() as (mailboxes, server):
        relay = Relay(host=server.host, port=server.port, tls="none", connections=CONNECTIONS, rate="400/s")
        with SmtpTransport([relay]) as transport:
            queue.deliver_editions(
                store,
                transport,
                lambda: [orders.pop(0), orders.pop(0)] if orders else [],
                options=options,
                clock=lambda: NOW,
            )
    assert copies(mailboxes) == everybody(READERS) + Counter({"ada@example.net": 1})
    monkeypatch.undo()
    assert store.deliveries.counts(first.id).by_status == {SENT: READERS}
    assert store.deliveries.counts(second.id).by_status == {SENT: 1, DeliveryStatus.DEFERRED: 1}
    assert {row.attempts for edition in (first, second) for row in store.ledger.rows(edition.id)} == {1}


def failing_first(work: Callable[..., Any]) -> Callable[..., Any]:
    """Do some work, but only at every second call: at the first, third and so on, the database is unavailable.

    Calls in the main thread never fail, because only the other threads try again.
    """
    calls = count()

    def fail(*given: Any, **named: Any) -> Any:
        if threading.current_thread() is not threading.main_thread() and next(calls) % 2 == 0:
            raise StoreAwayError("the database system is starting up")
        return work(*given, **named)

    return fail


def test_every_edition_begins_and_ends_despite_outages_of_the_database(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_retries, "LONGEST_PAUSE", database_retries.FIRST_PAUSE)
    with mail_server() as (mailboxes, server):
        smtp = f'transport = "smtp"\nsmtp = {{ url = "smtp://127.0.0.1:{server.port}", tls = "none" }}\n'
        configure(project, WEEKLY + WEEKLY.replace('"weekly"', '"other"'), smtp)
        for newsletter in ("weekly", "other"):
            project.subscribe("ada", newsletter=newsletter)
        with open_project_store(project.config()) as store:
            clockwork = Clockwork(project, store)
            clockwork.at(SLOT - 3 * DAY)
            for table, names in (
                (store.deliveries, ("counts", "take_over", "reclaim", "claim", "acknowledge")),
                (store.editions, ("get", "letters", "held", "ready")),
                (store.ledger, ("next_try",)),
            ):
                for name in names:
                    monkeypatch.setattr(table, name, failing_first(getattr(table, name)))
            report = clockwork.at(SLOT)
    assert report.problems == ()
    assert [(each.sent, each.finished) for each in report.delivered] == [(1, True), (1, True)]
    assert copies(mailboxes) == Counter({"ada@example.org": 2})
