"""The tags, fields and notes in a batch of subscribers. They are collected, and written with a few statements.

A file adds tags and never removes one. A value in it replaces an earlier one, and a note is only added if there is
none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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
        self._later: dict[int, tuple[KnownSubscriber, list[tuple[int, NewSubscriber]]]] = {}

    def add(self, place: int, known: KnownSubscriber, row: NewSubscriber, *, fresh: bool) -> None:
        """Collect the details in a row.

        place  the place of the row in the batch
        fresh  whether its subscriber has just been inserted, with fields and note
        """
        if fresh:
            self._new_tags += [(known.id, tag) for tag in row.tags[:MOST_TAGS]]
        elif row.tags or row.fields or row.note:
            self._later.setdefault(known.id, (known, []))[1].append((place, row))

    def write(self, connection: Connection, database: Database) -> list[int]:
        """Write everything; return the places of the rows that had something new for a known subscriber."""
        if self._kinds:
            note_fields(connection, database, self._kinds)
        add_tags(connection, database, self._new_tags)
        if not self._later:
            return []
        columns = subscribers.c
        query = sa.select(columns.id, columns.fields, columns.note).where(columns.id.in_(self._later))
        rows, tags = connection.execute(query).all(), tags_of(connection, self._later)
        changed, pairs = list[int](), list[tuple[int, str]]()
        for row in rows:
            known, said = self._later[row.id]
            had = _Details(set(tags.get(row.id, ())), decode_fields(row.fields), row.note)
            now = [place for place, each in said if had.take(each)]
            if not now:
                continue
            changed += now
            known.details = had.undoing()
            pairs += [(row.id, tag) for tag in had.new_tags]
            if had.values or had.new_note:
                this = sa.update(subscribers).where(columns.id == row.id)
                connection.execute(this.values(fields=encode_fields(had.fields), note=had.note))
        add_tags(connection, database, pairs)
        return changed


@dataclass(slots=True)
class _Details:
    """The details of a known subscriber, and what the rows of a batch have added to them.

    values: name of a field -> the value before the batch, None if there was none, and the value that a row gave
    """

    tags: set[str]
    fields: dict[str, FieldValue]
    note: str
    new_tags: list[str] = field(default_factory=list)
    values: dict[str, tuple[FieldValue | None, FieldValue]] = field(default_factory=dict)
    new_note: str = ""

    def take(self, row: NewSubscriber) -> bool:
        """Add the details in the next row; return whether something is new."""
        tags = [tag for tag in dict.fromkeys(row.tags) if tag not in self.tags]
        tags = tags[: max(0, MOST_TAGS - len(self.tags))]
        self.tags.update(tags)
        self.new_tags += tags
        values = _new_values(self.fields, row)
        for name, value in values.items():
            self.values[name] = self.values.get(name, (self.fields.get(name), value))[0], value
        self.fields |= values
        has_note = not self.note and row.note != ""
        if has_note:
            self.note = self.new_note = row.note
        return bool(tags or values or has_note)

    def undoing(self) -> dict[str, Any]:
        """Return the data for undoing these changes if they are part of an import; see import_changes.py."""
        found: dict[str, Any] = {"tags": self.new_tags, "note": self.new_note}
        found["fields"] = {name: list(both) for name, both in self.values.items()}
        return {key: value for key, value in found.items() if value}


def _new_values(before: dict[str, FieldValue], row: NewSubscriber) -> dict[str, FieldValue]:
    """Return the values in a row that are new. Types are compared, because True equals 1 in Python."""
    places = max(0, MOST_FIELDS - len(before))
    extra = [name for name in row.fields if name not in before][places:]
    return {
        name: value
        for name, value in row.fields.items()
        if name not in extra
        if name not in before or (before[name], type(before[name])) != (value, type(value))
    }
