"""Updates that are run many times a second, without SQLAlchemy's work for each of them.

A run writes a group of answers every few milliseconds. For each row, SQLAlchemy looks up every parameter, and converts
even those that are NULL; that took four times as long as SQLite needs to change the row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect


class CompiledUpdate:
    """An UPDATE for one database whose values are all parameters."""

    def __init__(self, statement: sa.Update, dialect: Dialect) -> None:
        """Compile a statement. dialect: the dialect of the only kind of database on which the statement may be run."""
        compiled: Any = statement.compile(dialect=dialect)
        self._text = str(compiled)
        self._in_order = itemgetter(*compiled.positiontup) if compiled.positional else None
        self._converters = [
            (name, convert)
            for name, parameter in compiled.binds.items()
            if (convert := parameter.type.dialect_impl(dialect).bind_processor(dialect))
        ]

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Run the statement for each row, inside the caller's transaction; return how many rows were changed.

        rows: the values of all parameters, by name; at least one row.
        """
        return connection.exec_driver_sql(self._text, [self._bound(row) for row in rows]).rowcount

    def _bound(self, row: Mapping[str, Any]) -> Any:
        """Return the values of a row as the driver takes them."""
        values = {**row}
        for name, convert in self._converters:
            if (value := row[name]) is not None:
                values[name] = convert(value)
        return self._in_order(values) if self._in_order else values


def is_among(connection: Connection, column: sa.ColumnElement[int], ids: Sequence[int]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a column is one of these ids, all passed as a single parameter."""
    if connection.dialect.name == "sqlite":
        return column.in_(sa.select(sa.func.json_each(json.dumps(ids)).table_valued("value").c.value))
    return column == sa.any_(sa.literal(ids, sa.ARRAY(sa.BigInteger)))
