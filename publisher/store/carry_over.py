"""Carry over what an older database, restored from a backup, lacks: who opted out, and what was sent.

A backup is restored because something happened to the data since then. But people who left, were suppressed or were
erased after the backup must not get email because of the restoration, and nothing that was sent may be sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.store.consent import event_row
from publisher.store.database import Database
from publisher.store.edition_filling import decided_subscribers, unfilled_editions
from publisher.store.erasure import erase_rows
from publisher.store.fleet_tables import hosts
from publisher.store.store import Store
from publisher.store.subscriptions import subscribed
from publisher.store.tables import (
    consent_events,
    deliveries,
    delivery_totals,
    edition_posts,
    editions,
    letter_posts,
    letters,
    newsletter_posts,
    newsletters,
    subscribers,
    subscriptions,
)

SOURCE = "the database before a backup was restored"
_GROUP = 500

_MAILED = (SubscriberStatus.ACTIVE, SubscriberStatus.PENDING)
_Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """How much was carried over: people who have opted out since, people who were erased, and editions."""

    left: int = 0
    erased: int = 0
    editions: int = 0


def carry_over(old: Store, restored: Store) -> CarriedOver:
    """Record in a restored database who has opted out since, and what was sent, according to the replaced one.

    old  the database that will be replaced; it is not changed
    Raises StoreError if one of them can't be used.
    """
    with old.database.snapshot() as reading:
        left, erased = _carry_refusals(old, reading, restored)
        made = _carry_ledger(reading, restored.database)
    return CarriedOver(left, erased, made)


def _carry_refusals(old: Store, reading: Connection, restored: Store) -> tuple[int, int]:
    left = erased = 0
    with restored.database.read() as connection:
        columns = (subscribers.c.id, subscribers.c.uid, subscribers.c.address_key, subscribers.c.status)
        people = connection.execute(sa.select(*columns).order_by(subscribers.c.id)).all()
    for group in _groups(people):
        listed = old.suppressions.entries_among(reading, {row.address_key for row in group})
        uids = [row.uid for row in group]
        query = sa.select(subscribers.c.uid, subscribers.c.id, subscribers.c.status)
        known = {row.uid: row for row in reading.execute(query.where(subscribers.c.uid.in_(uids)))}
        ended = _ended(reading, [row.id for row in known.values()])
        with restored.database.write() as writing:
            restored.database.guard(writing, alone=True)
            for row in group:
                entry, before = listed.get(row.address_key), known.get(row.uid)
                if entry is not None:
                    restored.suppressions.add(writing, row.address_key, entry.reason, entry.at, SOURCE)
                if entry is not None and before is None and entry.reason is SuppressionReason.ERASED:
                    erase_rows(writing, row.id, row.address_key)
                    erased += 1
                elif before is not None:
                    left += _say_no(writing, row, before, ended.get(before.id, ()))
    return left, erased


def _ended(connection: Connection, ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    """Return the subscriptions that have ended, by their subscribers."""
    found: dict[int, list[Row[Any]]] = {}
    for row in connection.execute(
        sa.select(subscriptions).where(subscriptions.c.subscriber_id.in_(ids), ~subscribed())
    ):
        found.setdefault(row.subscriber_id, []).append(row)
    return found


def _say_no(writing: Connection, row: Any, before: Any, ended: Iterable[Row[Any]]) -> bool:
    """Restore a person's former status, and end the subscriptions that had ended; return whether anything changed."""
    changed = False
    for one in ended:
        this = subscriptions.c.subscriber_id == row.id, subscriptions.c.newsletter == one.newsletter, subscribed()
        values = {"status": one.status, "since": one.since, "cause": one.cause, "source": one.source}
        if writing.execute(sa.update(subscriptions).where(*this).values(values)).rowcount:
            changed = True
            event = event_row(row.id, one.since or _now(writing), "left", SOURCE, one.newsletter)
            writing.execute(sa.insert(consent_events), [event])
    if before.status not in _MAILED and row.status in _MAILED:
        writing.execute(sa.update(subscribers).where(subscribers.c.id == row.id).values(status=before.status))
        changed = True
    return changed


def _now(connection: Connection) -> Any:
    return connection.execute(sa.select(sa.func.max(consent_events.c.at))).scalar_one()


def _carry_ledger(reading: Connection, restored: Database) -> int:
    """Copy the editions that were made since, and the status of all messages; return how many editions were copied."""
    with restored.read() as connection:
        known = {row.id: (row.newsletter, row.slot) for row in connection.execute(sa.select(editions))}
        people = {row.id: row.uid for row in connection.execute(sa.select(subscribers.c.id, subscribers.c.uid))}
    there = {row["id"]: row for row in _rows(reading, sa.select(editions))}
    if any(known[number] != (row["newsletter"], row["slot"]) for number, row in there.items() if number in known):
        return 0  # it is not an older state of the same database
    taken = set(known.values())
    new = [
        row for number, row in there.items() if number not in known and (row["newsletter"], row["slot"]) not in taken
    ]
    ids = [row["id"] for row in new]
    same = _same_people(reading, people)
    with restored.write() as writing:
        _insert(writing, restored, editions, new)
        for table in (edition_posts, letters, letter_posts, delivery_totals, unfilled_editions, decided_subscribers):
            _insert(writing, restored, table, _rows(reading, sa.select(table).where(table.c.edition_id.in_(ids))))
        posts = _rows(reading, sa.select(newsletter_posts))
        numbers = {*known, *ids}
        _insert(
            writing,
            restored,
            newsletter_posts,
            [row | {"edition_id": row["edition_id"] if row["edition_id"] in numbers else None} for row in posts],
        )
        _carry_messages(reading, writing, restored, [*ids, *known], same)
        for row in _rows(reading, sa.select(newsletters)):
            if not writing.execute(
                sa.update(newsletters).where(newsletters.c.name == row["name"]).values(row)
            ).rowcount:
                writing.execute(sa.insert(newsletters), [row])
        for row in _rows(reading, sa.select(hosts.c.host, hosts.c.claims)):
            this = sa.update(hosts).where(hosts.c.host == row["host"], hosts.c.claims < row["claims"])
            writing.execute(this.values(claims=row["claims"]))
    return len(new)


def _same_people(reading: Connection, people: dict[int, str]) -> set[int]:
    """Return the row numbers that belong to the same person in both databases."""
    query = sa.select(subscribers.c.id, subscribers.c.uid)
    return {row.id for row in reading.execute(query) if people.get(row.id) == row.uid}


def _carry_messages(
    reading: Connection, writing: Connection, restored: Database, edition_ids: list[int], people: set[int]
) -> None:
    """Write the messages of editions as the old database has them, both those sent since and those still to be sent."""
    for some in _groups(edition_ids, 50):
        query = sa.select(deliveries).where(deliveries.c.edition_id.in_(some)).order_by(deliveries.c.id)
        for group in _groups([row for row in _rows(reading, query) if row["subscriber_id"] in people]):
            _insert(writing, restored, deliveries, group)
            for row in group:
                this = deliveries.c.id == row["id"], deliveries.c.subscriber_id == row["subscriber_id"]
                unlike = sa.or_(deliveries.c.status != row["status"], deliveries.c.attempts != row["attempts"])
                writing.execute(sa.update(deliveries).where(*this, unlike).values(row))


def _insert(writing: Connection, restored: Database, table: sa.Table, rows: Sequence[_Row]) -> None:
    for group in _groups(rows):
        writing.execute(restored.insert_new(table), list(group))


def _rows(connection: Connection, query: sa.Select[Any]) -> list[_Row]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _groups(items: Sequence[Any], size: int = _GROUP) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))
