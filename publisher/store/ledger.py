"""The ledger for people: its rows in pages, reasons in groups, and changes of many deliveries at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.database import Database
from publisher.store.deliveries import Moves, found_in, moved
from publisher.store.tables import deliveries, subscribers

PAGE = 1_000  # rows per query, so that memory stays flat for any number of deliveries


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One delivery, for people.

    attempts     how often the message was handed over
    next_try_at  when it is due; None if it is not tried again
    reason       the mail server's last words, or another reason for the status
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
    """How many deliveries are in one status for one reason."""

    status: DeliveryStatus
    reason: str
    count: int


class Ledger:
    """The table of deliveries; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def rows(self, edition_id: int, statuses: Collection[DeliveryStatus] = ()) -> Iterator[LedgerRow]:
        """Yield the edition's deliveries in these statuses, or in all, in the order in which subscribers joined.

        They are read in pages, so that memory stays flat and no transaction stays open while someone is reading.
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
        """Return up to `limit` of these rows. after: the subscriber_id of the last row on the page before."""
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
        """Return the reasons in these statuses, or in all, the most frequent first.

        "..." takes the place of the recipient's address; otherwise each would be a reason of its own.
        """
        total = sa.func.count().label("total")
        words = sa.func.replace(deliveries.c.reason, subscribers.c.address, "...").label("words")
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

    def next_try(self, edition_id: int) -> datetime | None:
        """Return when the next delivery is due; None if none waits."""
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
        """Make these moves with all deliveries of the edition, in one statement; return how many there were.

        Leased deliveries are left alone, because they are being sent.

        next_try_at    when the deliveries are due after the move; None if they are over
        reason         replaces their reasons, if given
        unless_due_by  leave alone what is due by then
        """
        values: dict[str, Any] = {"status": moved(moves), "next_try_at": next_try_at}
        if reason is not None:
            values["reason"] = reason
        free = deliveries.c.lease_owner.is_(None)
        change = sa.update(deliveries).where(deliveries.c.edition_id == edition_id, found_in(moves), free)
        if unless_due_by is not None:
            change = change.where(deliveries.c.next_try_at.is_(None) | (deliveries.c.next_try_at > unless_due_by))
        with self._database.write() as connection:
            return connection.execute(change.values(**values)).rowcount
