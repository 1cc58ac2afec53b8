"""The tags, fields and notes in a batch of subscribers. They are collected, and written with a few statements.

A file adds tags and never removes one. A value in it replaces an earlier one, and a note is only added if there is
none.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.subscriber_fields import (
    MOST_FIELDS,
    MOST_TAGS,
    FieldValue,
    decode_fields,
    encode_fields,
)
from publisher.store.batch_rows import KnownSubscriber
from publisher.store.database import Database
from publisher.store.subscriber_records import AddOptions, NewSubscriber
from publisher.store.subscriber_tags import add_tags, note_fields, tags_of
from publisher.store.tables import subscribers


class BatchDetails:
    """Tags, fields and notes of a batch that are not written yet."""

    def __init__(self, options: AddOptions) -> None:
        self._kinds = options.kinds
        self._new_tags: list[tuple[int, str]] = []
        self._later: dict[int, tuple[KnownSubscriber, list[NewSubscriber]]] = {}

    def add(self, known: KnownSubscriber, row: NewSubscriber, *, fresh: bool) -> None:
        """Collect the details in a row. fresh: whether its subscriber has just been inserted, with fields and note."""
        if fresh:
            self._new_tags += [(known.id, tag) for tag in row.tags[:MOST_TAGS]]
        elif row.tags or row.fields or row.note:
            self._later.setdefault(known.id, (known, []))[1].append(row)

    def write(self, connection: Connection, database: Database) -> set[int]:
        """Write everything; return the row numbers of known subscribers for whom something is new."""
        if self._kinds:
            note_fields(connection, database, self._kinds)
        add_tags(connection, database, self._new_tags)
        if not self._later:
            return set()
        columns = subscribers.c
        query = sa.select(columns.id, columns.fields, columns.note).where(columns.id.in_(self._later))
        rows, tags = connection.execute(query).all(), tags_of(connection, self._later)
        changed, pairs = set(), []
        for row in rows:
            known, said = self._later[row.id]
            before = decode_fields(row.fields)
            new_tags = _new_tags(tags.get(row.id, ()), said)
            values = _new_values(before, said)
            note = "" if row.note else next((each.note for each in said if each.note), "")
            pairs += [(row.id, tag) for tag in new_tags]
            if values or note:
                kept = encode_fields(before | values)
                this = sa.update(subscribers).where(columns.id == row.id)
                connection.execute(this.values(fields=kept, note=note or row.note))
            if new_tags or values or note:
                changed.add(row.id)
                known.details = _undoing(before, new_tags, values, note)
        add_tags(connection, database, pairs)
        return changed


def _new_tags(had: tuple[str, ...], rows: list[NewSubscriber]) -> list[str]:
    named = dict.fromkeys(tag for row in rows for tag in row.tags if tag not in had)
    return list(named)[: max(0, MOST_TAGS - len(had))]


def _new_values(before: dict[str, FieldValue], rows: list[NewSubscriber]) -> dict[str, FieldValue]:
    """Return the values that have changed; the last row counts. Types are compared, because True equals 1 in Python."""
    named = {name: value for row in rows for name, value in row.fields.items()}
    places = max(0, MOST_FIELDS - len(before))
    extra = [name for name in named if name not in before][places:]
    return {
        name: value
        for name, value in named.items()
        if name not in extra
        if name not in before or (before[name], type(before[name])) != (value, type(value))
    }


def _undoing(
    before: dict[str, FieldValue], tags: list[str], values: dict[str, FieldValue], note: str
) -> dict[str, Any]:
    """Return the data for undoing these changes if they are part of an import; see import_changes.py."""
    found: dict[str, Any] = {"tags": tags, "note": note}
    found["fields"] = {name: [before.get(name), value] for name, value in values.items()}
    return {key: value for key, value in found.items() if value}
