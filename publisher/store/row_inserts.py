"""Inserting many rows with one statement, without what SQLAlchemy does for each of them.

Given a mapping for each row, it converts every value again, however often it occurs. That took longer than SQLite
needs to write the row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect


def insert_rows(connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], *, new: bool) -> None:
    """Insert rows into a table in their order, inside the caller's transaction. All rows name the same columns.

    new: whether to skip rows whose keys already exist. Otherwise the database refuses them, and StoreError is raised.
    """
    if not rows:
        return
    names = list(rows[0])
    columns = [_bound([row[name] for row in rows], table.c[name], connection.dialect) for name in names]
    start, end = f"INSERT INTO {table.name} ({', '.join(names)})", " ON CONFLICT DO NOTHING" if new else ""
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"{start} VALUES ({places}){end}", list(zip(*columns, strict=True)))
    else:  # one row after the other would be a message to the server each
        arrays = ", ".join(f"%s::{_kind(table.c[name], connection.dialect)}[]" for name in names)
        connection.exec_driver_sql(f"{start} SELECT * FROM unnest({arrays}){end}", tuple(columns))  # noqa: S608


def _kind(column: sa.Column[Any], dialect: Dialect) -> str:
    """Return the type of an array's members. A cast to VARCHAR(n) would cut what is too long, and say nothing."""
    return "TEXT" if isinstance(column.type, sa.String) else column.type.compile(dialect)


def _bound(values: list[Any], column: sa.Column[Any], dialect: Dialect) -> list[Any]:
    """Return the values of a column as the driver takes them. Equal values are converted once."""
    convert: Callable[[Any], Any] | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return values
    known: dict[Any, Any] = {value: convert(value) for value in set(values)}
    return [known[value] for value in values]
