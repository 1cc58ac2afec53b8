"""Rows of people, and who of them may be mailed."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Subscriber, Subscription
from publisher.store.tables import subscriptions


def encode_topics(topics: Iterable[str]) -> str:
    """Return the choice as a JSON array, sorted and without repeats; no topics (all of them) is []."""
    return json.dumps(sorted(set(topics)), ensure_ascii=False, separators=(",", ":"))


def decode_topics(text: str) -> tuple[str, ...]:
    """Return the topics of an encoded choice."""
    return tuple(json.loads(text))


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


def address_key(address: str) -> str:
    """Return a text that is equal for every spelling of an address: case, Unicode form and width do not count.

    NFKC makes one of characters that only look different, such as fullwidth letters. It is for comparing; mail goes
    to the address as it was written.
    """
    if address.isascii():
        return address.lower()
    composed = unicodedata.normalize("NFKC", address)
    return unicodedata.normalize("NFKC", composed.casefold())
