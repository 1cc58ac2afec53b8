"""Who reads what, and how we know that they asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from publisher.core.newsletter_models import Choice, Subscriber, SubscriberStatus
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import bounces, consent
from publisher.store import erasure as forgetting
from publisher.store import issued_tokens as tokens
from publisher.store.additions import Added, AddOptions, Batch, NewSubscriber
from publisher.store.audience import choices, mailable
from publisher.store.consent import ConsentEvent, Evidence
from publisher.store.database import Database
from publisher.store.erasure import deliveries_of, scrub
from publisher.store.issued_tokens import IssuedToken, PendingChange
from publisher.store.subscriber_rows import address_key, with_subscriptions
from publisher.store.subscriber_transaction import SubscriberTransaction
from publisher.store.suppressions import Suppressions
from publisher.store.tables import consent_events, subscribers, subscriptions

PAGE = 1_000  # rows a query; memory stays flat however many subscribers there are


class Subscribers:
    """The tables of people; part of Store."""

    def __init__(self, database: Database, suppressed: Suppressions) -> None:
        self._database = database
        self._suppressions = suppressed

    def add(self, new: NewSubscriber, *, at: datetime, source: str, again: bool = False) -> Added:
        """Add one person; see add_many."""
        return self.add_many([new], at=at, source=source, again=again)[0]

    def add_many(self, new: Sequence[NewSubscriber], *, at: datetime, source: str, again: bool = False) -> list[Added]:
        """Add people whom the operator vouches for; see add_all.

        again: the operator vouches that they asked to come back, which those who left or bounced may.
        """
        return self.add_all(new, AddOptions(at, source, SubscriberEvent.READDED if again else SubscriberEvent.ADDED))

    def add_all(self, new: Sequence[NewSubscriber], options: AddOptions, *, dry_run: bool = False) -> list[Added]:
        """Add people in one transaction, and record where their consent came from.

        A known address keeps its name and language, gains the newsletters it lacks, and has the topics that are
        named for those it has; none named leaves them. Whom the table of standings does not let in is refused,
        and so is a suppressed address. Doing the same twice changes nothing. Returns what became of each, in their
        order. Pass many in groups of at most 10,000.
        dry_run: find out and write nothing.
        """
        with self._database.write(dry_run=dry_run) as connection:
            self._database.guard(connection)
            return Batch(connection, self._database, self._suppressions, options).add(new)

    @contextmanager
    def transaction(
        self, now: datetime, *, alone: bool = False, dry_run: bool = False
    ) -> Iterator[SubscriberTransaction]:
        """Give one transaction on people: all of it is kept, or nothing after any exception.

        alone: for who suppresses or erases, so that nobody adds the address in the same moment.
        dry_run: keep nothing.
        """
        with self._database.write(dry_run=dry_run) as connection:
            self._database.guard(connection, alone=alone)
            yield SubscriberTransaction(connection, self._database, self._suppressions, now)

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
                page = with_subscriptions(connection, rows)
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].id

    def count(
        self,
        newsletter: str | None = None,
        status: SubscriberStatus | None = None,
        *,
        mailable_at: datetime | None = None,
    ) -> int:
        """Return how many subscribers there are, of one newsletter or status, or who may be mailed, if given."""
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_matching(newsletter, status))
        if mailable_at is not None:
            query = query.where(mailable(mailable_at))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def choices(self, newsletter: str, at: datetime) -> Sequence[Choice]:
        """Return each choice of topics held by those who may be mailed the newsletter at a moment, and how many do."""
        with self._database.read() as connection:
            return choices(connection, newsletter, at)

    def counts(self) -> dict[SubscriberStatus, int]:
        """Return how many people stand where."""
        query = sa.select(subscribers.c.status, sa.func.count().label("total")).group_by(subscribers.c.status)
        with self._database.read() as connection:
            return {row.status: row.total for row in connection.execute(query)}

    def since(self, moment: datetime) -> dict[str, int]:
        """Return how many events of each kind the histories of consent hold since a moment."""
        what = consent_events.c.what
        query = sa.select(what, sa.func.count().label("total")).where(consent_events.c.at >= moment).group_by(what)
        with self._database.read() as connection:
            return {row.what: row.total for row in connection.execute(query)}

    def remove(self, address: str, newsletter: str | None = None, *, at: datetime, source: str) -> bool:
        """Stop all mail to a normalised address, or one newsletter's, by the operator's word, and record it.

        The row stays, so that no import and no link brings the person back. Returns whether anything changed.
        """
        with self.transaction(at) as transaction:
            subscriber = transaction.find(address)
            return subscriber is not None and transaction.remove(subscriber, newsletter, Evidence(source))

    def count_unconfirmed(self, asked_before: datetime) -> int:
        """Return how many people were last asked to confirm before a moment, and did not."""
        with self._database.read() as connection:
            return forgetting.count_unconfirmed(connection, asked_before)

    def forget_unconfirmed(self, asked_before: datetime) -> int:
        """Delete some of these people and all of theirs; return how many, 0 when none is left."""
        with self._database.write() as connection:
            self._database.guard(connection)
            return forgetting.forget_unconfirmed(connection, asked_before)

    def forget_tokens(self, expired_before: datetime) -> int:
        """Delete the tokens that had expired before a moment; return how many there were."""
        with self._database.write() as connection:
            return forgetting.forget_tokens(connection, expired_before)

    def scrub(self) -> bool:
        """Overwrite what erased rows left in the database's files; return False where a reader is in the way."""
        return scrub(self._database)

    def consent(self, subscriber_id: int) -> Sequence[ConsentEvent]:
        """Return what the person agreed to and took back, oldest first."""
        with self._database.read() as connection:
            return consent.history(connection, subscriber_id)

    def deliveries(self, subscriber_id: int) -> Sequence[dict[str, Any]]:
        """Return what was sent to the person, oldest first."""
        with self._database.read() as connection:
            return deliveries_of(connection, subscriber_id)

    def bounces(self, subscriber_id: int) -> Sequence[dict[str, Any]]:
        """Return what came back of the person's letters, oldest first."""
        with self._database.read() as connection:
            return bounces.of_person(connection, subscriber_id)

    def token(self, token_hash: str, purpose: str, now: datetime) -> IssuedToken | None:
        """Return a good token that was not used; None for any other. Changes nothing."""
        with self._database.read() as connection:
            return tokens.find(connection, token_hash, purpose, now)

    def mailed_wish(self, address: str, purpose: str, *, since: datetime, now: datetime) -> PendingChange | None:
        """Return what a mail to an address, which went after `since`, can still make true; None if none went."""
        with self._database.read() as connection:
            return tokens.mailed(connection, address_key(address), purpose, since, now)

    def tokens(self, subscriber_id: int) -> Sequence[IssuedToken]:
        """Return every token that is kept of a person, used or not, oldest first."""
        with self._database.read() as connection:
            return tokens.of_person(connection, subscriber_id)

    def by_id(self, subscriber_id: int) -> Subscriber | None:
        """Return the subscriber of a row's number, in whatever status."""
        return self._one(subscribers.c.id == subscriber_id)

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(subscribers).where(condition)).all()
            return next(iter(with_subscriptions(connection, rows)), None)


def _matching(newsletter: str | None, status: SubscriberStatus | None) -> Iterable[sa.ColumnElement[bool]]:
    if status is not None:
        yield subscribers.c.status == status
    if newsletter is not None:
        of_newsletter = sa.select(subscriptions.c.subscriber_id).where(subscriptions.c.newsletter == newsletter)
        yield subscribers.c.id.in_(of_newsletter)
