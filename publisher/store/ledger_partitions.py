"""The partitions of the ledger on PostgreSQL: a large edition has its own, and all other editions share one.

So the rows of an old edition are dropped in one step rather than deleted one by one. SQLite has no partitions, and
there these functions do nothing.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import StoreError
from publisher.store.database import Database
from publisher.store.tables import delivery_totals, editions

OTHERS = "deliveries_others"  # the partition that small editions share
_NAME = "deliveries_"  # followed by the id of the edition

# Each row is changed two or three times soon after it was written. Every change affects the indexes, so room in the
# pages (fillfactor) would not help; an early vacuum does, whatever the size of the table.
STORAGE = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"

# A partition is made only if others need not wait for long; otherwise the edition uses the shared partition.
_MAKING = "3s"
# Shorter than deadlock_timeout, so that PostgreSQL ends this transaction rather than another one.
_DROPPING = "500ms"
_LOCK_NOT_AVAILABLE = "55P03"


def make_partition(database: Database) -> int | None:
    """Make a partition for the next edition, and return the id that the edition must get; None if there is none."""
    if database.is_sqlite:
        return None
    try:
        with database.write() as connection:
            database.guard(connection, alone=True)
            _wait_at_most(connection, _MAKING)
            # In the order in which others lock them. Attaching would lock them after the partitions.
            connection.execute(sa.text("LOCK TABLE editions, subscribers IN SHARE ROW EXCLUSIVE MODE"))
            number = sa.func.nextval(sa.func.pg_get_serial_sequence("editions", "id"))
            edition_id = int(connection.execute(sa.select(number)).scalar_one())
            if edition_id not in _partitions(connection):
                _attach(connection, edition_id)
            return edition_id
    except StoreError as error:
        if is_occupied(error):
            return None
        raise


def _attach(connection: Connection, edition_id: int) -> None:
    name = f"{_NAME}{edition_id}"
    like = "LIKE deliveries INCLUDING DEFAULTS INCLUDING CONSTRAINTS"
    connection.execute(sa.text(f"CREATE TABLE {name} ({like}) WITH ({STORAGE})"))
    attach = f"ALTER TABLE deliveries ATTACH PARTITION {name} FOR VALUES IN ({edition_id})"
    connection.execute(sa.text(attach))


def clear_partition(connection: Connection, edition_id: int) -> bool:
    """Empty an edition's own partition, inside the caller's transaction; return False if it has none.

    Raises StoreError (see `is_occupied`) if the partition is being read, for example by a backup, because other
    transactions would have to wait too.
    """
    if connection.dialect.name == "sqlite" or edition_id not in _partitions(connection):
        return False
    _wait_at_most(connection, _DROPPING)
    connection.execute(sa.text(f"TRUNCATE {_NAME}{edition_id}"))
    return True


def analyse_partition(connection: Connection, edition_id: int) -> None:
    """Let PostgreSQL collect statistics about the partition of an edition, inside the caller's transaction.

    Until then it guesses that the edition has few rows, and sorts all of them for each claim.
    """
    if connection.dialect.name != "sqlite":
        name = f"{_NAME}{edition_id}" if edition_id in _partitions(connection) else OTHERS
        connection.execute(sa.text(f"ANALYZE {name}"))


def drop_partitions(database: Database) -> int:
    """Drop the partitions of editions that were replaced by totals, or never made; return how many.

    A partition that is in use is left for the next time.
    """
    if database.is_sqlite:
        return 0
    with database.read() as connection:
        unused = _unused(connection, _partitions(connection))
    return sum(_drop(database, number) for number in sorted(unused))


def _unused(connection: Connection, names: Collection[int]) -> set[int]:
    """Return which of these editions were replaced by totals, or were never made although a later one was."""
    rolled_up = sa.select(delivery_totals.c.edition_id).where(delivery_totals.c.edition_id.in_(names))
    gone = set(connection.execute(rolled_up.distinct()).scalars())
    newest = connection.execute(sa.select(sa.func.max(editions.c.id))).scalar() or 0
    made = set(connection.execute(sa.select(editions.c.id).where(editions.c.id.in_(names))).scalars())
    return gone | {number for number in names if number < newest and number not in made}


def _drop(database: Database, edition_id: int) -> bool:
    try:
        with database.write() as connection:
            _wait_at_most(connection, _DROPPING)
            database.guard(connection, alone=True)  # an edition with a partition is made while its maker has this lock
            if not _unused(connection, [edition_id]):
                return False
            connection.execute(sa.text(f"DROP TABLE IF EXISTS {_NAME}{edition_id}"))
    except StoreError as error:
        if is_occupied(error):
            return False
        raise
    return True


def _partitions(connection: Connection) -> set[int]:
    """Return the ids of the editions that have their own partition."""
    query = sa.text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = CAST('deliveries' AS regclass)"
    )
    names = connection.execute(query).scalars()
    numbers = [name.removeprefix(_NAME) for name in names]
    return {int(number) for number in numbers if number.isdecimal()}


def _wait_at_most(connection: Connection, time: str) -> None:
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{time}'"))


def is_occupied(error: StoreError) -> bool:
    """Return whether a transaction failed because it would have had to wait too long for others."""
    cause = error.__cause__
    return isinstance(cause, sa.exc.DBAPIError) and getattr(cause.orig, "sqlstate", "") == _LOCK_NOT_AVAILABLE
