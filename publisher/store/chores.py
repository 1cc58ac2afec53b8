"""Chores: recurring tasks that only one process does in each interval; and three chores on the database itself."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from publisher.core.errors import StoreError
from publisher.core.models import require_aware
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.database import Database
from publisher.store.edition_filling import is_complete
from publisher.store.editions import SENT_AT_ONCE
from publisher.store.ledger_partitions import clear_partition, drop_partitions, is_occupied
from publisher.store.tables import chores, deliveries, delivery_totals, editions

# A file is not rewritten to free less than this many bytes.
LEAST_FREED = 1_000_000


class Chores:
    """The table of chores; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, name: str, now: datetime, every: timedelta) -> bool:
        """Claim a chore; return True if it is due and the caller should do it.

        After that no process can claim the chore until the interval `every` has passed. A chore that seems to have
        started in the future, because a clock was wrong, is due.
        """
        require_aware("now", now)
        known = sa.select(chores.c.begun_at).where(chores.c.name == name)
        with self._database.read() as connection:
            begun_at = connection.execute(known).scalar()
        if begun_at is not None and now - every < begun_at <= now:
            return False
        with self._database.write() as connection:
            if begun_at is None:
                new = self._database.insert_new(chores).values(name=name, begun_at=now)
                return connection.execute(new).rowcount == 1
            same = chores.c.name == name, chores.c.begun_at == begun_at
            return connection.execute(sa.update(chores).where(*same).values(begun_at=now)).rowcount == 1

    def roll_up(self, before: datetime, unsettled: Collection[DeliveryStatus]) -> int:
        """Replace the deliveries of editions made before a moment with totals; return the number of these editions.

        An edition is skipped if it is on hold, or if any of its deliveries is waiting, is being sent or has an
        unsettled status. Emails to new subscribers keep their deliveries, which record who got them. Each edition is
        one transaction, and is left for the next time if another process is reading its partition (PostgreSQL). This
        cannot make anyone get an edition twice, because no delivery is added to an edition with totals.

        unsettled: the statuses in which a person has to decide.
        """
        require_aware("before", before)
        of_edition = sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id)
        is_open = deliveries.c.next_try_at.is_not(None) | deliveries.c.lease_owner.is_not(None)
        stays = of_edition.where(is_open | deliveries.c.status.in_(unsettled)).exists()
        old = sa.select(editions.c.id).where(
            editions.c.made_at < before,
            editions.c.held == "",
            is_complete(),
            editions.c.kind.in_(SENT_AT_ONCE),
            of_edition.exists(),
            sa.not_(stays),
        )
        with self._database.read() as connection:
            ids = list(connection.execute(old.order_by(editions.c.id)).scalars())
        done = sum(self._roll_up(old.where(editions.c.id == edition_id), edition_id) for edition_id in ids)
        drop_partitions(self._database)
        return done

    def _roll_up(self, still_old: sa.Select[tuple[int]], edition_id: int) -> bool:
        try:
            return self._replace_by_totals(still_old, edition_id)
        except StoreError as error:
            if not is_occupied(error):
                raise
            return False

    def _replace_by_totals(self, still_old: sa.Select[tuple[int]], edition_id: int) -> bool:
        rows = deliveries.c.edition_id == edition_id
        group = deliveries.c.edition_id, deliveries.c.variant, deliveries.c.status
        totals = sa.select(*group, sa.func.count()).where(rows).group_by(*group)
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # another host may be rolling up the same edition
                connection.execute(sa.select(editions.c.id).where(editions.c.id == edition_id).with_for_update())
            if connection.execute(still_old).first() is None:
                return False  # meanwhile a message was retried, or a recipient was added
            names = ["edition_id", "variant", "status", "total"]
            connection.execute(sa.insert(delivery_totals).from_select(names, totals))
            if not clear_partition(connection, edition_id):
                connection.execute(sa.delete(deliveries).where(rows))
        return True

    def optimise(self) -> None:
        """Let the database collect statistics about its tables, so that it plans queries well."""
        with self._database.outside_transactions() as run, _another_day():
            run("PRAGMA optimize" if self._database.is_sqlite else "ANALYZE")

    def compact(self, now: datetime) -> int:
        """Shrink SQLite's file if a third of it is free; return how many bytes were freed.

        Nothing happens while deliveries are being sent or are due, because shrinking blocks all writers, or if the disk
        has no room for the copies that SQLite makes. PostgreSQL reuses free space by itself.
        """
        require_aware("now", now)
        file, freed = self._database.file, 0
        if file is not None and not self._is_sending(now):
            with self._database.outside_transactions() as run, _another_day():
                freed = _compacted(run, shutil.disk_usage(file.parent).free)
        return freed

    def _is_sending(self, now: datetime) -> bool:
        under_way = deliveries.c.lease_owner.is_not(None) | (deliveries.c.next_try_at <= now)
        with self._database.read() as connection:
            return connection.execute(sa.select(deliveries.c.id).where(under_way).limit(1)).first() is not None


def _compacted(run: Callable[[str], list[Any]], room: int) -> int:
    free, pages, size = (int(run(f"PRAGMA {name}")[0][0]) for name in ("freelist_count", "page_count", "page_size"))
    if free * size < LEAST_FREED or 3 * free < pages or room < 2 * (pages - free) * size:
        return 0
    run("VACUUM")
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    return (pages - int(run("PRAGMA page_count")[0][0])) * size


@contextmanager
def _another_day() -> Iterator[None]:
    """Leave the chore for another day if another process is writing."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
