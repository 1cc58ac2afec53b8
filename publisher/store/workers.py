"""The workers that are sending: their leases, and which of their deliveries may have been handed over.

A worker renews its lease whenever it writes to the ledger. A worker that has not done so within its lease counts as
dead, and another worker takes over its deliveries: its row is deleted, so it can no longer renew the lease. A worker
hands a message over only after it has renewed its lease with the message recorded as in doubt. So after its deliveries
were taken over it hands over nothing, however slow or cut off it was.

Times are those of the database's clock, because the clocks of hosts differ. With SQLite they are the caller's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.column_types import UtcTime
from publisher.store.compiled_updates import CompiledUpdate
from publisher.store.database import Database
from publisher.store.fleet_tables import hosts, workers
from publisher.store.tables import deliveries

# The ids of deliveries in doubt; None for all deliveries that a worker has leased.
Doubt = frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A worker's sign of life, which renews its lease.

    now       the present time, with a time zone; used with SQLite only
    lease     how long the worker may be silent before others take over its deliveries
    in_doubt  the ids of the deliveries that may have been handed over without an answer; None for all that the worker
              has leased
    sent      how many messages have been accepted since the worker began, as a total rather than an increase, so that a
              sign of life may be repeated
    """

    now: datetime
    lease: timedelta
    in_doubt: Collection[int] | None = None
    sent: int = 0

    def __post_init__(self) -> None:
        require_aware("now", self.now)


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that is sending.

    name         the name under which it leases deliveries
    host         its host's name, as shown to people
    begun_at     when it began to send
    seen_at      when it last renewed its lease
    lease_until  when others may take over its deliveries
    sent         how many of its messages have been accepted
    """

    name: str
    host: str
    begun_at: datetime
    seen_at: datetime
    lease_until: datetime
    sent: int


class Workers:
    """The table of workers; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, worker: str, host: str, beat: Heartbeat, host_id: str = "") -> None:
        """Record a worker that begins to send.

        worker: a name that no other worker has or had. host: its host's name, as shown to people
        """
        row = {"worker": worker, "host": host, "host_id": host_id, "in_doubt": _text(beat.in_doubt), "sent": beat.sent}
        times = {"begun_at": self._moment(beat.now), "seen_at": self._moment(beat.now)}
        until = {"lease_until": self._moment(beat.now, beat.lease)}
        with self._database.write() as connection:
            connection.execute(sa.insert(workers).values(row | times | until))

    def renew(self, worker: str, beat: Heartbeat) -> bool:
        """Renew a worker's lease; return False if others have taken over its deliveries."""
        with self._database.write() as connection:
            return self.renew_within(connection, worker, beat)

    def renew_within(self, connection: Connection, worker: str, beat: Heartbeat) -> bool:
        """Renew a worker's lease like `renew`, as the first part of a transaction that writes to the ledger.

        It must come first, so that two transactions cannot wait for each other.
        """
        values: dict[str, Any] = {"name": worker, "doubt": _text(beat.in_doubt), "total": beat.sent}
        if self._database.is_sqlite:
            values |= {"at": beat.now, "until": beat.now + beat.lease}
        else:
            values |= {"lease": beat.lease}
        return self._renewal.run(connection, [values]) == 1

    def end(self, worker: str) -> None:
        """Forget a worker that has ended, unless it has left leases behind."""
        left = sa.select(deliveries.c.id).where(deliveries.c.lease_owner == worker).exists()
        with self._database.write() as connection:
            _delete(connection, workers.c.worker == worker, sa.not_(left))

    def list(self) -> Sequence[Worker]:
        """Return all workers, in the order in which they began, including dead ones that are not taken over yet."""
        query = sa.select(workers).order_by(workers.c.begun_at, workers.c.worker)
        with self._database.read() as connection:
            return [_worker(row) for row in connection.execute(query)]

    def expired(self, now: datetime) -> Sequence[str]:
        """Return the names of the workers whose leases have ended."""
        require_aware("now", now)
        query = sa.select(workers.c.worker).where(workers.c.lease_until <= self._moment(now))
        with self._database.read() as connection:
            return list(connection.execute(query.order_by(workers.c.worker)).scalars())

    def remove(self, connection: Connection, worker: str, now: datetime, *, is_dead: bool) -> tuple[bool, Doubt]:
        """Delete a worker's row, so that it hands over nothing more; return whether it existed, and what is in doubt.

        This is part of the transaction that takes over its deliveries. is_dead: whether its process is known to have
        ended; otherwise it is removed only if its lease has ended and it is not writing: a worker that was stopped in
        the middle of a transaction is left alone until the database has ended the transaction, so that nobody waits for
        it.
        """
        this = workers.c.worker == worker
        if not is_dead:
            this &= workers.c.lease_until <= self._moment(now)
            free = sa.select(workers.c.worker).where(this).with_for_update(skip_locked=True)
            if connection.execute(free).first() is None:
                return False, None
        row = _delete(connection, this)
        return row is not None, None if row is None else _ids(row.in_doubt)

    @cached_property
    def _renewal(self) -> CompiledUpdate:  # building it takes longer than running it
        now = sa.func.clock_timestamp()
        is_sqlite = self._database.is_sqlite
        values: dict[str, Any] = {
            "seen_at": sa.bindparam("at", type_=UtcTime) if is_sqlite else now,
            "lease_until": sa.bindparam("until", type_=UtcTime)
            if is_sqlite
            else now + sa.bindparam("lease", type_=sa.Interval),
            "in_doubt": sa.bindparam("doubt", type_=sa.Text),
            "sent": (sa.func.max if is_sqlite else sa.func.greatest)(workers.c.sent, sa.bindparam("total")),
        }
        renewal = sa.update(workers).where(workers.c.worker == sa.bindparam("name")).values(values)
        return CompiledUpdate(renewal, self._database.dialect)

    def _moment(self, now: datetime, after: timedelta = timedelta()) -> sa.ColumnElement[Any]:
        """Return the SQL expression for a time after the present one."""
        if self._database.is_sqlite:
            return sa.literal(now + after, UtcTime)
        return sa.func.clock_timestamp() + sa.literal(after, sa.Interval)


def _delete(connection: Connection, *conditions: sa.ColumnElement[bool]) -> Row[*tuple[Any, ...]] | None:
    """Delete a worker, and add its count of sent messages to its host; return what was in doubt, if it existed."""
    returned = workers.c.in_doubt, workers.c.host_id, workers.c.sent
    row = connection.execute(sa.delete(workers).where(*conditions).returning(*returned)).first()
    if row is not None and row.sent:
        this = sa.update(hosts).where(hosts.c.host == row.host_id)
        connection.execute(this.values(sent=hosts.c.sent + row.sent))
    return row


def _text(ids: Collection[int] | None) -> str | None:
    return None if ids is None else " ".join(map(str, sorted(ids)))


def _ids(text: str | None) -> Doubt:
    return None if text is None else frozenset(map(int, text.split()))


def _worker(row: Row[Any]) -> Worker:
    return Worker(row.worker, row.host, row.begun_at, row.seen_at, row.lease_until, row.sent)
