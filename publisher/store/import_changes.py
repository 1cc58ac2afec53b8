"""What an import found of the people whom it changed, so that it can be put back.

Functions that work inside the caller's transaction.
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
from publisher.store.subscriptions import row_of, save_row
from publisher.store.tables import import_changes, subscriber_tags, subscribers, subscriptions


def release(connection: Connection, ids: Collection[int], number: int | None) -> None:
    """Note that something other than the imports that brought these subscribers names them too.

    number: the import that does; None if it is not an import.
    """
    if not ids:
        return
    others = subscribers.c.import_id != number if number is not None else subscribers.c.import_id.is_not(None)
    connection.execute(sa.update(subscribers).where(subscribers.c.id.in_(ids), others).values(import_id=None))
    changes = import_changes.c.import_id != number if number is not None else sa.true()
    connection.execute(sa.delete(import_changes).where(import_changes.c.subscriber_id.in_(ids), changes))


def disown(connection: Connection, ids: Collection[int]) -> None:
    """Let the imports that added these subscribers not delete them when they are taken back."""
    if ids:
        connection.execute(sa.update(subscribers).where(subscribers.c.id.in_(ids)).values(import_id=None))


def snapshot(
    status: SubscriberStatus, records: Iterable[SubscriptionRecord], details: Mapping[str, Any] | None = None
) -> str:
    """Return what a subscriber was before an import, as JSON; see `put_back`.

    details: what the import gave them: "tags", "fields" as name -> [value before, value after], and "note"
    """
    rows = [row_of(0, record) for record in records]
    for row in rows:
        row["since"] = row["since"].isoformat() if row["since"] else None
        del row["subscriber_id"]
    return json.dumps({"status": status, "subscriptions": rows, **(details or {})}, ensure_ascii=False)


def join_details(connection: Connection, number: int, details: Mapping[int, Mapping[str, Any]]) -> None:
    """Add what a later part of an import gave to subscribers whom it had changed before.

    details: row number of a subscriber -> what they were given; see `snapshot`
    """
    change = import_changes.c
    query = sa.select(import_changes).where(change.import_id == number, change.subscriber_id.in_(details))
    for row in connection.execute(query).all() if details else ():
        value, given = json.loads(row.before), details[row.subscriber_id]
        value["tags"] = [*value.get("tags", []), *given.get("tags", [])]
        value["note"] = value.get("note") or given.get("note", "")
        fields = value.setdefault("fields", {})
        for name, (before, after) in given.get("fields", {}).items():
            fields[name] = [fields[name][0] if name in fields else before, after]
        this = sa.update(import_changes).where(change.import_id == number, change.subscriber_id == row.subscriber_id)
        connection.execute(this.values(before=json.dumps(value, ensure_ascii=False)))


def put_back(connection: Connection, subscriber_id: int, before: str) -> None:
    """Make a subscriber what `snapshot` described. Fields and notes that are different again by now stay."""
    value: Mapping[str, Any] = json.loads(before)
    person = sa.update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(person.values(status=SubscriberStatus(value["status"])))
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
