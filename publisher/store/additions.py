"""Adding people: one transaction for any number, the same rules for one and for a million."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.model import SubscriberStatus, Subscription
from publisher.store.engine import Database
from publisher.store.tables import consent_events, subscribers, subscriptions
from publisher.store.topics import encode_topics


def address_key(address: str) -> str:
    """Return a text that is equal for every spelling of an address: case and Unicode form do not count."""
    composed = unicodedata.normalize("NFC", address)
    return unicodedata.normalize("NFC", composed.casefold())


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """Someone to add. address is normalised already (subscribers/address.py); no subscriptions is allowed."""

    address: str
    name: str = ""
    language: str = ""
    subscriptions: tuple[Subscription, ...] = ()


class Added(StrEnum):
    """What became of one NewSubscriber."""

    ADDED = "added"
    SUBSCRIBED = "subscribed"  # was known and active, and gained a newsletter
    UNCHANGED = "unchanged"
    REFUSED = "refused"  # is known, and left or bounced: only the person can come back
    RETURNED = "returned"  # had left, and the caller vouches that they asked again


@dataclass(slots=True)
class _Known:
    """A person's row as it stands while a batch is added."""

    id: int
    status: SubscriberStatus
    newsletters: set[str]


class Batch:
    """One transaction of additions: a few statements for any number of people."""

    def __init__(
        self,
        connection: Connection,
        database: Database,
        at: datetime,
        source: str,
        again: bool,
    ) -> None:
        self._connection = connection
        self._database = database
        self._at = at
        self._source = source
        self._again = again
        self._events: list[dict[str, Any]] = []
        self._subscriptions: list[dict[str, Any]] = []

    def add(self, new: Sequence[NewSubscriber]) -> list[Added]:
        keys = [address_key(person.address) for person in new]
        # Reversed, so that the first of two spellings of one address is the one that is kept.
        fresh = self._insert_unknown(dict(zip(reversed(keys), reversed(new), strict=True)))
        known = self._known(keys)
        results = []
        for key, person in zip(keys, new, strict=True):
            results.append(self._settle(known[key], person, key in fresh))
            fresh.discard(key)  # the same address again in this batch is no longer new
        if self._subscriptions:
            self._connection.execute(self._database.insert_new(subscriptions), self._subscriptions)
        if self._events:
            self._connection.execute(sa.insert(consent_events), self._events)
        return results

    def _insert_unknown(self, people: dict[str, NewSubscriber]) -> set[str]:
        """Insert those whose key is not there, and return their keys."""
        uids = {key: secrets.token_hex(12) for key in people}
        rows = [
            {
                "uid": uids[key],
                "address": person.address,
                "address_key": key,
                "name": person.name,
                "language": person.language,
                "status": SubscriberStatus.ACTIVE,
                "created_at": self._at,
            }
            for key, person in sorted(people.items())  # two imports at once lock in one order
        ]
        self._connection.execute(self._database.insert_new(subscribers), rows)
        query = sa.select(subscribers.c.address_key, subscribers.c.uid).where(subscribers.c.address_key.in_(people))
        return {row.address_key for row in self._connection.execute(query) if row.uid == uids[row.address_key]}

    def _known(self, keys: Sequence[str]) -> dict[str, _Known]:
        query = (
            sa.select(
                subscribers.c.id,
                subscribers.c.address_key,
                subscribers.c.status,
                subscriptions.c.newsletter,
            )
            .outerjoin_from(subscribers, subscriptions)
            .where(subscribers.c.address_key.in_(set(keys)))
        )
        known: dict[str, _Known] = {}
        for row in self._connection.execute(query):
            person = known.setdefault(row.address_key, _Known(row.id, row.status, set()))
            if row.newsletter is not None:
                person.newsletters.add(row.newsletter)
        return known

    def _settle(self, known: _Known, person: NewSubscriber, fresh: bool) -> Added:
        returned = self._again and known.status is SubscriberStatus.UNSUBSCRIBED
        if returned:
            self._revive(known)
        if known.status is not SubscriberStatus.ACTIVE:
            return Added.REFUSED
        if fresh:
            self._record(known, "added", "")
        gained = [wish for wish in person.subscriptions if wish.newsletter not in known.newsletters]
        for wish in gained:
            self._subscribe(known, wish)
        if fresh or returned:
            return Added.ADDED if fresh else Added.RETURNED
        return Added.SUBSCRIBED if gained else Added.UNCHANGED

    def _revive(self, known: _Known) -> None:
        change = sa.update(subscribers).where(subscribers.c.id == known.id)
        self._connection.execute(change.values(status=SubscriberStatus.ACTIVE))
        known.status = SubscriberStatus.ACTIVE
        self._record(known, "returned", "")

    def _subscribe(self, known: _Known, wish: Subscription) -> None:
        known.newsletters.add(wish.newsletter)
        topics = encode_topics(wish.topics)
        row = {"subscriber_id": known.id, "newsletter": wish.newsletter, "topics": topics}
        self._subscriptions.append(row)
        self._record(known, "subscribed", wish.newsletter if topics == "[]" else f"{wish.newsletter} {topics}")

    def _record(self, known: _Known, what: str, detail: str) -> None:
        self._events.append(consent_row(known.id, self._at, what, self._source, detail))


def consent_row(subscriber_id: int, at: datetime, what: str, source: str, detail: str) -> dict[str, Any]:
    """Return one row of consent_events."""
    return {"subscriber_id": subscriber_id, "at": at, "what": what, "source": source, "detail": detail}
