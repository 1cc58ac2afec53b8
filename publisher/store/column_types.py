"""Column types that work in the same way on SQLite and PostgreSQL: times, words, and row numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Enum, ForeignKey, Integer, TypeDecorator
from sqlalchemy.engine import Dialect

from publisher.core.models import require_aware


class UtcTime(TypeDecorator[datetime]):
    """A column type for timezone-aware times. They are stored in UTC, because SQLite cannot store a time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a time as the database stores it: in UTC. Raises ValueError for one without a time zone."""
        require_aware("a stored time", value)
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return a stored time, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def words(kind: type[StrEnum]) -> Enum:
    """Return a column type that stores a StrEnum as text, because a native enum cannot be extended in a transaction."""
    return Enum(kind, native_enum=False, length=20, values_callable=lambda members: [m.value for m in members])


# SQLite numbers rows automatically only in a column that is declared INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")


def key(name: str = "id", *parts: Any) -> Column[int]:
    """Return a primary key column, which contains the row number."""
    return Column(name, Key, *parts, primary_key=True)


def belongs(name: str, target: str, **options: Any) -> Column[int]:
    """Return a foreign key column, which contains the number of a row in another table.

    target: the column that it refers to, such as "subscribers.id".
    """
    return Column(name, Key, ForeignKey(target), **{"nullable": False, **options})
