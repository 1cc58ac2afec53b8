"""The rows of a file that say that somebody must not get email.

Each row is recorded with its statement and date. If the person is known, the later statement counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent, ends_all, next_status
from publisher.core.subscription_status import (
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    no_counts,
    only_about_single_newsletters,
)
from publisher.store.batch_rows import BatchRows, KnownSubscriber
from publisher.store.subscriber_records import Added, NewSubscriber
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers

# What a file says about a person -> the effect on each subscription that it names.
_BY_FILE = {
    SubscriberEvent.LEFT: SubscriptionEvent.FILE_LEFT,
    SubscriberEvent.REMOVED: SubscriptionEvent.FILE_REMOVED,
}
_SUPPRESSES = {
    SubscriberEvent.COMPLAINED: SuppressionReason.COMPLAINED,
    SubscriberEvent.SUPPRESSED: SuppressionReason.SUPPRESSED,
}


class Departures:
    """The part of a batch that records who must not get email, inside the batch's transaction.

    listed: the address keys of the batch that are on the suppression list, each with the reason
    """

    def __init__(self, connection: Connection, suppressed: Suppressions, rows: BatchRows) -> None:
        self._connection = connection
        self._suppressions = suppressed
        self._rows = rows
        self.listed: dict[str, SuppressionReason] = {}

    def record(
        self, key: str, known: KnownSubscriber | None, row: NewSubscriber, says: SubscriberEvent, *, fresh: bool
    ) -> Added:
        """Apply a row that says that somebody must not get email, and return the result.

        key    the address key
        known  None for someone who is not in the database, and whom the row only puts on the suppression list
        fresh  whether this batch has just inserted them
        """
        if known is not None and not fresh and says not in _BY_FILE and _agreed_since(known, row, says):
            return Added.NEWER
        suppressed = self.suppress(key, row, says)
        if known is None:
            return Added.RECORDED if suppressed else Added.UNCHANGED
        if fresh:
            self._rows.record(known, "recorded", row.consent)
        if says in _BY_FILE:
            done, newer = self._leave(known, row, says, fresh)
        else:
            done, newer = self._become(known, says, row.said_at), False
            if fresh and says is not SubscriberEvent.REQUESTED:
                self._rows.record(known, says.value, "", row.said_at)
                self._begin(known, row, says)
        if fresh or done or suppressed:
            return Added.RECORDED
        return Added.NEWER if newer else Added.UNCHANGED

    def end(self, known: KnownSubscriber, row: NewSubscriber, event: SubscriptionEvent) -> tuple[bool, bool]:
        """End the subscriptions that a row calls ended; return whether any ended, and whether an opt-in is newer."""
        done = newer = False
        for name, kind, since, topics in _endings(known, row, event):
            before = known.records.get(name)
            if before is not None and before.is_subscribed and not no_counts(before.since, since):
                newer = True
                continue
            done |= self._rows.end(known, name, kind, since, topics)
        return done, newer

    def suppress(self, key: str, row: NewSubscriber, says: SubscriberEvent | None) -> bool:
        """Put an address on the suppression list if the row says so; return whether the list changed."""
        if says is None or says not in _SUPPRESSES:
            return False
        options = self._rows.options
        return self.put_on_list(key, _SUPPRESSES[says], row.said_at or options.at, options.source)

    def put_on_list(self, key: str, reason: SuppressionReason, at: datetime, source: str) -> bool:
        """Put an address on the suppression list for the batch's next rows, too; return whether the list changed."""
        number = self._rows.options.number
        is_changed = self._suppressions.add(self._connection, key, reason, at, source, number)
        if is_changed:
            self.listed[key] = reason
        return is_changed

    def _leave(
        self, known: KnownSubscriber, row: NewSubscriber, says: SubscriberEvent, fresh: bool
    ) -> tuple[bool, bool]:
        widens = known.is_stranger and not row.subscriptions and not row.ended
        done, newer = self.end(known, row, _event(known, row, says, fresh))
        became = not known.is_subscribed and self._become(known, says, row.said_at)
        if widens or (not done and (fresh or became)):
            what = "removed" if says is SubscriberEvent.REMOVED else "unsubscribed"
            self._rows.record(known, what, "", row.said_at)
        return done or became, newer

    def _become(self, known: KnownSubscriber, says: SubscriberEvent, at: datetime | None) -> bool:
        """Give a subscriber the status that follows from an event; return whether it changed."""
        after = next_status(None if known.is_stranger else known.status, says)
        if after is None or after is known.status or says is SubscriberEvent.REQUESTED:
            return False
        change = sa.update(subscribers).where(subscribers.c.id == known.id)
        self._connection.execute(change.values(status=after))
        known.status = after
        if says in _BY_FILE:
            return True
        self._rows.record(known, says.value, "", at)
        if (event := ends_all(says)) is not None:
            for name in list(known.records):
                self._rows.end(known, name, event, at)
        return True

    def _begin(self, known: KnownSubscriber, row: NewSubscriber, says: SubscriberEvent) -> None:
        """Record the newsletters that a new subscriber had when they bounced or complained, or were suppressed."""
        event = ends_all(says)
        for wish in row.subscriptions:
            source = self._rows.options.source
            self._rows.save(known, SubscriptionRecord(wish.newsletter, wish.topics, since=row.joined_at, source=source))
            if event is not None:
                self._rows.end(known, wish.newsletter, event, row.said_at)


def said(row: NewSubscriber) -> SubscriberEvent | None:
    """Return why a person must not get email, according to a row; None if they may get it."""
    if row.says is None and row.ended and not row.subscriptions:
        return SubscriberEvent.LEFT
    return row.says


def rows_to_insert(pairs: Sequence[tuple[str, NewSubscriber]]) -> dict[str, NewSubscriber]:
    """Return the first row for each address, without rows that only put an address on the suppression list."""
    first: dict[str, NewSubscriber] = {}
    bare: set[str] = set()
    for key, each in pairs:
        is_bare = each.says is SubscriberEvent.SUPPRESSED
        if is_bare and not (each.subscriptions or each.ended or each.name or each.restored):
            bare |= set() if key in first else {key}
        elif key not in bare:
            first.setdefault(key, each)
    return first


def _event(known: KnownSubscriber, row: NewSubscriber, says: SubscriberEvent, fresh: bool) -> SubscriptionEvent:
    """Return the effect of a row on each subscription that it calls ended.

    A row that names newsletters is only about these newsletters, so a file with subscriptions to others may come before
    or after it. This does not apply to people who have opted out of everything, or whose mailbox is gone.
    """
    names = row.subscriptions or only_about_single_newsletters(row.ended)
    is_open = fresh or known.is_stranger or known.status is SubscriberStatus.ACTIVE
    if says is SubscriberEvent.LEFT and names and is_open:
        return SubscriptionEvent.FILE_LEFT_ONE
    return _BY_FILE[says]


def _agreed_since(known: KnownSubscriber, subscriber: NewSubscriber, says: SubscriberEvent) -> bool:
    """Return whether a subscriber has agreed here after the moment that a file gives.

    A complaint is final for files: only the person and the owner can agree after it.
    """
    is_final = says is SubscriberEvent.COMPLAINED
    begun = [
        record.since
        for record in known.records.values()
        if record.is_subscribed and not (is_final and record.cause is SubscriptionEvent.IMPORTED)
    ]
    return any(not no_counts(since, subscriber.said_at) for since in begun)


def _endings(
    known: KnownSubscriber, subscriber: NewSubscriber, event: SubscriptionEvent
) -> Iterator[tuple[str, SubscriptionEvent, datetime | None, tuple[str, ...] | None]]:
    """Yield (newsletter, event, since, topics) for each subscription that a row calls ended."""
    for record in subscriber.ended:
        removed = record.status is SubscriptionStatus.REMOVED
        kind = SubscriptionEvent.FILE_REMOVED if removed else event
        yield record.newsletter, kind, record.since, record.topics
    if said(subscriber) not in _BY_FILE:
        return
    names = [wish.newsletter for wish in subscriber.subscriptions]
    if not names and not subscriber.ended:
        is_stranger = known.is_stranger
        names = [name for name, record in sorted(known.records.items()) if record.is_subscribed or is_stranger]
    for name in names:
        yield name, event, subscriber.said_at, None
