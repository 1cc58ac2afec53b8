"""Inserting and finding many rows with one statement, without SQLAlchemy's and the driver's work for each value.

Given a mapping for each row, SQLAlchemy converts every value again, however often it occurs, and gives each value of a
search its own name. That took longer than the database needs for the row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from itertools import chain, count
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

# Rows that one statement of SQLite inserts into a table with few columns: a quarter less work than one by one.
_AT_ONCE = 250


def insert_rows(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], *, new: bool
) -> None:
    """Insert rows into a table in the given order, inside the caller's transaction.

    names  the columns whose values each row contains, in this order
    rows   converted by a RowBinder
    new    whether to skip rows whose keys already exist. Otherwise the database refuses them, and StoreError is raised
    """
    end, many = " ON CONFLICT DO NOTHING" if new else "", 0
    if connection.dialect.name == "sqlite":
        many = len(rows) - len(rows) % _AT_ONCE
        places = ", ".join([f"({', '.join('?' * len(names))})"] * _AT_ONCE)
        for start in range(0, many, _AT_ONCE):
            values = tuple(chain.from_iterable(rows[start : start + _AT_ONCE]))
            connection.exec_driver_sql(f"{_into(table, names)} VALUES {places}{end}", values)
    if rest := rows[many:]:
        _insert(connection, table, names, rest, end)


def insert_numbered(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], *, key: int
) -> dict[Any, int]:
    """Insert the rows whose keys do not exist yet; return the numbers that they got in the column `id`.

    rows  converted by a RowBinder
    key   the place in a row of a value that identifies it. The result maps this value to the number of each row that
          was inserted
    """
    if not rows:
        return {}
    column = names[key]
    if connection.dialect.name != "sqlite":
        end = f" ON CONFLICT DO NOTHING RETURNING {column}, id"
        return {row[0]: row[1] for row in _insert(connection, table, names, rows, end)}
    newest = f"SELECT coalesce(max(id), 0) FROM {table.name}"  # noqa: S608
    before = int(connection.exec_driver_sql(newest).scalar_one())
    _insert(connection, table, names, rows, " ON CONFLICT DO NOTHING")
    if connection.exec_driver_sql(newest).scalar_one() == before + len(rows):  # then none was skipped
        return dict(zip((row[key] for row in rows), count(before + 1), strict=False))
    found = f"SELECT {column}, id FROM {table.name} WHERE id > ?"  # noqa: S608
    return {row[0]: row[1] for row in connection.exec_driver_sql(found, (before,))}


def _insert(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], end: str
) -> sa.CursorResult[str, int]:
    start = _into(table, names)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        return connection.exec_driver_sql(f"{start} VALUES ({places}){end}", list(rows))
    kinds = [_kind(table.c[name], connection.dialect) for name in names]
    select, parameters = _from_arrays(names, kinds, list(zip(*rows, strict=True)))
    return connection.exec_driver_sql(f"{start} {select}{end}", parameters)


def _into(table: sa.Table, names: Sequence[str]) -> str:
    return f"INSERT INTO {table.name} ({', '.join(names)})"


class RowBinder:
    """Converts the values of rows to what the driver expects. Equal values of a column are converted once."""

    def __init__(self, table: sa.Table, names: Sequence[str], dialect: Dialect) -> None:
        found = [(place, _converter(table.c[name], dialect)) for place, name in enumerate(names)]
        self._columns = [(place, convert, dict[Any, Any]()) for place, convert in found if convert is not None]

    def __call__(self, row: Sequence[Any]) -> tuple[Any, ...]:
        """Return a row for `insert_rows`."""
        bound = list(row)
        for place, convert, known in self._columns:
            value = bound[place]
            try:
                bound[place] = known[value]
            except KeyError:
                bound[place] = known[value] = convert(value)
        return tuple(bound)


def is_one_of(column: sa.ColumnElement[Any], values: Collection[Any], dialect: Dialect) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a column has one of many texts or numbers, all passed as a single parameter."""
    if dialect.name == "sqlite":
        each = sa.func.json_each(json.dumps(list(values))).table_valued("value")
        return column.in_(sa.select(each.c.value))
    kind = sa.Text() if isinstance(column.type, sa.String) else column.type
    # Untyped: as text, it would be parsed as an array again for each row.
    array = sa.literal(_array(values), sa.types.NullType())
    return column == sa.any_(sa.cast(array, sa.ARRAY(kind)))


def _from_arrays(
    names: Sequence[str], kinds: Sequence[str], values: Sequence[Sequence[Any]]
) -> tuple[str, tuple[Any, ...]]:
    """Return a query for rows on PostgreSQL, and its parameters: an array for each column.

    Sent one after the other, each row would need a message to the server. A value that all rows share is sent once.
    """
    shown, alike, lists = list[str](), list[Any](), list[str]()
    arrays: list[tuple[str, str]] = []
    for name, kind, column in zip(names, kinds, values, strict=True):
        if arrays and len(set(column)) == 1:
            shown.append(f"%s::{kind}")
            alike.append(column[0])
        else:
            shown.append(name)
            arrays.append((name, kind))
            lists.append(_array(column))
    given, called = ", ".join(f"%s::{kind}[]" for _, kind in arrays), ", ".join(name for name, _ in arrays)
    return f"SELECT {', '.join(shown)} FROM unnest({given}) AS given ({called})", (*alike, *lists)  # noqa: S608


def _array(values: Collection[Any]) -> str:
    """Return values as a PostgreSQL array literal. The driver would take five times as long."""
    return f"{{{','.join(map(_member, values))}}}"


def _member(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _kind(column: sa.Column[Any], dialect: Dialect) -> str:
    """Return the type of a column's values. A cast to VARCHAR(n) would silently cut off what is too long."""
    return "TEXT" if isinstance(column.type, sa.String) else column.type.compile(dialect)


def _converter(column: sa.Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """Return a function that converts the values of a column for the driver; None if they need no conversion."""
    return column.type.dialect_impl(dialect).bind_processor(dialect)
