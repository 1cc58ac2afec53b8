"""Taking a person out of the record for good, down to the bytes of the file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store.database import BUSY_SECONDS, Database
from publisher.store.tables import bounces, consent_events, deliveries, editions, subscribers, subscriptions, tokens

# How long the emptying of the log waits for those who read, in seconds. They hold up no letter and no page.
READERS_SECONDS = 3


def erase_rows(connection: Connection, subscriber_id: int | None, key: str) -> int:
    """Delete every row of a person, and tokens of others that name the address; return how many there were."""
    gone = connection.execute(sa.delete(tokens).where(tokens.c.address_key == key)).rowcount
    if subscriber_id is None:
        return gone
    gone += connection.execute(sa.delete(deliveries).where(*_deliveries_of(subscriber_id))).rowcount
    for table in (tokens, bounces, consent_events, subscriptions):
        gone += connection.execute(sa.delete(table).where(table.c.subscriber_id == subscriber_id)).rowcount
    return gone + connection.execute(sa.delete(subscribers).where(subscribers.c.id == subscriber_id)).rowcount


def deliveries_of(connection: Connection, subscriber_id: int) -> Sequence[dict[str, Any]]:
    """Return what was sent to a person, as rows for an answer to their question."""
    query = (
        sa.select(editions.c.newsletter, editions.c.slot, editions.c.subject)
        .add_columns(deliveries.c.status, deliveries.c.attempts, deliveries.c.sent_at, deliveries.c.reason)
        .join_from(deliveries, editions)
        .where(*_deliveries_of(subscriber_id))
        .order_by(deliveries.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def scrub(database: Database) -> bool:
    """Overwrite what deleted rows left behind; return False where another process's reading is in the way.

    SQLite: the file is written anew without its free space, and the write-ahead log is emptied. PostgreSQL:
    the space of deleted rows is made free to be overwritten; its own log and backups are its keeper's.
    """
    with database.outside_transactions() as execute:
        if not database.is_sqlite:
            for table in (tokens, bounces, deliveries, consent_events, subscriptions, subscribers):
                execute(f"VACUUM {table.name}")
            return True
        execute("VACUUM")
        execute(f"PRAGMA busy_timeout = {READERS_SECONDS * 1000}")
        (busy, _, _) = execute("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        return not busy


def _deliveries_of(subscriber_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    # By edition first: the ledger has an index that begins with it, and none by person alone.
    return deliveries.c.edition_id.in_(sa.select(editions.c.id)), deliveries.c.subscriber_id == subscriber_id


# So many in one transaction: others write between two of them.
GROUP = 500


def unconfirmed(asked_before: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `subscribers` belongs to who was last asked before a moment, and is silent."""
    asked = sa.func.coalesce(subscribers.c.asked_at, subscribers.c.created_at, type_=subscribers.c.created_at.type)
    return sa.and_(subscribers.c.status == SubscriberStatus.PENDING, asked < asked_before)


def count_unconfirmed(connection: Connection, asked_before: datetime) -> int:
    """Return how many people that is."""
    query = sa.select(sa.func.count()).select_from(subscribers).where(unconfirmed(asked_before))
    return int(connection.execute(query).scalar_one())


def forget_unconfirmed(connection: Connection, asked_before: datetime) -> int:
    """Delete some of these people with all that hangs on them; return how many, 0 when none is left.

    Who is confirming in this moment is locked by that, and passed over.
    """
    query = (
        sa.select(subscribers.c.id, subscribers.c.address_key)
        .where(unconfirmed(asked_before))
        .order_by(subscribers.c.id)
        .limit(GROUP)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    for row in rows:
        erase_rows(connection, row.id, row.address_key)
    return len(rows)


def forget_tokens(connection: Connection, expired_before: datetime) -> int:
    """Delete the tokens that had expired before a moment; return how many there were."""
    return connection.execute(sa.delete(tokens).where(tokens.c.expires_at < expired_before)).rowcount
