"""The tags that the owner gives to subscribers, and the known fields.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.subscriber_fields import MOST_TAGS, FieldKind
from publisher.store.database import Database
from publisher.store.tables import fields, subscriber_tags, subscribers

# As in subscriptions.py, the statement is made once: nearly everything reads it for one person at a time.
_TAGS = (
    sa.select(subscriber_tags.c.subscriber_id, subscriber_tags.c.tag)
    .where(subscriber_tags.c.subscriber_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(subscriber_tags.c.subscriber_id, subscriber_tags.c.tag)
)


def tags_of(connection: Connection, subscriber_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """Return the tags of some subscribers, sorted; those without any are left out."""
    found: dict[int, list[str]] = {}
    for row in connection.execute(_TAGS, {"ids": [*subscriber_ids]}):
        found.setdefault(row.subscriber_id, []).append(row.tag)
    return {subscriber_id: tuple(tags) for subscriber_id, tags in found.items()}


def add_tags(connection: Connection, database: Database, pairs: Iterable[tuple[int, str]]) -> int:
    """Give tags to subscribers, as pairs of row number and tag; return how many of them are new."""
    rows = [{"subscriber_id": subscriber_id, "tag": tag} for subscriber_id, tag in sorted(set(pairs))]
    return connection.execute(database.insert_new(subscriber_tags), rows).rowcount if rows else 0


def retag(
    connection: Connection, database: Database, ids: Collection[int], tags: Collection[str], untags: Collection[str]
) -> int:
    """Give tags to subscribers and take tags from them; return how many subscribers have different tags now.

    People who are not in the database are skipped, and those who would have too many tags keep theirs.
    """
    locked = connection.execute(sa.select(subscribers.c.id).where(subscribers.c.id.in_(ids)).with_for_update())
    known = [row.id for row in locked]
    before = {number: set(tags) for number, tags in tags_of(connection, known).items()}
    changed, added = [], []
    for number in known:
        old = before.get(number, set())
        new = (old | set(tags)) - set(untags)
        if new != old and (len(new) <= MOST_TAGS or new < old):
            changed.append(number)
            added += [(number, tag) for tag in new - old]
    these = subscriber_tags.c.subscriber_id.in_(changed), subscriber_tags.c.tag.in_(untags)
    connection.execute(sa.delete(subscriber_tags).where(*these))
    add_tags(connection, database, added)
    return len(changed)


def set_tags(connection: Connection, database: Database, subscriber_id: int, tags: Collection[str]) -> None:
    """Give a subscriber these tags, and no others."""
    others = subscriber_tags.c.subscriber_id == subscriber_id, subscriber_tags.c.tag.not_in(tags)
    connection.execute(sa.delete(subscriber_tags).where(*others))
    add_tags(connection, database, [(subscriber_id, tag) for tag in tags])


def tags_in_use(connection: Connection) -> dict[str, int]:
    """Return how many subscribers have each tag, sorted by tag."""
    tag = subscriber_tags.c.tag
    query = sa.select(tag, sa.func.count().label("total")).group_by(tag)
    return dict(sorted((row.tag, row.total) for row in connection.execute(query)))


def note_fields(connection: Connection, database: Database, kinds: Mapping[str, FieldKind]) -> None:
    """Record that subscribers have values for these fields; a known field keeps its kind."""
    rows = [{"name": name, "kind": kind} for name, kind in sorted(kinds.items())]
    if rows:
        connection.execute(database.insert_new(fields), rows)


def known_fields(connection: Connection) -> dict[str, FieldKind]:
    """Return the fields for which subscribers have or had values, sorted by name."""
    return {row.name: row.kind for row in connection.execute(sa.select(fields).order_by(fields.c.name))}


def forget_unused_fields(connection: Connection) -> None:
    """Forget the fields for which no subscriber has a value any longer."""
    for name in known_fields(connection):
        has_it = sa.select(sa.literal(1)).where(subscribers.c.fields.contains(f'"{name}":', autoescape=True)).limit(1)
        if connection.execute(has_it).first() is None:
            connection.execute(sa.delete(fields).where(fields.c.name == name))


def count_unfit(connection: Connection, name: str, kind: FieldKind) -> int:
    """Return how many subscribers have a value in a field that is not of a given kind.

    Each value has a single form in the column (see core/subscriber_fields.py): texts and dates begin with a quote.
    """

    def begins(text: str) -> sa.ColumnElement[bool]:
        """Return the condition that the field's value begins with a text."""
        return subscribers.c.fields.contains(f'"{name}":{text}', autoescape=True)

    a_date = subscribers.c.fields.like(f'%"{name.replace("_", "/_")}":"____-__-__"%', escape="/")
    yes_or_no = begins("true") | begins("false")
    fits = {
        FieldKind.TEXT: begins('"'),
        FieldKind.DATE: a_date,
        FieldKind.YES_NO: yes_or_no,
        FieldKind.NUMBER: ~(begins('"') | yes_or_no),
    }
    query = sa.select(sa.func.count()).select_from(subscribers).where(begins(""), ~fits[kind])
    return int(connection.execute(query).scalar_one())
