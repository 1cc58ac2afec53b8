"""What an import found about people whom it names but did not add, so that they can be restored.

What it found about each person is the JSON that `snapshot` returns, SAME if the import changed nothing, or WAITS if it
only calls a subscriber unconfirmed. The functions work inside the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.subscriber_fields import decode_fields, encode_fields
from publisher.core.subscription_status import SubscriptionEvent, SubscriptionRecord, SubscriptionStatus
from publisher.store.database import Database
from publisher.store.subscriptions import row_of, save_row
from publisher.store.tables import import_changes, imports, subscriber_tags, subscribers, subscriptions

SAME = ""
WAITS = "waits"


def release(connection: Connection, ids: Collection[int]) -> None:
    """Record that not only imports name these subscribers, so that undoing an import no longer affects them."""
    if ids:
        added = subscribers.c.id.in_(ids), subscribers.c.import_id.is_not(None)
        connection.execute(sa.update(subscribers).where(*added).values(import_id=None))
        connection.execute(sa.delete(import_changes).where(import_changes.c.subscriber_id.in_(ids)))


def note_changes(connection: Connection, database: Database, number: int, found: Mapping[int, str]) -> None:
    """Record what an import found about subscribers: row number -> what `snapshot` returned, SAME or WAITS.

    The record of an earlier part of the same import stays, unless that part changed nothing.
    """
    if not found:
        return
    change = import_changes.c
    for weaker, of in (((SAME, WAITS), _all_but(found, SAME, WAITS)), ((WAITS,), _all_but(found, WAITS))):
        these = change.import_id == number, change.subscriber_id.in_(of), change.before.in_(weaker)
        connection.execute(sa.delete(import_changes).where(*these))
    rows = [{"import_id": number, "subscriber_id": each, "before": before} for each, before in found.items()]
    connection.execute(database.insert_new(import_changes), rows)


def _all_but(found: Mapping[int, str], *without: str) -> list[int]:
    return [each for each, before in found.items() if before not in without]


def others_that_name(connection: Connection, number: int, ids: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """Return which other imports name some subscribers: row number -> (import, what it found), oldest first.

    Imports that were undone do not count.
    """
    change, found = import_changes.c, dict[int, list[tuple[int, str]]]()
    query = sa.select(import_changes).join_from(import_changes, imports)
    query = query.where(change.subscriber_id.in_(ids), change.import_id != number, imports.c.undone_at.is_(None))
    for row in connection.execute(query.order_by(change.import_id)) if ids else ():
        found.setdefault(row.subscriber_id, []).append((row.import_id, row.before))
    return found


def hand_over(connection: Connection, subscriber_id: int, number: int) -> None:
    """Make a subscriber belong to another import that names them, because the import that added them is undone."""
    person = sa.update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(person.values(import_id=number))
    forget_change(connection, subscriber_id, number)


def forget_change(connection: Connection, subscriber_id: int, number: int) -> None:
    """Delete the record of what an import found about a subscriber."""
    change = import_changes.c
    this = change.import_id == number, change.subscriber_id == subscriber_id
    connection.execute(sa.delete(import_changes).where(*this))


def inherit(connection: Connection, subscriber_id: int, number: int, before: str) -> None:
    """Make an import restore what an earlier import found about a subscriber, because the earlier import is undone."""
    change = import_changes.c
    this = change.import_id == number, change.subscriber_id == subscriber_id
    own = connection.execute(sa.select(change.before).where(*this)).scalar_one()
    both = json.loads(before)
    if own != SAME:
        _join(both, json.loads(own))
    value = json.dumps(both, ensure_ascii=False)
    connection.execute(sa.update(import_changes).where(*this).values(before=value))


def snapshot(
    status: SubscriberStatus, records: Iterable[SubscriptionRecord], details: Mapping[str, Any] | None = None
) -> str:
    """Return the state of a subscriber before an import, as JSON; see `put_back`.

    details: what the import gave them: "tags", "fields" as name -> [value before, value after], and "note"
    """
    rows = [row_of(0, record) for record in records]
    for row in rows:
        row["since"] = row["since"].isoformat() if row["since"] else None
        del row["subscriber_id"]
    return json.dumps({"status": status, "subscriptions": rows, **(details or {})}, ensure_ascii=False)


def join_details(connection: Connection, number: int, details: Mapping[int, Mapping[str, Any]]) -> None:
    """Add what a later part of an import gave to subscribers whom an earlier part had changed.

    details: row number of a subscriber -> what they were given; see `snapshot`
    """
    change = import_changes.c
    query = sa.select(import_changes).where(change.import_id == number, change.subscriber_id.in_(details))
    for row in connection.execute(query).all() if details else ():
        if row.before in (SAME, WAITS):
            continue
        value = json.loads(row.before)
        _join(value, details[row.subscriber_id])
        this = sa.update(import_changes).where(change.import_id == number, change.subscriber_id == row.subscriber_id)
        connection.execute(this.values(before=json.dumps(value, ensure_ascii=False)))


def _join(value: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Add the details of a later snapshot to those of an earlier one, as if a single part had given both."""
    tags = [*value.pop("tags", []), *given.get("tags", [])]
    note = value.pop("note", "") or given.get("note", "")
    fields = value.pop("fields", {})
    for name, (before, after) in given.get("fields", {}).items():
        fields[name] = [fields[name][0] if name in fields else before, after]
    value.update({key: each for key, each in (("tags", tags), ("note", note), ("fields", fields)) if each})


def put_back(connection: Connection, subscriber_id: int, before: str) -> None:
    """Restore a subscriber to what `snapshot` described. Fields and notes that have changed again since then stay."""
    value: Mapping[str, Any] = json.loads(before)
    person, status = sa.update(subscribers).where(subscribers.c.id == subscriber_id), SubscriberStatus(value["status"])
    never = {"confirmed_at": None} if status is SubscriberStatus.PENDING else {}
    connection.execute(person.values(status=status, **never))
    names = [row["newsletter"] for row in value["subscriptions"]]
    mine = subscriptions.c.subscriber_id == subscriber_id
    connection.execute(sa.delete(subscriptions).where(mine, subscriptions.c.newsletter.not_in(names)))
    for row in value["subscriptions"]:
        said = {
            "status": SubscriptionStatus(row["status"]),
            "cause": SubscriptionEvent(row["cause"]),
            "since": datetime.fromisoformat(row["since"]) if row["since"] else None,
        }
        save_row(connection, {**row, "subscriber_id": subscriber_id, **said})
    _take_details(connection, subscriber_id, value)


def _take_details(connection: Connection, subscriber_id: int, given: Mapping[str, Any]) -> None:
    if tags := given.get("tags"):
        these = subscriber_tags.c.subscriber_id == subscriber_id, subscriber_tags.c.tag.in_(tags)
        connection.execute(sa.delete(subscriber_tags).where(*these))
    if not (given.get("fields") or given.get("note")):
        return
    person = subscribers.c.id == subscriber_id
    row = connection.execute(sa.select(subscribers.c.fields, subscribers.c.note).where(person)).one()
    fields = decode_fields(row.fields)
    for name, (old, new) in given.get("fields", {}).items():
        if fields.get(name) == new:
            fields.pop(name)
            fields |= {} if old is None else {name: old}
    note = "" if row.note == given.get("note") else row.note
    connection.execute(sa.update(subscribers).where(person).values(fields=encode_fields(fields), note=note))
