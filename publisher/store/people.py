"""Rows of people, and who of them may be mailed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Subscriber, SubscriberStatus, Subscription
from publisher.store.tables import subscribers, subscriptions
from publisher.store.topics import decode_topics


def mailable(at: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that a row of `subscribers` may be mailed at a moment: active, and not paused."""
    paused = subscribers.c.paused_until
    return sa.and_(subscribers.c.status == SubscriberStatus.ACTIVE, sa.or_(paused.is_(None), paused <= at))


def with_subscriptions(connection: Connection, rows: Sequence[Row[Any]]) -> list[Subscriber]:
    """Return rows of `subscribers` as people, their subscriptions read with one query for all."""
    if not rows:
        return []
    query = sa.select(subscriptions).where(subscriptions.c.subscriber_id.in_([row.id for row in rows]))
    wishes: dict[int, list[Subscription]] = {}
    for row in connection.execute(query.order_by(subscriptions.c.newsletter)):
        wish = Subscription(row.newsletter, decode_topics(row.topics))
        wishes.setdefault(row.subscriber_id, []).append(wish)
    return [
        Subscriber(
            id=row.id,
            uid=row.uid,
            address=row.address,
            name=row.name,
            language=row.language,
            status=row.status,
            created_at=row.created_at,
            subscriptions=tuple(wishes.get(row.id, ())),
            paused_until=row.paused_until,
            confirmed_at=row.confirmed_at,
            bounces=row.bounces,
        )
        for row in rows
    ]
