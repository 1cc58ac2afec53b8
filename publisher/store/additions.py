"""Adding any number of subscribers in one transaction. The same rules apply to one subscriber and to a million."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.newsletter_models import SubscriberStatus, Subscription, SuppressionReason
from publisher.core.subscriber_status import SubscriberEvent, next_status
from publisher.store.consent import event_row
from publisher.store.database import Database
from publisher.store.subscriber_records import Added, AddOptions, NewSubscriber, address_key, encode_topics
from publisher.store.suppressions import Suppressions
from publisher.store.tables import consent_events, subscribers, subscriptions


@dataclass(slots=True)
class _Known:
    """The state of a subscriber who is in the database, while a batch is being added.

    topics   newsletter -> the encoded topics that the subscriber has chosen
    chosen   the newsletters that this batch has changed. If a batch names a newsletter twice, the first entry counts
    """

    id: int
    status: SubscriberStatus
    topics: dict[str, str] = field(default_factory=dict)
    chosen: set[str] = field(default_factory=set)


class Batch:
    """A batch of subscribers to add in one transaction, with a few statements for any number of them."""

    def __init__(
        self, connection: Connection, database: Database, suppressed: Suppressions, options: AddOptions
    ) -> None:
        self._connection = connection
        self._database = database
        self._suppressions = suppressed
        self._options = options
        self._events: list[dict[str, Any]] = []
        self._subscriptions: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []

    def add(self, new: Sequence[NewSubscriber]) -> list[Added]:
        """Add subscribers and return the result for each, in order. The caller must hold Database.guard."""
        keys = [address_key(subscriber.address) for subscriber in new]
        refused = self._refused(set(keys))
        pairs = [(key, subscriber) for key, subscriber in zip(keys, new, strict=True) if key not in refused]
        # Reversed, so that the dictionary keeps the first of two spellings of an address.
        fresh = self._insert_unknown(dict(reversed(pairs)))
        known = self._known([key for key, _ in pairs])
        results = []
        for key, subscriber in zip(keys, new, strict=True):
            settled = self._settle(known[key], subscriber, key in fresh) if key in known else refused[key]
            results.append(settled)
            fresh.discard(key)  # the same address again in this batch is no longer new
        self._write()
        return results

    def _refused(self, keys: set[str]) -> dict[str, Added]:
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

    def _write(self) -> None:
        in_one_order = itemgetter("subscriber_id", "newsletter")  # as in _insert_unknown
        if self._subscriptions:
            ordered = sorted(self._subscriptions, key=in_one_order)
            self._connection.execute(self._database.insert_new(subscriptions), ordered)
        for row in sorted(self._changed, key=in_one_order):
            change = sa.update(subscriptions).where(
                subscriptions.c.subscriber_id == row["subscriber_id"], subscriptions.c.newsletter == row["newsletter"]
            )
            self._connection.execute(change.values(topics=row["topics"]))
        if self._events:
            self._connection.execute(sa.insert(consent_events), self._events)

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
                "status": next_status(None, self._options.event),
                "created_at": self._options.at,
                "confirmed_at": self._options.at,
            }
            for key, subscriber in sorted(unknown.items())  # so that two imports lock rows in the same order
        ]
        self._connection.execute(self._database.insert_new(subscribers), rows)
        query = sa.select(subscribers.c.address_key, subscribers.c.uid).where(subscribers.c.address_key.in_(unknown))
        return {row.address_key for row in self._connection.execute(query) if row.uid == uids[row.address_key]}

    def _known(self, keys: Sequence[str]) -> dict[str, _Known]:
        query = (
            sa.select(
                subscribers.c.id,
                subscribers.c.address_key,
                subscribers.c.status,
                subscriptions.c.newsletter,
                subscriptions.c.topics,
            )
            .outerjoin_from(subscribers, subscriptions)
            .where(subscribers.c.address_key.in_(set(keys)))
        )
        known: dict[str, _Known] = {}
        for row in self._connection.execute(query):
            subscriber = known.setdefault(row.address_key, _Known(row.id, row.status))
            if row.newsletter is not None:
                subscriber.topics[row.newsletter] = row.topics
        return known

    def _settle(self, known: _Known, subscriber: NewSubscriber, fresh: bool) -> Added:
        after = next_status(known.status, self._options.event)
        if after is None:
            return Added(known.status.value)
        returned = after is not known.status
        if returned:
            self._bring_back(known, after, subscriber.consent)
        if fresh:
            self._record(known, "added", subscriber.consent)
        gained, changed = self._choose(known, subscriber.subscriptions)
        if fresh or returned:
            return Added.ADDED if fresh else Added.RETURNED
        if gained:
            return Added.SUBSCRIBED
        return Added.UPDATED if changed else Added.UNCHANGED

    def _choose(self, known: _Known, wishes: Sequence[Subscription]) -> tuple[bool, bool]:
        """Collect the changes to a subscriber's newsletters and topics.

        Return two flags: whether a newsletter was added, and whether the topics of an existing one changed.
        """
        gained = changed = False
        for wish in wishes:
            topics = _encoded(wish.topics)
            held = known.topics.get(wish.newsletter)
            if held is None:
                gained = True
            elif not wish.topics or wish.newsletter in known.chosen or held == topics:
                continue
            else:
                changed = True
            self._subscribe(known, wish.newsletter, topics, self._subscriptions if held is None else self._changed)
        return gained, changed

    def _bring_back(self, known: _Known, status: SubscriberStatus, detail: str) -> None:
        change = sa.update(subscribers).where(subscribers.c.id == known.id, subscribers.c.status == known.status)
        confirmed = sa.func.coalesce(
            subscribers.c.confirmed_at, sa.literal(self._options.at, subscribers.c.created_at.type)
        )
        self._connection.execute(change.values(status=status, bounces=0, confirmed_at=confirmed))
        known.status = status
        self._record(known, "returned", detail)

    def _subscribe(self, known: _Known, newsletter: str, topics: str, rows: list[dict[str, Any]]) -> None:
        known.topics[newsletter] = topics
        known.chosen.add(newsletter)
        rows.append({"subscriber_id": known.id, "newsletter": newsletter, "topics": topics})
        self._record(known, "subscribed", newsletter if topics == "[]" else f"{newsletter} {topics}")

    def _record(self, known: _Known, what: str, detail: str) -> None:
        self._events.append(event_row(known.id, self._options.at, what, self._options.source, detail))


@lru_cache(maxsize=1_000)
def _encoded(topics: tuple[str, ...]) -> str:
    return encode_topics(topics)
