"""The subscriptions of subscribers, each with its status. The functions work inside the caller's transaction.

A subscription that has ended keeps its row. core/subscription_status.py says which status follows an event.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.subscriber_fields import decode_fields
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.core.subscription_status import (
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    is_wider,
    next_subscription_status,
)
from publisher.store.subscriber_records import decode_topics, encode_topics
from publisher.store.subscriber_tags import tags_of
from publisher.store.tables import subscribers, subscriptions

# Nearly everything reads these for one person at a time, and making the statement took as long as executing it.
_RECORDS = (
    sa.select(subscriptions)
    .where(subscriptions.c.subscriber_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(subscriptions.c.newsletter)
)


def subscribed() -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscription has not ended."""
    return subscriptions.c.status == SubscriptionStatus.SUBSCRIBED


def records_of(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, list[SubscriptionRecord]]:
    """Return all subscriptions of some subscribers, including ended ones, sorted by newsletter."""
    found: dict[int, list[SubscriptionRecord]] = {}
    for row in connection.execute(_RECORDS, {"ids": [*subscriber_ids]}):
        record = SubscriptionRecord(
            row.newsletter, decode_topics(row.topics), row.status, row.since, row.cause, row.source, row.frequency
        )
        found.setdefault(row.subscriber_id, []).append(record)
    return found


def with_subscriptions(connection: Connection, found: Sequence[Row[Any]]) -> list[Subscriber]:
    """Convert rows of the table `subscribers` to subscribers, after reading all their subscriptions with one query."""
    if not found:
        return []
    ids = [row.id for row in found]
    records, tags = records_of(connection, ids), tags_of(connection, ids)
    return [
        Subscriber(
            id=row.id,
            uid=row.uid,
            address=row.address,
            name=row.name,
            language=row.language,
            status=row.status,
            created_at=row.created_at,
            records=tuple(records.get(row.id, ())),
            paused_until=row.paused_until,
            confirmed_at=row.confirmed_at,
            bounces=row.bounces,
            tags=tags.get(row.id, ()),
            fields=decode_fields(row.fields),
            note=row.note,
        )
        for row in found
    ]


def row_of(subscriber_id: int, record: SubscriptionRecord) -> dict[str, Any]:
    """Return a subscription as a row of the table."""
    return {
        "subscriber_id": subscriber_id,
        "newsletter": record.newsletter,
        "topics": encode_topics(record.topics),
        "status": record.status,
        "since": record.since,
        "cause": record.cause,
        "source": record.source,
        "frequency": record.frequency,
    }


def save(connection: Connection, subscriber_id: int, record: SubscriptionRecord) -> None:
    """Insert a subscription, or replace it. The caller must have locked the subscriber.

    An existing subscription keeps its frequency: only store/catch_up.py changes that.
    """
    save_row(connection, row_of(subscriber_id, record))


def save_row(connection: Connection, row: Mapping[str, Any]) -> None:
    """Insert a row made by `row_of`, or replace an existing one; see `save`."""
    this = subscriptions.c.subscriber_id == row["subscriber_id"], subscriptions.c.newsletter == row["newsletter"]
    change = sa.update(subscriptions).where(*this)
    if connection.execute(change.values(without_frequency(row))).rowcount == 0:
        connection.execute(sa.insert(subscriptions), [dict(row)])


def without_frequency(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for replacing an existing one, without its frequency."""
    return {name: value for name, value in row.items() if name != "frequency"}


def end_all(connection: Connection, subscriber_id: int, event: SubscriptionEvent, at: datetime, source: str) -> None:
    """Give every subscription of a subscriber the status that an event leads to, where that is a change.

    If a file ended only a single subscription, the event replaces the cause of that end.
    """
    for before in SubscriptionStatus:
        after = next_subscription_status(before, event)
        if after is None:
            continue
        these = [subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.status == before]
        these += [subscriptions.c.cause == SubscriptionEvent.FILE_LEFT_ONE] if after is before else []
        change = sa.update(subscriptions).where(*these)
        connection.execute(change.values(status=after, cause=event, since=at, source=source))


def has_any(connection: Connection, subscriber_id: int) -> bool:
    """Return whether a subscriber is subscribed to any newsletter."""
    query = sa.select(subscriptions.c.newsletter).where(subscriptions.c.subscriber_id == subscriber_id, subscribed())
    return connection.execute(query.limit(1)).first() is not None


def unsubscribe_those_without_any(connection: Connection, newsletter: str) -> None:
    """Unsubscribe people who have a record for a newsletter but are no longer subscribed to any."""
    mine = subscriptions.c.subscriber_id == subscribers.c.id
    left = sa.exists().where(mine, subscriptions.c.newsletter == newsletter), ~sa.exists().where(mine, subscribed())
    for status in (SubscriberStatus.ACTIVE, SubscriberStatus.BOUNCED):
        change = sa.update(subscribers).where(subscribers.c.status == status, *left)
        connection.execute(change.values(status=next_status(status, SubscriberEvent.LEFT)))


def changed(
    records: Sequence[SubscriptionRecord],
    newsletter: str,
    event: SubscriptionEvent,
    *,
    since: datetime | None,
    source: str,
    topics: tuple[str, ...] | None = None,
) -> SubscriptionRecord | None:
    """Return a subscription as it will be after an event; None if the event is refused.

    If only the topics change, or nothing does, it keeps its date and cause. A subscription without a date, from a file,
    gets one as soon as the person or the owner makes the same choice. If a file ended only this subscription, any other
    event that ends it replaces the cause.

    records  the subscriber's records
    topics   the topics that were chosen; None leaves them unchanged
    """
    before = next((each for each in records if each.newsletter == newsletter), None)
    after = next_subscription_status(before.status if before else None, event)
    if after is None:
        return None
    kept = before.topics if before and topics is None else tuple(sorted(set(topics or ())))
    often = before.frequency if before else ""
    if before is not None and before.status is after:
        if is_wider(event, before):
            return SubscriptionRecord(newsletter, kept, after, since or before.since, event, source, often)
        if before.since is not None or since is None:
            return replace(before, topics=kept)
    return SubscriptionRecord(newsletter, kept, after, since, event, source, often)
