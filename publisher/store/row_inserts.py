"""Inserting and finding many rows with one statement, without SQLAlchemy's and the driver's work for each value.

Given a mapping for each row, SQLAlchemy converts every value again, however often it occurs, and gives each value of a
search its own name. That took longer than the database needs for the row.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect


def insert_rows(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], *, new: bool
) -> None:
    """Insert rows into a table in the given order, inside the caller's transaction.

    names  the columns whose values each row contains, in this order
    new    whether to skip rows whose keys already exist. Otherwise the database refuses them, and StoreError is raised
    """
    if not rows:
        return
    dialect, columns = connection.dialect, [table.c[name] for name in names]
    values = [_bound(each, column, dialect) for each, column in zip(zip(*rows, strict=True), columns, strict=True)]
    start, end = f"INSERT INTO {table.name} ({', '.join(names)})", " ON CONFLICT DO NOTHING" if new else ""
    if dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"{start} VALUES ({places}){end}", list(zip(*values, strict=True)))
    else:
        select, parameters = _from_arrays(names, [_kind(column, dialect) for column in columns], values)
        connection.exec_driver_sql(f"{start} {select}{end}", parameters)


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
    """Return values as a PostgreSQL array literal. The driver needs five times as long for the same."""
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


def _bound(values: Sequence[Any], column: sa.Column[Any], dialect: Dialect) -> Sequence[Any]:
    """Return the values of a column as the driver expects them. Equal values are converted once."""
    convert: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    known: dict[Any, Any] = {value: convert(value) for value in set(values)}
    return [known[value] for value in values]
