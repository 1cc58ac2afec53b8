"""The tags that the owner gives to subscribers."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.store.tables import subscriber_tags


def tags_of(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the tags of some subscribers, sorted; those without any are left out."""
    columns = subscriber_tags.c
    query = sa.select(columns.subscriber_id, columns.tag).where(columns.subscriber_id.in_(subscriber_ids))
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(query.order_by(columns.subscriber_id, columns.tag)):
        found[row.subscriber_id] = (*found.get(row.subscriber_id, ()), row.tag)
    return found
