"""The imports of files: which file brought which people, so that a single import can be undone.

A person belongs to the import that added them, and each later import that names them records what it found. If an
import other than the last one is undone, they stay as they are, and the next import inherits them: it counts as having
added them, or as having found what the earlier one found. So undoing an import never undoes what another file, the
owner or the person has said since, and when all imports are undone, no trace of them is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.errors import StoreError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import DeliveryStatus, SubscriberStatus
from publisher.core.subscription_status import SubscriptionEvent
from publisher.store.consent import UNDO, event_row
from publisher.store.database import Database
from publisher.store.edition_filling import with_complete_editions
from publisher.store.erasure import erase_many
from publisher.store.import_changes import (
    SAME,
    WAITS,
    forget_change,
    hand_over,
    inherit,
    others_that_name,
    put_back,
    snapshot,
)
from publisher.store.subscriber_records import source_of
from publisher.store.subscriber_tags import forget_unused_fields
from publisher.store.subscriptions import end_all
from publisher.store.tables import (
    consent_events,
    deliveries,
    editions,
    import_changes,
    imports,
    subscribers,
    suppressions,
)

GROUP = 500  # how many people one transaction handles


@dataclass(frozen=True, slots=True)
class FileImport:
    """An import of a file. Running the same file again with the same options is the same import.

    begun_at   when it first ran
    last_at    when it last ran
    undone_at  when it was undone; None if it was not
    people     how many people it added
    changed    how many people it found and changed
    """

    id: int
    file: str
    options: str
    begun_at: datetime
    last_at: datetime
    undone_at: datetime | None
    people: int = 0
    changed: int = 0


@dataclass(slots=True)
class TakenBack:
    """What happened to the people of an import that was undone.

    deleted   people whom the import added, and who are deleted
    restored  people whom the import changed, and who are as they were before again
    kept      people who have done something since, or bounced; they stay as they are
    mailed    people who were already sent an edition; they stay, and get nothing more from these newsletters
    lifted    addresses removed from the suppression list
    shared    people who are in another file too, or whom the owner named; they stay as they are
    """

    deleted: int = 0
    restored: int = 0
    kept: int = 0
    mailed: int = 0
    lifted: int = 0
    shared: int = 0


class Imports:
    """The table of imports; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, file: str, options: str, digest: str, at: datetime) -> tuple[int, datetime]:
        """Record that a file is being imported; return the number of the import, and when it first began.

        digest: identifies the file and the options. If they were imported before, and that was not undone, it is the
        same import.
        """
        same = imports.c.digest == digest, imports.c.undone_at.is_(None)
        with self._database.write() as connection:
            self._database.guard(connection, alone=True)
            found = connection.execute(sa.select(imports).where(*same).order_by(imports.c.id).limit(1)).first()
            if found is not None:
                later = sa.update(imports).where(imports.c.id == found.id, imports.c.last_at < at)
                connection.execute(later.values(last_at=at))
                return found.id, found.begun_at
            row = {"file": file, "options": options, "digest": digest, "begun_at": at, "last_at": at}
            return int(connection.execute(sa.insert(imports).returning(imports.c.id), row).scalar_one()), at

    def list(self) -> Sequence[FileImport]:
        """Return all imports, oldest first."""
        people = sa.select(subscribers.c.import_id, sa.func.count().label("total"))
        people = people.where(subscribers.c.import_id.is_not(None)).group_by(subscribers.c.import_id)
        changed = sa.select(import_changes.c.import_id, sa.func.count().label("total"))
        changed = changed.where(import_changes.c.before.not_in((SAME, WAITS))).group_by(import_changes.c.import_id)
        with self._database.read() as connection:
            added = {row.import_id: row.total for row in connection.execute(people)}
            found = {row.import_id: row.total for row in connection.execute(changed)}
            rows = connection.execute(sa.select(imports).order_by(imports.c.id)).all()
        return [_import_of(row, added.get(row.id, 0), found.get(row.id, 0)) for row in rows]

    def undo(
        self,
        number: int,
        at: datetime,
        *,
        dry_run: bool = False,
        progress: Callable[[int], None] = lambda people: None,
    ) -> TakenBack:
        """Undo an import, and return what happened to its people.

        People who have done something themselves since then stay as they are. This may be interrupted and repeated.
        dry_run   return the same, but write nothing
        progress  called with the number of people handled so far
        Raises StoreError if there is no such import, or if it was already undone.
        """
        done = TakenBack()
        with self._database.read() as connection:
            row = connection.execute(sa.select(imports).where(imports.c.id == number)).first()
        if row is None or row.undone_at is not None:
            why = "was already undone" if row is not None else "does not exist"
            raise StoreError(f"import {number} {why}", hint="`publisher subscribers imports` lists them")
        undoing = _Undoing(_import_of(row), at, done)
        with self._database.read() as connection:
            done.shared = undoing.count_shared(connection)
        for step in (undoing.delete, undoing.restore):
            last = 0
            while True:
                with with_complete_editions(self._database, guarded=True, dry_run=dry_run) as connection:
                    last = step(connection, last)
                progress(done.deleted + done.restored + done.kept + done.mailed)
                if not last:
                    break
        with self._database.write(dry_run=dry_run) as connection:
            lifted = sa.delete(suppressions).where(suppressions.c.import_id == number)
            done.lifted = connection.execute(lifted).rowcount
            forget_unused_fields(connection)
            connection.execute(sa.update(imports).where(imports.c.id == number).values(undone_at=at))
        return done


@dataclass(frozen=True, slots=True)
class _Undoing:
    """Undoes one import, a group of people at a time."""

    run: FileImport
    at: datetime
    done: TakenBack

    def count_shared(self, connection: Connection) -> int:
        """Return how many people have events from the import but no longer belong to it."""
        events, person = consent_events.c, subscribers.c
        brought = sa.select(events.subscriber_id).where(
            events.source == source_of(self.run.file),
            events.at.between(self.run.begun_at, self.run.last_at),
        )
        changed = sa.select(import_changes.c.subscriber_id).where(import_changes.c.import_id == self.run.id)
        query = sa.select(sa.func.count()).select_from(subscribers)
        query = query.where(
            person.id.in_(brought), person.id.not_in(changed), person.import_id.is_distinct_from(self.run.id)
        )
        return int(connection.execute(query).scalar_one())

    def delete(self, connection: Connection, after: int) -> int:
        """Delete a group of the people whom the import added; return the last row number, or 0 after the last group."""
        query = sa.select(subscribers.c.id, subscribers.c.address_key)
        query = query.where(subscribers.c.import_id == self.run.id, subscribers.c.id > after)
        rows = connection.execute(query.order_by(subscribers.c.id).limit(GROUP).with_for_update()).all()
        ids = [row.id for row in rows]
        moved = self._moved_on(connection, ids)
        others = others_that_name(connection, self.run.id, set(ids) - moved)
        for subscriber_id, named in sorted(others.items()):
            self._pass_on(connection, subscriber_id, named)
        mailed = _were_sent_something(connection, set(ids) - moved - set(others))
        gone = {row.id: row.address_key for row in rows if row.id not in moved | mailed | set(others)}
        erase_many(connection, gone)
        self.done.deleted += len(gone)
        stopped = mailed
        self._stop(connection, stopped)
        self.done.mailed += len(stopped)
        self.done.kept += len(moved)
        return ids[-1] if len(ids) == GROUP else 0

    def restore(self, connection: Connection, after: int) -> int:
        """Restore a group of the people whom the import changed; the result is as for `delete`."""
        query = sa.select(import_changes).where(
            import_changes.c.import_id == self.run.id, import_changes.c.subscriber_id > after
        )
        rows = connection.execute(query.order_by(import_changes.c.subscriber_id).limit(GROUP)).all()
        ids = [row.subscriber_id for row in rows]
        moved = self._moved_on(connection, ids)
        others = others_that_name(connection, self.run.id, set(ids) - moved)
        for row in rows:
            found = others.get(row.subscriber_id, ())
            heir = next((each for each, before in found if each > self.run.id and before != WAITS), None)
            if row.before in (SAME, WAITS):
                pass
            elif row.subscriber_id in moved:
                self.done.kept += 1
                continue
            elif heir is not None:
                inherit(connection, row.subscriber_id, heir, row.before)
                self.done.shared += 1
            else:
                put_back(connection, row.subscriber_id, row.before)
                self._record(connection, row.subscriber_id)
                self.done.restored += 1
            forget_change(connection, row.subscriber_id, self.run.id)
        return ids[-1] if len(ids) == GROUP else 0

    def _pass_on(self, connection: Connection, subscriber_id: int, others: Sequence[tuple[int, str]]) -> None:
        """Hand somebody whom the import added over to another import that names them; see `others_that_name`."""
        heir = next((number for number, before in others if before != WAITS), None)
        if heir is not None:
            self.done.shared += 1
        else:  # the other files say only that they never confirmed
            heir = others[0][0]
            put_back(connection, subscriber_id, snapshot(SubscriberStatus.PENDING, ()))
            self._record(connection, subscriber_id)
            self.done.restored += 1
        hand_over(connection, subscriber_id, heir)

    def _moved_on(self, connection: Connection, ids: Collection[int]) -> set[int]:
        """Return the people with an event since this import began that comes from neither an import nor an undo."""
        events = consent_events.c
        files = [events.source.not_like(f"{start}%") for start in (source_of(""), UNDO)]
        query = sa.select(events.subscriber_id).where(
            events.subscriber_id.in_(ids), events.at > self.run.begun_at, *files
        )
        return {row.subscriber_id for row in connection.execute(query)}

    def _stop(self, connection: Connection, ids: Collection[int]) -> None:
        """End the subscriptions of people who were sent emails, whose unsubscribe links must keep working."""
        for subscriber_id in sorted(ids):
            end_all(connection, subscriber_id, SubscriptionEvent.REMOVED, self.at, self._source)
            self._record(connection, subscriber_id)

    def _record(self, connection: Connection, subscriber_id: int) -> None:
        connection.execute(sa.insert(consent_events), [event_row(subscriber_id, self.at, "undone", self._source, "")])

    @property
    def _source(self) -> str:
        return f"{UNDO}{self.run.id}"


def _were_sent_something(connection: Connection, ids: Collection[int]) -> set[int]:
    # By edition first, as in erasure.py: the ledger has no index by subscriber alone.
    query = sa.select(deliveries.c.subscriber_id).where(
        deliveries.c.edition_id.in_(sa.select(editions.c.id)),
        deliveries.c.subscriber_id.in_(ids),
        deliveries.c.status.not_in((DeliveryStatus.QUEUED, DeliveryStatus.SKIPPED)),
    )
    return {row.subscriber_id for row in connection.execute(query)}


def _import_of(row: Row[Any], people: int = 0, changed: int = 0) -> FileImport:
    return FileImport(
        row.id, row.file, row.options, row.begun_at, row.last_at, row.undone_at, people=people, changed=changed
    )
