"""The ledger writer over a real database: it reports an update as written only when another process could read it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from publisher.core.bounce_report import Verdict
from publisher.core.newsletter_models import Delivery, DeliveryStatus, Edition
from publisher.mail.lifecycle import DeliveryEvent, update_after
from publisher.mail.run_options import DeliveryOptions, Run
from publisher.mail.smtp.ledger_writer import LedgerWriter
from publisher.mail.transport import Accepted
from publisher.mail.worker_locks import working
from publisher.store import Store
from publisher.store.workers import Heartbeat
from tests.support.delivery_samples import Clock, make_edition
from tests.support.store_samples import NOW

NUMBER = 12
UNANSWERED = DeliveryEvent.UNANSWERED_RESEND


@pytest.fixture
def run(sqlite_store: Store, tmp_path: Path) -> Iterator[Run]:
    """Yield a worker's run whose callbacks do nothing."""
    with working(tmp_path) as worker:
        sqlite_store.workers.begin(worker, "a host", Heartbeat(NOW, timedelta(minutes=2)))
        yield Run(
            DeliveryOptions(tmp_path),
            worker,
            UNANSWERED,
            Clock(),
            progress=lambda delivery, status, reason: None,
            refused=lambda delivery, outcome: Verdict.TEMPORARY,
        )


@pytest.fixture
def other(sqlite_store: Store, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection of another process to the database of the store."""
    with closing(sqlite3.connect(tmp_path / "publisher.db", isolation_level=None)) as connection:
        yield connection


def status(other: sqlite3.Connection, delivery: Delivery) -> str:
    return str(other.execute("SELECT status FROM deliveries WHERE id = ?", (delivery.id,)).fetchone()[0])


@pytest.mark.timeout(60)
def test_a_written_answer_is_committed(sqlite_store: Store, run: Run, other: sqlite3.Connection) -> None:
    """A connection hands over its next message after this report, so a false report could repeat an email."""
    edition = make_edition(sqlite_store, NUMBER)
    found, errors = asyncio.run(settle(sqlite_store, run, edition, other))
    assert errors == []
    assert found == [DeliveryStatus.SENT] * NUMBER


async def settle(
    store: Store, run: Run, edition: Edition, other: sqlite3.Connection
) -> tuple[list[str], list[BaseException]]:
    """Write an answer for every delivery; return each one's status at the time of the report, and errors.

    Half of the answers arrive while another process has locked the database, so that none can be committed yet.
    """
    found: list[str] = []
    errors: list[BaseException] = []

    def look(delivery: Delivery) -> None:
        found.append(status(other, delivery))

    ledger = LedgerWriter(store, run, errors.append)
    batch = await ledger.claim(run, edition.id, NUMBER)
    other.execute("BEGIN IMMEDIATE")
    for number, delivery in enumerate(batch):
        if number == NUMBER // 2:
            await asyncio.sleep(0)  # a call scheduled for the next iteration of the loop would run here
            other.execute("COMMIT")
        update = update_after(edition, delivery, Accepted(), run.unanswered, run.clock())
        ledger.write(update, partial(look, delivery))
    await ledger.finish()
    return found, errors


@pytest.mark.timeout(60)
def test_a_failed_write_is_never_reported_as_written(sqlite_store: Store, run: Run, other: sqlite3.Connection) -> None:
    edition = make_edition(sqlite_store, NUMBER)

    async def settle_without_a_table() -> tuple[list[str], list[BaseException]]:
        written: list[str] = []
        errors: list[BaseException] = []
        ledger = LedgerWriter(sqlite_store, run, errors.append)
        batch = await ledger.claim(run, edition.id, NUMBER)
        other.execute("ALTER TABLE deliveries RENAME TO hidden")
        for delivery in batch:
            update = update_after(edition, delivery, Accepted(), run.unanswered, run.clock())
            ledger.write(update, partial(written.append, delivery.address))
        await ledger.finish()
        return written, errors

    written, errors = asyncio.run(settle_without_a_table())
    assert written == []
    assert [type(error).__name__ for error in errors] == ["StoreError"]


@pytest.mark.timeout(60)
def test_a_delivery_gives_signs_of_life_only_while_the_ledger_answers(
    sqlite_store: Store, run: Run, other: sqlite3.Connection
) -> None:
    """A process whose delivery gives no sign of life for longer than its lease counts as hung, and ends."""
    edition, signs = make_edition(sqlite_store, NUMBER), list[None]()
    run.options.stop.sign_of_life = lambda: signs.append(None)  # type: ignore[method-assign]

    async def write() -> int:
        """Write while another process holds the lock; return the number of heartbeats before it was released."""
        ledger = LedgerWriter(sqlite_store, run, lambda error: None)
        (delivery, *_) = await ledger.claim(run, edition.id, 1)
        other.execute("BEGIN IMMEDIATE")
        ledger.write(update_after(edition, delivery, Accepted(), run.unanswered, run.clock()), lambda: None)
        await asyncio.sleep(0.1)
        before = len(signs)
        other.execute("COMMIT")
        await ledger.finish()
        return before

    assert (asyncio.run(write()), len(signs)) == (0, 1)
