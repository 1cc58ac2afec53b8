"""Deleting subscribers and their tokens permanently, so that none of their bytes remain in the database file."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store.database import BUSY_SECONDS, Database
from publisher.store.edition_filling import decided_subscribers
from publisher.store.tables import (
    actions,
    bounces,
    consent_events,
    deliveries,
    editions,
    import_changes,
    sign_ups,
    subscriber_tags,
    subscribers,
    subscriptions,
    tokens,
)

# The tables in which an erasure deletes or clears rows.
_EMPTIED = (
    *(actions, tokens, sign_ups, bounces, deliveries),
    *(consent_events, subscriptions, import_changes, subscriber_tags, subscribers, decided_subscribers),
)

# How long to wait for readers before emptying the write-ahead log, in seconds. Emails and pages do not wait for that.
READERS_SECONDS = 3

# How many subscribers one transaction deletes, so that others can write between two of them.
GROUP = 500


def erase_rows(connection: Connection, subscriber_id: int | None, key: str) -> int:
    """Delete every row of a subscriber, and all tokens for the address; return how many rows were deleted.

    subscriber_id: None if the address has no subscriber; only the tokens are then deleted.
    key: the address key.
    """
    if subscriber_id is not None:
        return erase_many(connection, {subscriber_id: key})
    return connection.execute(sa.delete(tokens).where(tokens.c.address_key == key)).rowcount


def erase_many(connection: Connection, keys: Mapping[int, str]) -> int:
    """Delete every row of some subscribers, and all tokens for their addresses; return how many rows were deleted.

    keys: the row number of each subscriber -> the address key
    """
    if not keys:
        return 0
    ids = list(keys)
    gone = connection.execute(sa.delete(tokens).where(tokens.c.address_key.in_(keys.values()))).rowcount
    gone += connection.execute(sa.delete(deliveries).where(*_deliveries_of(ids))).rowcount
    # The owner's actions stay in the log of actions, which no longer says whom they concerned.
    own = actions.c.subscriber_id.in_(ids)
    connection.execute(sa.update(actions).where(own).values(subscriber_id=None, detail=""))
    for table in (tokens, bounces, consent_events, subscriptions, import_changes, subscriber_tags, decided_subscribers):
        gone += connection.execute(sa.delete(table).where(table.c.subscriber_id.in_(ids))).rowcount
    return gone + connection.execute(sa.delete(subscribers).where(subscribers.c.id.in_(ids))).rowcount


def deliveries_of(connection: Connection, subscriber_id: int) -> Sequence[dict[str, Any]]:
    """Return a subscriber's deliveries, oldest first, as rows for the export of their data."""
    query = (
        sa.select(editions.c.newsletter, editions.c.slot, editions.c.subject, editions.c.id.label("edition_id"))
        .add_columns(deliveries.c.status, deliveries.c.attempts, deliveries.c.sent_at, deliveries.c.reason)
        .join_from(deliveries, editions)
        .where(*_deliveries_of([subscriber_id]))
        .order_by(deliveries.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def _deliveries_of(ids: Sequence[int]) -> tuple[sa.ColumnElement[bool], ...]:
    # By edition first: the ledger has an index that begins with the edition, and none by subscriber alone.
    return deliveries.c.edition_id.in_(sa.select(editions.c.id)), deliveries.c.subscriber_id.in_(ids)


def scrub(database: Database) -> bool:
    """Remove the remains of deleted rows from the database files; return False if that is not possible now.

    SQLite: the file is rewritten without its free space, and the write-ahead log is emptied. That is not possible while
    another process is reading or writing it, or without room for a copy on the disk.
    PostgreSQL: the space of deleted rows is released to be overwritten. The server's own log and backups are the
    responsibility of its administrator.
    """
    with database.outside_transactions() as execute:
        if not database.is_sqlite:
            for table in _EMPTIED:
                execute(f"VACUUM {table.name}")
            return True
        try:
            execute("VACUUM")
            execute(f"PRAGMA busy_timeout = {READERS_SECONDS * 1000}")
            (busy, _, _) = execute("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL):
                raise
            return False
        finally:
            execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        return not busy


def count_unconfirmed(connection: Connection, asked_before: datetime) -> int:
    """Return how many subscribers were last asked to confirm before a moment and have not done so."""
    query = sa.select(sa.func.count()).select_from(subscribers).where(_unconfirmed(asked_before))
    return int(connection.execute(query).scalar_one())


def delete_unconfirmed(connection: Connection, asked_before: datetime) -> int:
    """Delete up to GROUP unconfirmed subscribers with all their rows; return how many were deleted.

    Only subscribers who were last asked before a moment are deleted. A subscriber who is just confirming is skipped,
    because their row is locked. The result is 0 when there are none left to delete.
    """
    query = (
        sa.select(subscribers.c.id, subscribers.c.address_key)
        .where(_unconfirmed(asked_before))
        .order_by(subscribers.c.id)
        .limit(GROUP)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    erase_many(connection, {row.id: row.address_key for row in rows})
    return len(rows)


def delete_tokens(connection: Connection, expired_before: datetime) -> int:
    """Delete the tokens that expired before a moment; return how many were deleted."""
    return connection.execute(sa.delete(tokens).where(tokens.c.expires_at < expired_before)).rowcount


def _unconfirmed(asked_before: datetime) -> sa.ColumnElement[bool]:
    asked = sa.func.coalesce(subscribers.c.asked_at, subscribers.c.created_at, type_=subscribers.c.created_at.type)
    return sa.and_(subscribers.c.status == SubscriberStatus.PENDING, asked < asked_before)
