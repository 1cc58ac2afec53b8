"""What is deleted because its time is over: people who never confirmed, and tokens that open nothing any more."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus
from publisher.store.erasure import erase_rows
from publisher.store.tables import subscribers, tokens

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
