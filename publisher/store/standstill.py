"""Preventing every host from sending while the data of a database is replaced.

A worker renews its lease, in the table of workers, before it takes messages and before it hands one over. So nothing is
sent while that table cannot be written. After the data was replaced, all workers are forgotten: a worker that was
silent and continues has lost its lease, so it hands over nothing that is missing from the new data. Answers of mail
servers are still recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import StillSendingError
from publisher.core.models import require_aware
from publisher.store.column_types import UtcTime
from publisher.store.database import SILENCE_LIMIT, Database
from publisher.store.fleet_tables import workers

_BARRED = "this database is being replaced, so nothing is sent from it; run the copy again if it was interrupted"


@contextmanager
def standstill(database: Database, now: datetime, *, writes: bool = False) -> Iterator[None]:
    """Keep workers from starting and from taking or handing over messages while the block replaces the data.

    now     the present time, with a time zone; used with SQLite only, as PostgreSQL has a clock of its own
    writes  whether the block writes to this database, rather than only putting another file in its place
    On PostgreSQL, reading the table of workers waits, too. Raises StillSendingError, which names the hosts, if the
    lease of a worker has not ended.
    """
    require_aware("now", now)
    if database.is_sqlite and writes:
        with _barred(database, now):
            yield
        return
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(sa.select(sa.func.set_config(SILENCE_LIMIT, "0", sa.true())))
            connection.execute(sa.text("LOCK TABLE workers IN ACCESS EXCLUSIVE MODE"))
        _require_silence(connection, database, now)
        yield
        connection.execute(sa.delete(workers))


@contextmanager
def _barred(database: Database, now: datetime) -> Iterator[None]:
    """Bar the table of workers with triggers. A lock would bar the block too, because SQLite has one writer at a time.

    It stays barred if the block fails, because the data is then only half replaced.
    """
    triggers = [f"barred_{event.lower()}" for event in ("INSERT", "UPDATE")]
    with database.write() as connection:
        _require_silence(connection, database, now)
        for name in triggers:
            event = name.removeprefix("barred_").upper()
            stop = f"BEGIN SELECT RAISE(ABORT, '{_BARRED}'); END"
            connection.execute(sa.text(f"CREATE TRIGGER IF NOT EXISTS {name} BEFORE {event} ON workers {stop}"))
    yield
    with database.write() as connection:
        for name in triggers:
            connection.execute(sa.text(f"DROP TRIGGER {name}"))
        connection.execute(sa.delete(workers))


def _require_silence(connection: Connection, database: Database, now: datetime) -> None:
    clock: sa.ColumnElement[Any] = sa.func.clock_timestamp(type_=UtcTime)
    at = now if database.is_sqlite else connection.execute(sa.select(clock)).scalar_one()
    living = connection.execute(sa.select(workers.c.host, workers.c.lease_until).where(workers.c.lease_until > at))
    if rows := living.all():
        names = ", ".join(sorted({row.host for row in rows}))
        seconds = max(row.lease_until - at for row in rows).total_seconds()
        hint = f"stop what sends there and run this again; a killed process counts as sending for {seconds:.0f} s more"
        raise StillSendingError(f"emails are being sent from it, by {names}", where=database.where, hint=hint)
