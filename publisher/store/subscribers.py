"""Subscribers: adding, finding, listing and counting them, and reading everything stored about one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import sqlalchemy as sa

from publisher.core.newsletter_models import Choice, Subscriber, SubscriberStatus
from publisher.core.subscriber_fields import FieldKind
from publisher.core.subscriber_status import SubscriberEvent
from publisher.store import bounces, consent, erasure, requested_emails, subscriber_tags
from publisher.store.additions import Batch
from publisher.store.audience import choices, mailable
from publisher.store.catch_up import lock_newsletter
from publisher.store.database import Database
from publisher.store.segment_sql import in_segment
from publisher.store.subscriber_records import (
    Added,
    AddOptions,
    AddResult,
    ConsentEvent,
    EmailTrigger,
    Evidence,
    FullRecord,
    IssuedToken,
    NewSubscriber,
    PendingChange,
    address_key,
)
from publisher.store.subscriber_transaction import SubscriberTransaction
from publisher.store.subscriptions import subscribed, with_subscriptions
from publisher.store.suppressions import Suppressions
from publisher.store.tables import subscribers, subscriptions

PAGE = 1_000  # rows per query, so that memory use stays constant for any number of subscribers


class Subscribers:
    """The tables of subscribers; part of Store."""

    def __init__(self, database: Database, suppressed: Suppressions) -> None:
        self._database = database
        self._suppressions = suppressed

    def add(self, new: NewSubscriber, *, at: datetime, source: str, again: bool = False) -> Added:
        """Add a subscriber; see add_many."""
        return self.add_many([new], at=at, source=source, again=again)[0]

    def add_many(self, new: Sequence[NewSubscriber], *, at: datetime, source: str, again: bool = False) -> list[Added]:
        """Add subscribers for whom the operator vouches; see add_all.

        again: whether the operator also vouches that those who unsubscribed or bounced asked to come back.
        """
        event = SubscriberEvent.READDED if again else SubscriberEvent.ADDED
        return [added.result for added in self.add_all(new, AddOptions(at, source, event))]

    def add_all(self, new: Sequence[NewSubscriber], options: AddOptions, *, dry_run: bool = False) -> list[AddResult]:
        """Add subscribers in one transaction, and record where their consent came from.

        A known address keeps its name and language, and is subscribed to the newsletters that it does not have yet. For
        a newsletter that it already has, the topics are replaced unless they are empty. An address is refused if it is
        suppressed, or if core/subscriber_status.py allows no change from its status; a newsletter is refused if
        core/subscription_status.py allows no change from the status of the subscription. Adding the same subscribers
        again changes nothing. Several rows for one address are applied one after the other, with the same result as in
        one transaction each; only of topics the first choice counts.

        If a file says that somebody must not get email (NewSubscriber.says, or `ended`), that is recorded. If they are
        known, the later statement counts: an opt-in here after `said_at` stays; unless both dates are known, the
        opt-out in the file counts. An opt-out that is known here stays in any case. COMPLAINED and SUPPRESSED also put
        the address on the suppression list; someone unknown whom a file only calls SUPPRESSED gets no other row.

        Return the result for each subscriber, in order. Pass at most 10,000 subscribers at once.
        dry_run: return the same results, but write nothing.
        """
        # Because it has the lock to itself, a batch may insert people in any order, so it uses the order of the file.
        alone = len(new) > 1 or any(
            each.says in (SubscriberEvent.COMPLAINED, SubscriberEvent.SUPPRESSED) for each in new
        )
        with self._database.write(dry_run=dry_run) as connection:
            self._database.guard(connection, alone=alone)
            return Batch(connection, self._database, self._suppressions, options).add(new)

    @contextmanager
    def transaction(
        self, now: datetime, *, alone: bool = False, dry_run: bool = False, newsletters: Iterable[str] = ()
    ) -> Iterator[SubscriberTransaction]:
        """Open a transaction on subscribers, and yield its operations. Any exception rolls the transaction back.

        alone: make all other transactions on subscribers wait. Suppressing and erasing need this, so that no other
        transaction can add the address at the same time.
        dry_run: roll back at the end in any case.
        newsletters: make new editions of these wait. Changing a subscriber's frequency needs this.
        """
        with self._database.write(dry_run=dry_run) as connection:
            self._database.guard(connection, alone=alone)
            for each in sorted(newsletters):
                lock_newsletter(connection, self._database, each)
            yield SubscriberTransaction(connection, self._database, self._suppressions, now)

    def get(self, address: str) -> Subscriber | None:
        """Return the subscriber with a normalised address, whatever their status, or None."""
        return self._one(subscribers.c.address_key == address_key(address))

    def similar(self, address: str, most: int = 2_000) -> Sequence[str]:
        """Return addresses that a mistyped one may be meant for: with the same local part, beginning or domain.

        most: the maximum number of addresses to return, likeliest first, because a large provider has a great many.
        """
        column = subscribers.c.address_key
        local, _, domain = address_key(address).rpartition("@")
        half = max(2, len(local) // 2)
        like = [column.startswith(start, autoescape=True) for start in (f"{local}@", local[:half])]
        like += [column.endswith(end, autoescape=True) for end in (f"{local[-half:]}@{domain}", f"@{domain}")]
        rank = sa.case(*((each, number) for number, each in enumerate(like)))
        query = sa.select(subscribers.c.address).where(sa.or_(*like)).order_by(rank, subscribers.c.id)
        with self._database.read() as connection:
            return list(connection.execute(query.limit(most)).scalars())

    def by_uid(self, uid: str) -> Subscriber | None:
        """Return the subscriber with a public uid, whatever their status, or None."""
        return self._one(subscribers.c.uid == uid)

    def list(self, newsletter: str | None = None, status: SubscriberStatus | None = None) -> Iterator[Subscriber]:
        """Yield subscribers, oldest first, optionally only those of one newsletter or in one status.

        With a newsletter, the status is that of its subscribers (Subscriber.status_in): someone who unsubscribed from
        only this newsletter is unsubscribed. Without a status, everyone who was ever subscribed to it is included. They
        are read in pages, so that memory use stays constant.
        """
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

    def full_records(self, those: Iterable[Subscriber] | None = None) -> Iterator[FullRecord]:
        """Yield subscribers with everything that an export needs: all of them, oldest first, or only the given ones."""
        people = self.list() if those is None else iter(those)
        while page := list(islice(people, PAGE)):
            with self._database.read() as connection:
                events = consent.histories(connection, [person.id for person in page])
                listed = self._suppressions.entries_among(connection, {address_key(each.address) for each in page})
            for person in page:
                yield FullRecord(person, events.get(person.id, ()), listed.get(address_key(person.address)))

    def count(
        self,
        newsletter: str | None = None,
        status: SubscriberStatus | None = None,
        *,
        mailable_at: datetime | None = None,
    ) -> int:
        """Return the number of subscribers, optionally only those of one newsletter or in one status; see `list`.

        mailable_at: count only subscribers who may get email at this moment.
        """
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_matching(newsletter, status))
        if mailable_at is not None:
            query = query.where(mailable(mailable_at))
            if newsletter is not None:
                query = query.where(_has(newsletter, subscribed()))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def tags_in_use(self) -> dict[str, int]:
        """Return how many subscribers have each tag, sorted by tag."""
        with self._database.read() as connection:
            return subscriber_tags.tags_in_use(connection)

    def known_fields(self) -> dict[str, FieldKind]:
        """Return the fields for which subscribers have or had values, sorted by name. The settings may name others."""
        with self._database.read() as connection:
            return subscriber_tags.known_fields(connection)

    def count_unfit(self, name: str, kind: FieldKind) -> int:
        """Return how many subscribers have a value in a field that is not of a given kind."""
        with self._database.read() as connection:
            return subscriber_tags.count_unfit(connection, name, kind)

    def choices(
        self,
        newsletter: str,
        at: datetime,
        segment: str = "",
        *,
        frequency: str | None = None,
        once: Sequence[str] = (),
    ) -> Sequence[Choice]:
        """Return each selection of topics among the subscribers who may be sent the newsletter, with its count.

        segment: the condition that they must meet; "" for all. The time zone of `at` says when its days begin.
        See the function `choices` for the other arguments.
        """
        with self._database.read() as connection:
            these = in_segment(segment, at)
            return choices(connection, newsletter, at, *these, frequency=frequency, once=once)

    def any_out_of_step(self, newsletter: str) -> bool:
        """Return whether any subscriber of a newsletter has posts to catch up with after changing the frequency."""
        query = sa.select(subscriptions.c.newsletter).where(
            subscriptions.c.newsletter == newsletter, subscriptions.c.catch_up != ""
        )
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def counts(self) -> dict[SubscriberStatus, int]:
        """Return how many subscribers are in each status."""
        query = sa.select(subscribers.c.status, sa.func.count().label("total")).group_by(subscribers.c.status)
        with self._database.read() as connection:
            return {row.status: row.total for row in connection.execute(query)}

    def remove(self, address: str, newsletter: str | None = None, *, at: datetime, source: str) -> bool:
        """Unsubscribe a normalised address for the operator, and record it; return whether anything changed.

        The subscriber stays in the database, so that no import and no link can subscribe them again.
        newsletter: the newsletter to unsubscribe from; None for all newsletters.
        """
        with self.transaction(at) as transaction:
            subscriber = transaction.find(address)
            return subscriber is not None and transaction.remove(subscriber, newsletter, Evidence(source))

    def count_unconfirmed(self, asked_before: datetime) -> int:
        """Return how many subscribers were last asked to confirm before a moment and have not done so."""
        with self._database.read() as connection:
            return erasure.count_unconfirmed(connection, asked_before)

    def delete_unconfirmed(self, asked_before: datetime) -> int:
        """Delete a group of subscribers who were last asked to confirm before a moment, with all their rows.

        Return how many were deleted, or 0 when there are none left to delete.
        """
        with self._database.write() as connection:
            self._database.guard(connection)
            return erasure.delete_unconfirmed(connection, asked_before)

    def delete_tokens(self, expired_before: datetime) -> int:
        """Delete the tokens that expired before a moment; return how many were deleted."""
        with self._database.write() as connection:
            return erasure.delete_tokens(connection, expired_before)

    def scrub(self) -> bool:
        """Remove the remains of deleted rows from the database files; return False if another process is reading."""
        return erasure.scrub(self._database)

    def consent(self, subscriber_id: int) -> Sequence[ConsentEvent]:
        """Return a subscriber's history of consent, oldest event first."""
        with self._database.read() as connection:
            return consent.history(connection, subscriber_id)

    def deliveries(self, subscriber_id: int) -> Sequence[dict[str, Any]]:
        """Return a subscriber's deliveries, oldest first, as rows for the export of their data."""
        with self._database.read() as connection:
            return erasure.deliveries_of(connection, subscriber_id)

    def bounces(self, subscriber_id: int) -> Sequence[dict[str, Any]]:
        """Return a subscriber's bounces, oldest first, as rows for the export of their data."""
        with self._database.read() as connection:
            return bounces.of_subscriber(connection, subscriber_id)

    def token(self, token_hash: str, purpose: str, now: datetime) -> IssuedToken | None:
        """Return the token with this hash if it is valid for the purpose and unused, else None. Nothing is changed."""
        with self._database.read() as connection:
            return consent.find_token(connection, token_hash, purpose, now)

    def mailed_change(self, address: str, purpose: str, *, now: datetime) -> PendingChange | None:
        """Return the change that the newest token sent to an address can still make, or None."""
        with self._database.read() as connection:
            return consent.mailed_change(connection, address_key(address), purpose, now)

    def must_wait(self, mailbox: str, trigger: EmailTrigger, waits: Sequence[timedelta], now: datetime) -> bool:
        """Return whether a mailbox may not get such an email yet; see SubscriberTransaction.claim_email."""
        with self._database.read() as connection:
            mailbox_hash = self._suppressions.hash_mailbox(connection, mailbox)
            return requested_emails.must_wait(connection, mailbox_hash, trigger, waits, now)

    def emails_since(self, trigger: EmailTrigger, moment: datetime) -> int:
        """Return how many mailboxes got an email with this trigger after a moment."""
        with self._database.read() as connection:
            return requested_emails.count_since(connection, trigger, moment)

    def tokens(self, subscriber_id: int) -> Sequence[IssuedToken]:
        """Return all tokens of a subscriber, used or not, oldest first."""
        with self._database.read() as connection:
            return consent.tokens_of(connection, subscriber_id)

    def by_id(self, subscriber_id: int) -> Subscriber | None:
        """Return the subscriber with a row number, whatever their status, or None."""
        return self._one(subscribers.c.id == subscriber_id)

    def _one(self, condition: sa.ColumnElement[bool]) -> Subscriber | None:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(subscribers).where(condition)).all()
            return next(iter(with_subscriptions(connection, rows)), None)


def _matching(newsletter: str | None, status: SubscriberStatus | None) -> Iterable[sa.ColumnElement[bool]]:
    if newsletter is None:
        if status is not None:
            yield subscribers.c.status == status
        return
    is_active = subscribers.c.status == SubscriberStatus.ACTIVE
    match status:
        case None:
            yield _has(newsletter)
        case SubscriberStatus.ACTIVE:
            yield is_active & _has(newsletter, subscribed())
        case SubscriberStatus.UNSUBSCRIBED:
            yield _has(newsletter) & ((subscribers.c.status == status) | (is_active & _has(newsletter, ~subscribed())))
        case _:
            yield (subscribers.c.status == status) & _has(newsletter)


def _has(newsletter: str, *which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber has a record for a newsletter that meets the conditions `which`."""
    theirs = sa.select(subscriptions.c.subscriber_id).where(subscriptions.c.newsletter == newsletter, *which)
    return subscribers.c.id.in_(theirs)
