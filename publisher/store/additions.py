"""Adding any number of subscribers in one transaction. The same rules apply to one subscriber and to a million.

A file may also say that somebody must not be mailed. That becomes a record, unless they have agreed here since then.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus, SuppressionReason
from publisher.core.subscriber_status import SUBSCRIBES, SubscriberEvent, next_status
from publisher.core.subscription_status import (
    SubscriptionEvent,
    SubscriptionRecord,
    SubscriptionStatus,
    on_date,
)
from publisher.store.batch_rows import BatchRows, KnownSubscriber
from publisher.store.database import Database
from publisher.store.departures import Departures, rows_to_insert, said
from publisher.store.subscriber_records import Added, AddOptions, AddResult, NewSubscriber, address_key, encode_topics
from publisher.store.subscriptions import changed, records_of
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers


class Batch:
    """A batch of subscribers to add in one transaction, with a few statements for any number of them."""

    def __init__(
        self, connection: Connection, database: Database, suppressed: Suppressions, options: AddOptions
    ) -> None:
        self._connection = connection
        self._database = database
        self._suppressions = suppressed
        self._options = options
        self._rows = BatchRows(options)
        self._departures = Departures(connection, suppressed, self._rows)

    def add(self, new: Sequence[NewSubscriber]) -> list[AddResult]:
        """Add subscribers and return the result for each, in order. The caller must hold Database.guard."""
        keys = [address_key(subscriber.address) for subscriber in new]
        listed = self._listed(set(keys))
        pairs = [(key, subscriber) for key, subscriber in zip(keys, new, strict=True) if key not in listed]
        fresh = self._insert_unknown(rows_to_insert(pairs))
        known = self._known({key for key, _ in pairs})
        results = []
        for key, subscriber in zip(keys, new, strict=True):
            says = said(subscriber)
            if key in listed:
                results.append(AddResult(Added.UNCHANGED if says else listed[key]))
            elif says is not None:
                results.append(
                    AddResult(self._departures.record(key, known.get(key), subscriber, says, fresh=key in fresh))
                )
            elif key in known:
                results.append(self._settle(known[key], subscriber, key in fresh))
            else:  # an earlier row of this batch put the address on the suppression list
                results.append(AddResult(Added.SUPPRESSED))
            fresh.discard(key)  # the same address again in this batch is no longer new
        self._rows.write(self._connection, self._database)
        return results

    def _listed(self, keys: set[str]) -> dict[str, Added]:
        """Return the result for each suppressed key: MOVED if its subscriber has changed address, else SUPPRESSED.

        If the operator vouches that subscribers asked to come back (READDED), keys that were suppressed by a change of
        address are taken off the list first: the operator also vouches that the address is theirs again.
        """
        listed = self._suppressions.among(self._connection, keys)
        moved = [key for key, reason in listed.items() if reason is SuppressionReason.MOVED]
        if self._options.event is SubscriberEvent.READDED:
            for key in moved:
                self._suppressions.drop(self._connection, key)
                del listed[key]
        return {key: Added.MOVED if key in moved else Added.SUPPRESSED for key in listed}

    def _insert_unknown(self, unknown: dict[str, NewSubscriber]) -> set[str]:
        """Insert the subscribers who are not in the database yet, and return their keys."""
        if not unknown:
            return set()
        uids = {key: secrets.token_hex(12) for key in unknown}
        rows = [
            {
                "uid": uids[key],
                "address": subscriber.address,
                "address_key": key,
                "name": subscriber.name,
                "language": subscriber.language,
                "status": next_status(None, said(subscriber) or self._options.event),
                "created_at": self._options.at,
                "confirmed_at": subscriber.joined_at or (None if said(subscriber) else self._options.at),
            }
            for key, subscriber in sorted(unknown.items())  # so that two imports lock rows in the same order
        ]
        self._connection.execute(self._database.insert_new(subscribers), rows)
        query = sa.select(subscribers.c.address_key, subscribers.c.uid).where(subscribers.c.address_key.in_(unknown))
        return {row.address_key for row in self._connection.execute(query) if row.uid == uids[row.address_key]}

    def _known(self, keys: set[str]) -> dict[str, KnownSubscriber]:
        query = sa.select(subscribers.c.id, subscribers.c.address_key, subscribers.c.status)
        rows = self._connection.execute(query.where(subscribers.c.address_key.in_(keys))).all()
        found = records_of(self._connection, [row.id for row in rows])
        return {
            row.address_key: KnownSubscriber(
                row.id, row.status, {each.newsletter: each for each in found.get(row.id, ())}
            )
            for row in rows
        }

    def _settle(self, known: KnownSubscriber, subscriber: NewSubscriber, fresh: bool) -> AddResult:
        """Carry out a row that says yes."""
        after = next_status(known.status, self._options.event)
        if after is None:
            return AddResult(Added(known.status.value), self._reasons(known, subscriber))
        event = SUBSCRIBES[self._options.event]
        since = subscriber.joined_at if event is SubscriptionEvent.IMPORTED else self._options.at
        wanted, refusals = self._wanted(known, subscriber, event, since)
        if refusals and not wanted:
            return AddResult(Added.UNSUBSCRIBED, refusals)
        gained = [each for each in wanted if not known.is_subscribed_to(each.newsletter)]
        returned = after is not known.status or any(each.newsletter in known.records for each in gained)
        if returned:
            self._bring_back(known, after, subscriber.consent)
        if fresh:
            self._rows.record(known, "added", subscriber.consent)
        self._departures.end(known, subscriber, SubscriptionEvent.FILE_LEFT)
        changes = [each for each in wanted if self._subscribe(known, each)]
        if fresh or returned:
            return AddResult(Added.ADDED if fresh else Added.RETURNED, refusals)
        if gained:
            return AddResult(Added.SUBSCRIBED, refusals)
        return AddResult(Added.UPDATED if changes else Added.UNCHANGED, refusals)

    def _wanted(
        self, known: KnownSubscriber, subscriber: NewSubscriber, event: SubscriptionEvent, since: datetime | None
    ) -> tuple[list[SubscriptionRecord], tuple[str, ...]]:
        """Return the subscriptions as they are afterwards, and why the others are refused."""
        wanted, refusals = [], []
        for wish in {wish.newsletter: wish for wish in reversed(subscriber.subscriptions)}.values():
            topics = wish.topics or None  # a row without topics leaves those that they chose
            record = changed(
                list(known.records.values()),
                wish.newsletter,
                event,
                since=since,
                source=self._options.source,
                topics=None if wish.newsletter in known.chosen else topics,
            )
            if record is None:
                refusals.append(known.records[wish.newsletter].ending(self._options.at))
            else:
                wanted.append(record)
        return wanted, tuple(refusals)

    def _reasons(self, known: KnownSubscriber, subscriber: NewSubscriber) -> tuple[str, ...]:
        """Return why somebody who unsubscribed is refused; empty if the status says enough."""
        ended = [each for each in known.records.values() if not each.is_subscribed]
        if known.status is not SubscriberStatus.UNSUBSCRIBED or not ended:
            return ()
        names = [wish.newsletter for wish in subscriber.subscriptions]
        if asked := [each.ending(self._options.at) for each in ended if each.newsletter in names]:
            return tuple(asked)
        newest = max((each.since for each in ended if each.since), default=None)
        removed = all(each.status is SubscriptionStatus.REMOVED for each in ended)
        return (f"{'was unsubscribed' if removed else 'unsubscribed'}{on_date(newest, self._options.at)}",)

    def _bring_back(self, known: KnownSubscriber, status: SubscriberStatus, detail: str) -> None:
        change = sa.update(subscribers).where(subscribers.c.id == known.id, subscribers.c.status == known.status)
        confirmed = sa.func.coalesce(
            subscribers.c.confirmed_at, sa.literal(self._options.at, subscribers.c.created_at.type)
        )
        self._connection.execute(change.values(status=status, bounces=0, confirmed_at=confirmed))
        known.status = status
        self._rows.record(known, "returned", detail)

    def _subscribe(self, known: KnownSubscriber, record: SubscriptionRecord) -> bool:
        """Save a subscription; return whether it began or has different topics."""
        before = known.records.get(record.newsletter)
        if record == before:
            return False
        self._rows.save(known, record)
        if before is not None and (before.status, before.topics) == (record.status, record.topics):
            return False  # only its date is new
        topics = encode_topics(record.topics)
        self._rows.record(known, "subscribed", record.newsletter + (f" {topics}" if record.topics else ""))
        return True
