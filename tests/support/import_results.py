"""Everything that imports store and report, for comparing imports with each other."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from publisher.store import Store
from publisher.store.tables import (
    consent_events,
    fields,
    import_changes,
    subscriber_tags,
    subscribers,
    subscriptions,
    suppressions,
)

OF_PEOPLE = (subscribers, subscriptions, subscriber_tags, consent_events, import_changes)
OTHERS = (fields, suppressions)
# Numbers that the database chooses, and random ones.
CHOSEN = ("id", "subscriber_id", "uid")


def everything(store: Store, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return table -> all of its rows, with addresses instead of numbers. without: columns and tables to leave out.

    The events in a history of consent keep their order.
    """
    found = {}
    with store.database.read() as connection:
        people = sa.select(subscribers.c.id, subscribers.c.address_key)
        names = {row.id: row.address_key for row in connection.execute(people)}
        for table in (*OF_PEOPLE, *OTHERS):
            columns = [column for column in table.c if column.name not in (*CHOSEN, *without)]
            if table in OTHERS:
                rows = connection.execute(sa.select(*columns)).all()
                found[table.name] = sorted(map(tuple, rows), key=repr)
                continue
            whose = table.c.id if table is subscribers else table.c.subscriber_id
            order = table.c.id if table is consent_events else whose
            rows = connection.execute(sa.select(whose, *columns).order_by(order)).all()
            named = [(names[row[0]], *row[1:]) for row in rows]
            found[table.name] = sorted(named, key=(lambda row: row[0]) if table is consent_events else repr)
    return {name: rows for name, rows in found.items() if name not in without}


def forget_everything(store: Store) -> None:
    """Delete everything that imports store about people; the imports stay listed."""
    with store.database.write() as connection:
        for table in reversed((*OTHERS, *OF_PEOPLE)):
            connection.execute(sa.delete(table))
