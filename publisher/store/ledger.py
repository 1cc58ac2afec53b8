"""The ledger for people to read: pages of deliveries, counts of reasons, and changes to many deliveries at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import DeliveryStatus, EditionKind
from publisher.store.database import Database
from publisher.store.deliveries import Moves, found_in, moved
from publisher.store.edition_filling import complete
from publisher.store.tables import deliveries, editions, subscribers

PAGE = 1_000  # rows per query, so that memory use stays constant for any number of deliveries


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A delivery, as it is shown to people.

    attempts     how often the message was handed over to the mail server
    next_try_at  when the next attempt is due; None if there will be none
    reason       the mail server's last reply, or another reason for the status
    """

    id: int
    subscriber_id: int
    subscriber_uid: str
    address: str
    status: DeliveryStatus
    attempts: int
    next_try_at: datetime | None
    sent_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """The number of deliveries that are in one status for the same reason."""

    status: DeliveryStatus
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An edition and the numbers of its uncertain and failed messages. id: the number of the edition."""

    id: int
    newsletter: str
    slot: str
    uncertain: int
    failed: int


class Ledger:
    """The table of deliveries; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, edition_id: int, statuses: Collection[DeliveryStatus] = ()) -> Iterator[LedgerRow]:
        """Yield the edition's deliveries in these statuses (by default all), in the order in which subscribers joined.

        The deliveries are read in pages, so that memory use stays constant, and no transaction stays open while the
        caller works on a page.
        """
        last = 0
        while page := self.page(edition_id, statuses, after=last, limit=PAGE):
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].subscriber_id

    def page(
        self, edition_id: int, statuses: Collection[DeliveryStatus] = (), *, after: int = 0, limit: int
    ) -> Sequence[LedgerRow]:
        """Return a page of up to `limit` of the deliveries that `rows` yields.

        after: the subscriber_id of the last row on the previous page; 0 for the first page.
        """
        # By subscriber, because the index of edition and subscriber gives any page without sorting.
        query = (
            sa.select(
                deliveries.c.id,
                deliveries.c.subscriber_id,
                subscribers.c.uid,
                subscribers.c.address,
                deliveries.c.status,
                deliveries.c.attempts,
                deliveries.c.next_try_at,
                deliveries.c.sent_at,
                deliveries.c.reason,
            )
            .join_from(deliveries, subscribers)
            .where(deliveries.c.edition_id == edition_id, deliveries.c.subscriber_id > after)
            .order_by(deliveries.c.subscriber_id)
            .limit(limit)
        )
        if statuses:
            query = query.where(deliveries.c.status.in_(statuses))
        with self._database.read() as connection:
            return [LedgerRow(*row) for row in connection.execute(query)]

    def reasons(
        self, edition_id: int, statuses: Collection[DeliveryStatus] = (), *, limit: int | None = None
    ) -> Sequence[ReasonCount]:
        """Return the reasons of deliveries in these statuses (by default all), most frequent first.

        The recipient's address is replaced with "…", so that reasons that differ only in the address become equal.
        """
        total = sa.func.count().label("total")
        words = sa.func.replace(deliveries.c.reason, subscribers.c.address, "…").label("words")
        query = (
            sa.select(deliveries.c.status, words, total)
            .join_from(deliveries, subscribers)
            .where(deliveries.c.edition_id == edition_id, deliveries.c.reason != "")
            .group_by(deliveries.c.status, words)
            .order_by(total.desc(), deliveries.c.status, words)
            .limit(limit)
        )
        if statuses:
            query = query.where(deliveries.c.status.in_(statuses))
        with self._database.read() as connection:
            return [ReasonCount(*row) for row in connection.execute(query)]

    def undelivered(self, since: datetime) -> Sequence[Undelivered]:
        """Return the editions made since a moment that have uncertain or failed messages, oldest first.

        Welcome and farewell emails are sent for years: of these, uncertain ones always count, and failed ones never do.
        """
        require_aware("since", since)
        lasting = editions.c.kind.in_((EditionKind.WELCOME, EditionKind.FAREWELL))
        recent = sa.select(editions.c.id, editions.c.newsletter, editions.c.slot, (~lasting).label("counts_failed"))
        recent = recent.where(lasting | (editions.c.made_at >= since)).order_by(editions.c.id)
        with self._database.read() as connection:
            known = connection.execute(recent).all()
            # By the editions' ids, so that only their part of the index is read.
            of_edition, kinds = deliveries.c.edition_id, (DeliveryStatus.UNCERTAIN, DeliveryStatus.FAILED)
            query = (
                sa.select(of_edition, deliveries.c.status, sa.func.count())
                .where(of_edition.in_([row.id for row in known]), deliveries.c.status.in_(kinds))
                .group_by(of_edition, deliveries.c.status)
            )
            counts = {(edition, status): int(count) for edition, status, count in connection.execute(query)}
        found = []
        for row in known:
            uncertain = counts.get((row.id, DeliveryStatus.UNCERTAIN), 0)
            failed = counts.get((row.id, DeliveryStatus.FAILED), 0) if row.counts_failed else 0
            if uncertain or failed:
                found.append(Undelivered(row.id, row.newsletter, row.slot, uncertain, failed))
        return found

    def next_try(self, edition_id: int) -> datetime | None:
        """Return when the next delivery of an edition is due, or None if no delivery is waiting."""
        query = sa.select(sa.func.min(deliveries.c.next_try_at)).where(deliveries.c.edition_id == edition_id)
        with self._database.read() as connection:
            first: datetime | None = connection.execute(query).scalar()
            return first

    def move(
        self,
        edition_id: int,
        moves: Moves,
        *,
        next_try_at: datetime | None,
        reason: str | None = None,
        unless_due_by: datetime | None = None,
    ) -> int:
        """Change the status of all deliveries of the edition as `moves` says; return how many were changed.

        Leased deliveries are left alone, because they are being sent. Missing deliveries are written first.

        next_try_at    when the deliveries are due after the change; None if they are over
        reason         the new reason, or None to keep the old one
        unless_due_by  leave deliveries alone that are due by this moment
        """
        values: dict[str, Any] = {"status": moved(moves), "next_try_at": next_try_at}
        if reason is not None:
            values["reason"] = reason
        free = deliveries.c.lease_owner.is_(None)
        change = sa.update(deliveries).where(deliveries.c.edition_id == edition_id, found_in(moves), free)
        if unless_due_by is not None:
            change = change.where(deliveries.c.next_try_at.is_(None) | (deliveries.c.next_try_at > unless_due_by))
        complete(self._database, editions.c.id == edition_id)
        with self._database.write() as connection:
            return connection.execute(change.values(**values)).rowcount
