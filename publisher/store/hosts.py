"""The hosts that have run the project, and which of them may send."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Row

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.database import Database
from publisher.store.fleet_tables import hosts

# The number of the PostgreSQL lock that allows only one host to be first. It is arbitrary, but never changes.
HOSTS_LOCK = 7_214_565

SIGN_EVERY = timedelta(seconds=20)
"""A host records a sign of life only if its last one is older than this."""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that has run the project.

    id            the identifier of the host, derived from the machine and the project's folder
    name          the name that is shown to people
    seen_at       when the host first ran the project
    confirmed_at  when the host was allowed to send; None if it may not send
    forgotten_at  when the host was forbidden to send; None if it was not, or if it was confirmed again
    active_at     when it last gave a sign of life, by the database's clock on PostgreSQL; None if there was none
    version       the version of its program at that time; "" if it is not known
    key_id        identifies the project's secret that it uses; "" if it is not known
    """

    id: str
    name: str
    seen_at: datetime
    confirmed_at: datetime | None = None
    forgotten_at: datetime | None = None
    active_at: datetime | None = None
    version: str = ""
    key_id: str = ""


class Hosts:
    """The table of hosts; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Host]:
        """Return all hosts, in the order in which they first ran the project."""
        with self._database.read() as connection:
            query = sa.select(hosts).order_by(hosts.c.seen_at, hosts.c.host)
            return [host_of(row) for row in connection.execute(query)]

    def find(self, host: str) -> Host | None:
        """Return a host; None if it has never run the project."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(hosts).where(hosts.c.host == host)).first()
        return None if row is None else host_of(row)

    def check_in(self, host: str, name: str, now: datetime, *, joins: bool = False, key_id: str = "") -> Host:
        """Return a host, recording it first if it is new. The very first host is confirmed immediately.

        joins   whether it is confirmed even if it is not the first, unless it was forbidden to send
        key_id  identifies its secret. A confirmed host keeps its old key_id if another confirmed host uses a secret
                other than the new one, so that a host with a wrong secret does not stop others from sending
        """
        require_aware("now", now)
        found = self.find(host)
        if found and found.key_id != key_id and not (found.confirmed_at and self.with_another_key(host, key_id)):
            with self._database.write() as connection:
                connection.execute(sa.update(hosts).where(hosts.c.host == host).values(key_id=key_id))
            found = replace(found, key_id=key_id)
        if found and (found.confirmed_at or not joins):
            return found
        with self._database.write() as connection:
            if not self._database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(HOSTS_LOCK)))
            is_first = connection.execute(sa.select(hosts.c.host).limit(1)).first() is None
            row = {"host": host, "name": name, "seen_at": now, "confirmed_at": now if is_first or joins else None}
            connection.execute(self._database.insert_new(hosts).values(row | {"key_id": key_id}))
            if joins:
                waiting = hosts.c.host == host, hosts.c.confirmed_at.is_(None), hosts.c.forgotten_at.is_(None)
                connection.execute(sa.update(hosts).where(*waiting).values(confirmed_at=now))
            return host_of(connection.execute(sa.select(hosts).where(hosts.c.host == host)).one())

    def with_another_key(self, host: str, key_id: str) -> Host | None:
        """Return another confirmed host that is known to use a different secret; None if there is none."""
        theirs = hosts.c.host != host, hosts.c.confirmed_at.is_not(None), hosts.c.key_id.not_in(["", key_id])
        query = sa.select(hosts).where(*theirs).order_by(hosts.c.seen_at, hosts.c.host).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first() if key_id else None
        return None if row is None else host_of(row)

    def note_active(self, host: str, version: str, now: datetime) -> None:
        """Record that a host is running this version of the program, unless that was recorded within SIGN_EVERY.

        now: the present time, with a time zone; used with SQLite only
        """
        require_aware("now", now)
        if self._database.is_sqlite:
            found = self.find(host)
            if found and found.version == version and _is_fresh(found.active_at, now):
                return  # SQLite has a single writer, so signs of life must be rare: each has to wait for it
            change = sa.update(hosts).where(hosts.c.host == host).values(active_at=now, version=version)
        else:
            clock = sa.func.clock_timestamp()
            is_old = hosts.c.active_at.is_(None) | (hosts.c.active_at < clock - sa.literal(SIGN_EVERY, sa.Interval))
            change = sa.update(hosts).where(hosts.c.host == host, is_old | (hosts.c.version != version))
            change = change.values(active_at=clock, version=version)
        with self._database.write() as connection:
            connection.execute(change)

    def claims(self, host: str) -> int:
        """Return how many times a host has taken messages to send; 0 if it has never run the project."""
        with self._database.read() as connection:
            return int(connection.execute(sa.select(hosts.c.claims).where(hosts.c.host == host)).scalar() or 0)

    def count_claim(self, host: str) -> int:
        """Record that a host takes messages to send; return how many times it has. An unknown host has 0."""
        with self._database.write() as connection:
            change = sa.update(hosts).where(hosts.c.host == host).values(claims=hosts.c.claims + 1)
            return int(connection.execute(change.returning(hosts.c.claims)).scalar() or 0)

    def confirm(self, host: str, now: datetime) -> bool:
        """Allow a host to send from now on; return whether this changed anything."""
        require_aware("now", now)
        waiting = hosts.c.host == host, hosts.c.confirmed_at.is_(None)
        change = sa.update(hosts).where(*waiting).values(confirmed_at=now, forgotten_at=None)
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1

    def forget(self, host: str, now: datetime) -> bool:
        """Forbid a host to send until it is confirmed again; return whether it exists.

        It stays in the table, so that it does not rejoin automatically, and so that the next host to run the project
        does not count as the first one, which is confirmed immediately.
        """
        require_aware("now", now)
        change = sa.update(hosts).where(hosts.c.host == host).values(confirmed_at=None, forgotten_at=now)
        with self._database.write() as connection:
            return connection.execute(change).rowcount == 1


def host_of(row: Row[Any]) -> Host:
    """Return the host of a row."""
    moments = row.seen_at, row.confirmed_at, row.forgotten_at, row.active_at
    return Host(row.host, row.name, *moments, row.version, row.key_id)


def _is_fresh(active_at: datetime | None, now: datetime) -> bool:
    return active_at is not None and timedelta() <= now - active_at < SIGN_EVERY
