"""The rows to write when a batch of subscribers is added. They are collected, and written with a few statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from datetime import datetime
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.subscription_status import (
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    is_wider,
    only_about_single_newsletters,
)
from publisher.store.consent import event_row, restored_row
from publisher.store.database import Database
from publisher.store.import_changes import SAME, WAITS, join_details, note_changes, release, snapshot
from publisher.store.row_inserts import RowBinder, insert_rows
from publisher.store.subscriber_records import AddOptions, Restored
from publisher.store.subscriptions import changed, row_of, without_frequency
from publisher.store.tables import consent_events, subscriptions

# The columns of the rows that `row_of` and `event_row` make, in their order: the subscriber comes first.
SUBSCRIPTION = ("subscriber_id", "newsletter", "topics", "status", "since", "cause", "source", "frequency")
EVENT = ("subscriber_id", "at", "what", "source", "detail", "text_version", "ip", "user_agent")

BY_FILE = (SubscriptionEvent.FILE_LEFT, SubscriptionEvent.FILE_LEFT_ONE, SubscriptionEvent.FILE_REMOVED)


@dataclass(slots=True)
class KnownSubscriber:
    """The state of a subscriber who is in the database, while a batch is being added.

    records    newsletter -> the record of the subscription
    import_id  the import that added them, if only imports have named this person since
    was        status and records at the beginning of the batch; None if the batch added them
    only_filed whether only files have named them, and nobody has asked them to confirm
    named      whether a row of the batch says more about them than that they never confirmed
    details    the tags, values and note that the batch gave them, if they were known; see import_changes.py
    """

    id: int
    status: SubscriberStatus
    records: dict[str, SubscriptionRecord] = field(default_factory=dict)
    import_id: int | None = None
    was: tuple[SubscriberStatus, dict[str, SubscriptionRecord]] | None = None
    only_filed: bool = False
    named: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_subscribed(self) -> bool:
        """Whether the subscriber is subscribed to any newsletter."""
        return any(record.is_subscribed for record in self.records.values())

    @property
    def is_stranger(self) -> bool:
        """Whether files say that they left single newsletters or never confirmed, and nothing else is known.

        A file that calls somebody unconfirmed does not say that they left.
        """
        if self.only_filed and self.status is SubscriberStatus.PENDING:
            return True
        is_unsubscribed = self.status is SubscriberStatus.UNSUBSCRIBED
        return is_unsubscribed and only_about_single_newsletters(self.records.values())

    @property
    def mailed(self) -> tuple[str, ...]:
        """The newsletters that are sent to them."""
        if self.status is not SubscriberStatus.ACTIVE:
            return ()
        return tuple(sorted(name for name, record in self.records.items() if record.is_subscribed))

    def is_subscribed_to(self, newsletter: str) -> bool:
        """Return whether they are subscribed to a newsletter."""
        record = self.records.get(newsletter)
        return record is not None and record.is_subscribed


@dataclass(frozen=True, slots=True)
class NewRows:
    """The rows that were added for one subscriber, each without its first column, the number of the subscriber."""

    subscriptions: tuple[tuple[Any, ...], ...]
    events: tuple[tuple[Any, ...], ...]


class BatchRows:
    """Subscriptions and consent events of a batch that are not written yet."""

    def __init__(self, options: AddOptions, dialect: Dialect) -> None:
        self.options = options
        self._bind_event = RowBinder(consent_events, EVENT, dialect)
        self._bind_subscription = RowBinder(subscriptions, SUBSCRIPTION, dialect)
        self._events: list[tuple[Any, ...]] = []
        self._new: list[tuple[Any, ...]] = []
        self._changed: list[dict[str, Any]] = []

    def record(self, known: KnownSubscriber, what: str, detail: str, at: datetime | None = None) -> None:
        """Add an event to a subscriber's history of consent; `at` is when it happened, if it was not now."""
        row = event_row(known.id, at or self.options.at, what, self.options.source, detail)
        self._events.append(self._bind_event(tuple(row.values())))

    def restore(self, known: KnownSubscriber, back: Restored) -> None:
        """Add the subscriptions and the history that our own export has for a new subscriber."""
        for record in back.records:
            self.save(known, record)
        rows = (tuple(restored_row(known.id, event).values()) for event in back.consent)
        self._events += map(self._bind_event, rows)

    def save(self, known: KnownSubscriber, record: SubscriptionRecord) -> None:
        """Insert a subscription or replace it."""
        row, before = row_of(known.id, record), known.records.get(record.newsletter)
        known.records[record.newsletter] = record
        if before is None:
            self._new.append(self._bind_subscription(tuple(row.values())))
        else:
            self._changed.append(row | {"before": before.status})

    def begun(self) -> tuple[int, int]:
        """Return the present position in the rows, for `since`."""
        return len(self._new), len(self._events)

    def since(self, begun: tuple[int, int]) -> NewRows:
        """Return the rows added for a new subscriber since a position that `begun` returned."""
        new, events = begun
        return NewRows(tuple(row[1:] for row in self._new[new:]), tuple(row[1:] for row in self._events[events:]))

    def repeat(self, known: KnownSubscriber, written: NewRows) -> None:
        """Add the rows of an earlier new subscriber again for another one."""
        who = (known.id,)
        self._new += [who + row for row in written.subscriptions]
        self._events += [who + row for row in written.events]

    def end(
        self,
        known: KnownSubscriber,
        newsletter: str,
        event: SubscriptionEvent,
        since: datetime | None,
        topics: tuple[str, ...] | None = None,
    ) -> bool:
        """End a subscription; return whether its status or the reach of its end changed."""
        records = list(known.records.values())
        after = changed(records, newsletter, event, since=since, source=self.options.source, topics=topics)
        before = known.records.get(newsletter)
        if after is None or (before is not None and before.status is after.status and not is_wider(event, before)):
            return False
        self.save(known, after)
        if event in BY_FILE and (before is None or before.status is not after.status):
            removed = after.status is SubscriptionStatus.REMOVED
            self.record(known, "removed" if removed else "left", newsletter, since)
        return True

    def write(self, connection: Connection) -> None:
        """Write everything."""
        # In the order in which other transactions lock them: by subscriber and newsletter.
        insert_rows(connection, subscriptions, SUBSCRIPTION, sorted(self._new, key=itemgetter(0, 1)), new=True)
        for row in sorted(self._changed, key=itemgetter("subscriber_id", "newsletter")):
            change = sa.update(subscriptions).where(
                subscriptions.c.subscriber_id == row["subscriber_id"],
                subscriptions.c.newsletter == row["newsletter"],
                subscriptions.c.status == row.pop("before"),  # otherwise they unsubscribed at this very moment
            )
            connection.execute(change.values(without_frequency(row)))
        insert_rows(connection, consent_events, EVENT, self._events, new=False)

    def note(self, connection: Connection, database: Database, known: Iterable[KnownSubscriber]) -> None:
        """Record what this batch found about each subscriber, so that its import can be undone.

        known: the subscribers whom the batch names; if the batch is not an import, only the subscribers who were not
        refused
        """
        number = self.options.number
        found = [(each, each.was) for each in known if each.was is not None]
        # A file that calls subscribers unconfirmed changes nothing until the import that added them is undone.
        stay = {each.id for each, was in found if was[0] is SubscriberStatus.ACTIVE and not each.named}
        if number is None:
            release(connection, [each.id for each, _ in found if each.id not in stay])
            return
        join_details(connection, number, {each.id: each.details for each, _ in found if each.details})
        before = {}
        for each, was in found:
            if each.import_id == number:
                continue
            if was != (each.status, each.records) or each.details:
                before[each.id] = snapshot(was[0], was[1].values(), each.details)
            else:
                before[each.id] = WAITS if each.id in stay else SAME
        note_changes(connection, database, number, before)
