"""Copying one database to another, for example from SQLite to PostgreSQL or back.

The source is read as it was when the copy began, so it may be in use. A copy that was interrupted continues where it
stopped, and a repeated copy transfers only what has changed since then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import StoreError
from publisher.core.frozen import dataclass
from publisher.store import edition_filling, feed_tables, fleet_tables
from publisher.store.database import BUSY_SECONDS, Database
from publisher.store.tables import deliveries, metadata

# How many rows are compared and written in one transaction. PostgreSQL accepts 65,535 parameters in a statement.
CHUNK = 2_000

_Row = dict[str, Any]
_Key = tuple[Any, ...]
Copied = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """The result of copying one table.

    rows     how many rows both databases have now
    written  how many of them were new or different
    removed  how many rows the source no longer had
    """

    name: str
    rows: int
    written: int
    removed: int


def row_counts(database: Database) -> dict[str, int]:
    """Return how many rows each table has."""
    with database.read() as connection:
        return {table.name: _count(connection, table) for table in _tables()}


def copy_all(source: Database, target: Database, copied: Copied = lambda table, rows: None) -> list[CopiedTable]:
    """Make the target equal to the source, and return what was done with each table.

    copied  called with the name of a table and the number of further rows that are now equal
    Both must have the current schema. Raises StoreError if one of them cannot be used, or if another process writes to
    the target meanwhile.
    """
    with source.snapshot() as reading:
        written = {table.name: _copy(reading, target, table, copied) for table in _tables()}
        removed = {table.name: _remove_extra(reading, target, table) for table in reversed(_tables())}
        before = {table.name: _count(reading, table) for table in _tables()}
    _set_sequences(target)
    after = row_counts(target)
    if different := [name for name in before if before[name] != after[name]]:
        names = ", ".join(different)
        raise StoreError(f"was changed while it was written ({names})", where=target.where, hint="run it again")
    return [CopiedTable(name, rows, written[name], removed[name]) for name, rows in after.items()]


def _tables() -> Sequence[sa.Table]:
    """Return the tables to copy. A table comes before those that refer to it."""
    added = feed_tables.sources, edition_filling.unfilled_editions
    assert None not in added  # noqa: S101 - importing these modules has added their tables to the metadata
    of_a_moment = (fleet_tables.workers, fleet_tables.sending_rates, fleet_tables.daily_recipients)
    return [table for table in metadata.sorted_tables if table not in of_a_moment]


def _count(connection: Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _key(table: sa.Table) -> list[sa.Column[Any]]:
    return list(table.primary_key.columns)


def _copy(source: Connection, target: Database, table: sa.Table, copied: Copied) -> int:
    """Write the rows that are missing or different in the target; return how many were written."""
    key, written = _key(table), 0
    with target.read() as connection:
        is_empty = _count(connection, table) == 0
    for rows in _chunks(source, table, table.columns):
        keys = [tuple(row[column.name] for column in key) for row in rows]
        with target.write() as connection:
            known = {} if is_empty else _rows_of(connection, table, table.columns, keys)
            new = [row for at, row in zip(keys, rows, strict=True) if known.get(at) != row]
            if new:
                connection.execute(_upsert(target, table), new)
        written += len(new)
        copied(table.name, len(rows))
    return written


def _remove_extra(source: Connection, target: Database, table: sa.Table) -> int:
    """Delete the target's rows that the source does not have; return how many were deleted."""
    key, extra = _key(table), list[_Key]()
    with target.snapshot() as reading:
        for rows in _chunks(reading, table, key):
            keys = [tuple(row.values()) for row in rows]
            there = _rows_of(source, table, key, keys)
            extra += [at for at in keys if at not in there]
    if extra:
        this = sa.and_(*(column == sa.bindparam(f"key_{column.name}") for column in key))
        gone = [{f"key_{column.name}": part for column, part in zip(key, at, strict=True)} for at in extra]
        with target.write() as connection:
            connection.execute(sa.delete(table).where(this), gone)
    return len(extra)


def _chunks(connection: Connection, table: sa.Table, columns: Iterable[sa.Column[Any]]) -> Iterator[list[_Row]]:
    """Yield the rows of a table, CHUNK at a time, in the order in which this database sorts its keys."""
    key, last = _key(table), None
    while True:
        query = sa.select(*columns).order_by(*key).limit(CHUNK)
        if last is not None:
            query = query.where(sa.tuple_(*key) > sa.tuple_(*map(_literal, key, last)))
        rows = [dict(row) for row in connection.execute(query).mappings()]
        if rows:
            yield rows
        if len(rows) < CHUNK:
            return
        last = tuple(rows[-1][column.name] for column in key)


def _literal(column: sa.Column[Any], value: Any) -> sa.ColumnElement[Any]:
    return sa.literal(value, column.type)


def _rows_of(
    connection: Connection, table: sa.Table, columns: Iterable[sa.Column[Any]], keys: Sequence[_Key]
) -> Mapping[_Key, _Row]:
    """Return the rows that have these keys. The two databases may sort text differently, so ranges would not work."""
    key = _key(table)
    these = key[0].in_([at[0] for at in keys]) if len(key) == 1 else sa.tuple_(*key).in_(keys)
    rows = connection.execute(sa.select(*columns).where(these)).mappings()
    return {tuple(row[column.name] for column in key): dict(row) for row in rows}


def _upsert(target: Database, table: sa.Table) -> sa.Insert:
    insert = target.insert(table)
    names = [column.name for column in _key(table)]
    if table is deliveries and not target.is_sqlite:
        names.append("edition_id")  # the key of a partitioned table contains the column that it is partitioned by
    others = {column.name: insert.excluded[column.name] for column in table.columns if column.name not in names}
    return (
        insert.on_conflict_do_update(index_elements=names, set_=others) if others else insert.on_conflict_do_nothing()
    )


def _set_sequences(target: Database) -> None:
    """Make PostgreSQL number new rows after those that were copied; SQLite does so by itself."""
    if target.is_sqlite:
        return
    with target.write() as connection:
        for table in _tables():
            for column in _key(table):
                sequence = None
                with suppress(sa.exc.NoResultFound):
                    named = sa.func.pg_get_serial_sequence(table.name, column.name)
                    sequence = connection.execute(sa.select(named)).scalar_one()
                if sequence:
                    highest = sa.select(sa.func.max(column)).scalar_subquery()
                    value = sa.func.setval(sequence, sa.func.coalesce(highest, 1), highest.is_not(None))
                    connection.execute(sa.select(value))


def copy_file(source: Path, target: Path) -> None:
    """Copy SQLite's file as it is at one moment, even while it is in use. Only its owner can read the copy.

    Raises StoreError if one of them cannot be used.
    """
    try:
        with closing(sqlite3.connect(source, timeout=BUSY_SECONDS)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreError(f"cannot be copied: {error}", where=str(source), hint="is there room for a copy?") from error
    target.chmod(0o600)


def into_one_file(path: Path) -> None:
    """Write the contents of SQLite's -wal file into the database file. Nothing else may be using it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def is_whole(path: Path) -> bool:
    """Return whether a file is an undamaged SQLite database."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
    except sqlite3.Error:
        return False
