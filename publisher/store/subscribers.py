"""Who reads what, and how we know that they asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.model import Choice, Subscriber, SubscriberStatus, Subscription
from publisher.store.additions import Added, Batch, NewSubscriber, address_key, consent_row
from publisher.store.audience import choices
from publisher.store.engine import Database
from publisher.store.tables import consent_events, subscribers, subscriptions
from publisher.store.topics import decode_topics

PAGE = 1_000  # rows a query; memory stays flat however many subscribers there are


@dataclass(frozen=True, slots=True)
class ConsentEvent:
    """One entry of a person's consent history, which only grows."""

    at: datetime
    what: str
    source: str
    detail: str


class Subscribers:
    """The tables of people; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewSubscriber, *, at: datetime, source: str, again: bool = False) -> Added:
        """Add one person; see add_many."""
        return self.add_many([new], at=at, source=source, again=again)[0]

    def add_many(self, new: Sequence[NewSubscriber], *, at: datetime, source: str, again: bool = False) -> list[Added]:
        """Add people in one transaction, and record where their consent came from.

        A known address keeps its name, language and topics, and gains the newsletters it lacks. One that is
        not active is refused, unless `again` vouches for new consent: then those who unsubscribed come back.
        Doing the same twice changes nothing. Returns what became of each, in their order. Pass many in groups
        of at most 10,000.
        """
        with self._database.write() as connection:
            batch = Batch(connection, self._database, at, source, again)
            return batch.add(new)

    def get(self, address: str) -> Subscriber | None:
        """Return the subscriber of a normalised address, in whatever status."""
        return self._one(subscribers.c.address_key == address_key(address))

    def by_uid(self, uid: str) -> Subscriber | None:
        """Return the subscriber of a public uid, in whatever status."""
        return self._one(subscribers.c.uid == uid)

    def list(self, newsletter: str | None = None, status: SubscriberStatus | None = None) -> Iterator[Subscriber]:
        """Yield subscribers, oldest first, read in pages: memory stays flat for any number."""
        query = sa.select(subscribers).order_by(subscribers.c.id).limit(PAGE)
        query = query.where(*_matching(newsletter, status))
        last = 0
        while True:
            with self._database.read() as connection:
                rows = connection.execute(query.where(subscribers.c.id > last)).all()
                page = _with_subscriptions(connection, rows)
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].id

    def count(self, newsletter: str | None = None, status: SubscriberStatus | None = None) -> int:
        """Return how many subscribers there are, of one newsletter or status if given."""
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_matching(newsletter, status))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def choices(self, newsletter: str) -> Sequence[Choice]:
        """Return each choice of topics that active subscribers of the newsletter hold, and how many hold it."""
        with self._database.read() as connection:
            return choices(connection, newsletter)

    def remove(self, address: str, newsletter: str | None = None, *, at: datetime, source: str) -> bool:
        """Stop all mail to a normalised address, or one newsletter's, and record it.

        The row stays, so that no import brings the person back. Returns whether anything changed.
        """
        of_person = subscribers.c.address_key == address_key(address)
        with self._database.write() as connection:
            person = connection.execute(sa.select(subscribers.c.id, subscribers.c.status).where(of_person)).first()
            if person is None:
                return False
            changed = _leave(connection, person.id, newsletter)
            if changed:
                what = "left" if newsletter else "unsubscribed"
                event = consent_row(person.id, at, what, source, newsletter or "")
                connection.execute(sa.insert(consent_events), [event])
            return changed

    def consent(self, subscriber_id: int) -> Sequence[ConsentEvent]:
        """Return what the person agreed to and took back, oldest first."""
        query = (
            sa.select(consent_events)
            .where(consent_events.c.subscriber_id == subscriber_id)
            .order_by(consent_events.c.id)
        )
        with self._database.read() as connection:
            return [ConsentEvent(row.at, row.what, row.source, row.detail) for row in connection.execute(query)]

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(subscribers).where(condition)).all()
            return next(iter(_with_subscriptions(connection, rows)), None)


def _matching(newsletter: str | None, status: SubscriberStatus | None) -> Iterable[sa.ColumnElement[bool]]:
    if status is not None:
        yield subscribers.c.status == status
    if newsletter is not None:
        of_newsletter = sa.select(subscriptions.c.subscriber_id).where(subscriptions.c.newsletter == newsletter)
        yield subscribers.c.id.in_(of_newsletter)


def _leave(connection: Connection, subscriber_id: int, newsletter: str | None) -> bool:
    """Take back one newsletter's subscription, or the right to be mailed at all; return whether it stood."""
    if newsletter is not None:
        subscription = sa.delete(subscriptions).where(
            subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.newsletter == newsletter
        )
        return connection.execute(subscription).rowcount > 0
    change = sa.update(subscribers).where(
        subscribers.c.id == subscriber_id,
        subscribers.c.status.in_([SubscriberStatus.ACTIVE, SubscriberStatus.PENDING]),
    )
    return connection.execute(change.values(status=SubscriberStatus.UNSUBSCRIBED)).rowcount > 0


def _with_subscriptions(connection: Connection, rows: Sequence[Row[Any]]) -> list[Subscriber]:
    """Return rows of `subscribers` as people, their subscriptions read with one query for all."""
    if not rows:
        return []
    query = sa.select(subscriptions).where(subscriptions.c.subscriber_id.in_([row.id for row in rows]))
    wishes: dict[int, list[Subscription]] = {}
    for row in connection.execute(query.order_by(subscriptions.c.newsletter)):
        wish = Subscription(row.newsletter, decode_topics(row.topics))
        wishes.setdefault(row.subscriber_id, []).append(wish)
    return [
        Subscriber(
            id=row.id,
            uid=row.uid,
            address=row.address,
            name=row.name,
            language=row.language,
            status=row.status,
            created_at=row.created_at,
            subscriptions=tuple(wishes.get(row.id, ())),
        )
        for row in rows
    ]
