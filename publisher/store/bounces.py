"""Bounces, by subscriber and edition, and the bounce reports that have already been processed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.bounce_report import Report, Verdict
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.database import Database
from publisher.store.tables import bounces, deliveries, delivery_totals, editions, reports, subscribers

MOST_SOURCE = 100

# A server gives up and reports that within this time (RFC 5321, 4.5.4.1).
REPORTED_WITHIN = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Bounce:
    """A bounce, with the subscriber's address and the edition to which the message belonged.

    status      the enhanced status code (RFC 3463), or ""
    words       the mail server's explanation, without addresses
    edition_id  None if a provider reported only the address. `newsletter` and `slot` are then ""
    """

    at: datetime
    address: str
    verdict: Verdict
    status: str
    words: str
    source: str
    edition_id: int | None
    newsletter: str
    slot: str


@dataclass(frozen=True, slots=True)
class EditionBounces:
    """How many messages of an edition bounced, by verdict, and how many were sent."""

    edition_id: int
    newsletter: str
    slot: str
    subject: str
    sent: int
    counts: Mapping[Verdict, int]


class Bounces:
    """The table of bounces; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(
        self, newsletter: str | None = None, *, edition_id: int | None = None, limit: int = 50
    ) -> Sequence[Bounce]:
        """Return up to `limit` bounces, newest first, optionally only those of one newsletter or one edition."""
        query = (
            sa.select(bounces, subscribers.c.address, editions.c.newsletter, editions.c.slot)
            .select_from(bounces.join(subscribers).outerjoin(editions, editions.c.id == bounces.c.edition_id))
            .order_by(bounces.c.id.desc())
            .limit(limit)
        )
        if newsletter is not None:
            query = query.where(editions.c.newsletter == newsletter)
        if edition_id is not None:
            query = query.where(bounces.c.edition_id == edition_id)
        with self._database.read() as connection:
            return [_bounce(row) for row in connection.execute(query)]

    def by_edition(self, newsletter: str | None = None, *, limit: int = 50) -> Sequence[EditionBounces]:
        """Return the number of bounces of each edition, newest edition first, optionally of one newsletter only."""
        query = sa.select(editions.c.id, editions.c.newsletter, editions.c.slot, editions.c.subject)
        query = query.order_by(editions.c.id.desc()).limit(limit)
        if newsletter is not None:
            query = query.where(editions.c.newsletter == newsletter)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
            numbers = [row.id for row in rows]
            counts, sent = _counts(connection, numbers), _sent(connection, numbers)
        return [
            EditionBounces(row.id, row.newsletter, row.slot, row.subject, sent.get(row.id, 0), counts.get(row.id, {}))
            for row in rows
        ]

    def counts(self, since: datetime | None = None, *, edition_id: int | None = None) -> dict[Verdict, int]:
        """Return how many messages bounced, by verdict, optionally only since a moment or only for one edition."""
        query = sa.select(bounces.c.verdict, sa.func.count().label("total")).group_by(bounces.c.verdict)
        if since is not None:
            query = query.where(bounces.c.at >= since)
        if edition_id is not None:
            query = query.where(bounces.c.edition_id == edition_id)
        with self._database.read() as connection:
            return {row.verdict: row.total for row in connection.execute(query)}

    def known(self, keys: Sequence[str]) -> bool:
        """Return whether a report with any of these keys has already been processed."""
        hashes = [_hash(key) for key in keys]
        with self._database.read() as connection:
            query = sa.select(reports.c.key_hash).where(reports.c.key_hash.in_(hashes)).limit(1)
            return connection.execute(query).first() is not None

    def forget_reports(self, before: datetime) -> int:
        """Delete the keys of reports that were processed before a moment, and return how many keys were deleted.

        The effects of the reports on subscribers stay.
        """
        require_aware("before", before)
        with self._database.write() as connection:
            return connection.execute(sa.delete(reports).where(reports.c.at < before)).rowcount


def take_keys(connection: Connection, database: Database, keys: Sequence[str], at: datetime) -> bool:
    """Record the keys of a report that is being processed; return False if any of them was recorded before."""
    insert = database.insert_new(reports)
    rows = [{"key_hash": _hash(key), "at": at} for key in keys]
    new = [connection.execute(insert, [row]).rowcount > 0 for row in rows]
    return all(new)


def delivery_of(connection: Connection, delivery_id: int) -> tuple[int, int] | None:
    """Return (subscriber id, edition id) of a delivery, or None if the delivery no longer exists."""
    query = sa.select(deliveries.c.subscriber_id, deliveries.c.edition_id).where(deliveries.c.id == delivery_id)
    row = connection.execute(query).first()
    return (row.subscriber_id, row.edition_id) if row else None


def record(
    connection: Connection,
    subscriber_id: int,
    edition_id: int | None,
    report: Report,
    *,
    at: datetime,
    source: str,
) -> None:
    """Record a bounce."""
    row = {
        "at": at,
        "subscriber_id": subscriber_id,
        "edition_id": edition_id,
        "delivery_id": report.addressee.delivery_id,
        "verdict": report.verdict,
        "status": report.status[:20],
        "words": report.words,
        "source": source[:MOST_SOURCE],
    }
    connection.execute(sa.insert(bounces), [row])


def arrived_since_bounce(connection: Connection, subscriber_id: int, delivery_id: int | None, now: datetime) -> bool:
    """Return whether a message was sent after the last counted bounce and before this delivery, and did not bounce.

    delivery_id: None if the report names only the address. If it or the earlier reports do, a message counts if it was
    sent after the last bounce, and longer than REPORTED_WITHIN before `now`.
    """
    theirs = bounces.c.subscriber_id == subscriber_id
    returned = sa.select(bounces.c.delivery_id).where(theirs, bounces.c.delivery_id.is_not(None))
    sent = sa.select(deliveries.c.id).where(
        # By edition first: the ledger has an index that begins with the edition, but none by subscriber alone.
        deliveries.c.edition_id.in_(sa.select(editions.c.id)),
        deliveries.c.subscriber_id == subscriber_id,
        deliveries.c.status == DeliveryStatus.SENT,
        deliveries.c.id.not_in(returned),
    )
    between = None
    if delivery_id is not None:
        counted = bounces.c.verdict.in_([Verdict.PERMANENT, Verdict.TEMPORARY]), bounces.c.delivery_id < delivery_id
        last = connection.execute(sa.select(sa.func.max(bounces.c.delivery_id)).where(theirs, *counted)).scalar()
        between = None if last is None else (deliveries.c.id > last, deliveries.c.id < delivery_id)
    if between is None:
        bounced_at = sa.select(subscribers.c.bounced_at).where(subscribers.c.id == subscriber_id).scalar_subquery()
        between = deliveries.c.sent_at > bounced_at, deliveries.c.sent_at < now - REPORTED_WITHIN
    return connection.execute(sent.where(*between).limit(1)).first() is not None


def of_subscriber(connection: Connection, subscriber_id: int) -> Sequence[dict[str, Any]]:
    """Return a subscriber's bounces, oldest first, as rows for the export of their data."""
    query = (
        sa.select(bounces.c.at, bounces.c.verdict, bounces.c.status, bounces.c.words, bounces.c.source)
        .where(bounces.c.subscriber_id == subscriber_id)
        .order_by(bounces.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(query)]


def _counts(connection: Connection, numbers: Sequence[int]) -> dict[int, dict[Verdict, int]]:
    query = (
        sa.select(bounces.c.edition_id, bounces.c.verdict, sa.func.count().label("total"))
        .where(bounces.c.edition_id.in_(numbers))
        .group_by(bounces.c.edition_id, bounces.c.verdict)
    )
    found: dict[int, dict[Verdict, int]] = {}
    for row in connection.execute(query):
        found.setdefault(row.edition_id, {})[row.verdict] = row.total
    return found


def _sent(connection: Connection, numbers: Sequence[int]) -> dict[int, int]:
    query = (
        sa.select(deliveries.c.edition_id, sa.func.count().label("total"))
        .where(deliveries.c.edition_id.in_(numbers), deliveries.c.status == DeliveryStatus.SENT)
        .group_by(deliveries.c.edition_id)
    )
    kept = sa.select(delivery_totals.c.edition_id, sa.func.sum(delivery_totals.c.total).label("total"))
    kept = kept.where(delivery_totals.c.edition_id.in_(numbers), delivery_totals.c.status == DeliveryStatus.SENT)
    rows = [*connection.execute(query), *connection.execute(kept.group_by(delivery_totals.c.edition_id))]
    return {row.edition_id: int(row.total) for row in rows}


def _bounce(row: Any) -> Bounce:
    return Bounce(
        row.at,
        row.address,
        row.verdict,
        row.status,
        row.words,
        row.source,
        row.edition_id,
        row.newsletter or "",
        row.slot or "",
    )


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
