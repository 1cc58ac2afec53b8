"""The ledger of deliveries, with one row for each edition and subscriber.

This module writes statuses but never chooses them: mail/lifecycle.py passes them in as moves. A delivery waits while it
has a next_try_at, is being sent while it has a lease, and is over when it has neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.errors import LeaseLostError
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Delivery, DeliveryCounts, DeliveryStatus
from publisher.store.audience import mailable
from publisher.store.column_types import UtcTime
from publisher.store.compiled_updates import CompiledUpdate, is_among
from publisher.store.database import Database
from publisher.store.edition_filling import is_complete, missing
from publisher.store.fleet_tables import workers
from publisher.store.subscriptions import subscribed
from publisher.store.tables import deliveries, delivery_totals, editions, subscribers, subscriptions
from publisher.store.workers import Heartbeat, Workers

# The effect of an event on deliveries: status before -> status after. Deliveries in any other status are left alone.
Moves = Mapping[DeliveryStatus, DeliveryStatus]


def moved(moves: Moves) -> sa.ColumnElement[Any]:
    """Return an SQL expression for the status of a delivery after the moves."""
    whens = [(deliveries.c.status == _word(was), _word(becomes)) for was, becomes in moves.items()]
    return sa.case(*whens, else_=deliveries.c.status)


def found_in(moves: Moves) -> sa.ColumnElement[bool]:
    """Return the SQL condition that `moves` has an entry for the delivery's status.

    The condition avoids IN, which SQLAlchemy does not support in executemany.
    """
    return sa.or_(*(deliveries.c.status == _word(was) for was in moves))


def _word(status: DeliveryStatus) -> sa.ColumnElement[Any]:
    """Return a status as an SQL constant, because a parameter would be evaluated again for each row."""
    return sa.literal_column(f"'{status.value}'", deliveries.c.status.type)


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of a claimed delivery.

    edition_id   its edition; None if it is not known, which takes longer on PostgreSQL
    moves        how its status changes
    tried        whether the message was handed over to the mail server, which counts as an attempt
    sent_at      when the mail server accepted the message
    next_try_at  when to try again; None if the delivery is over
    """

    delivery_id: int
    moves: Moves
    tried: bool = True
    sent_at: datetime | None = None
    next_try_at: datetime | None = None
    reason: str = ""
    edition_id: int | None = None

    def __post_init__(self) -> None:
        require_aware("sent_at", self.sent_at)
        require_aware("next_try_at", self.next_try_at)


class Deliveries:
    """The table of deliveries; part of Store."""

    def __init__(self, database: Database, workers: Workers) -> None:
        self._database, self._workers = database, workers
        # Building an update takes 0.7 ms, as long as writing a hundred rows. About a dozen are in use.
        self._settlement = lru_cache(maxsize=64)(lambda *kind: CompiledUpdate(_settlement(*kind), database.dialect))

    def counts(self, edition_id: int) -> DeliveryCounts:
        """Return how many deliveries of an edition are in each status."""
        with self._database.read() as connection:
            lacking = missing(connection, [edition_id]).get(edition_id, 0)
            return DeliveryCounts(_totals(connection, edition_id, "status"), lacking)

    def by_variant(self, edition_id: int) -> dict[str, int]:
        """Return how many deliveries an edition has for each variant of its letter."""
        with self._database.read() as connection:
            return _totals(connection, edition_id, "variant")

    def claim(
        self,
        edition_id: int,
        worker: str,
        *,
        now: datetime,
        lease_until: datetime,
        limit: int,
        claimed: Moves,
        left: Moves,
        beat: Heartbeat | None = None,
    ) -> Sequence[Delivery]:
        """Lease up to `limit` deliveries that are due, so that no other worker sends them, and return them.

        The leased deliveries change their status as `claimed` says. If a subscriber is no longer active, is no longer
        subscribed or has paused, the delivery changes its status as `left` says instead, and is not returned. An empty
        list means that the edition is on hold or not complete, or that none of its deliveries is both due and free.

        lease_until: when the lease ends if the worker has no row in the table of workers. beat: renews its lease if it
        has one. Raises LeaseLostError if others have taken over the worker's deliveries.
        """
        while True:
            with self._database.write() as connection:
                if beat and not self._workers.renew_within(connection, worker, beat):
                    raise _lease_lost(beat)
                rows = _due(connection, edition_id, now, limit)
                if not rows:
                    return []
                mailable_now = _mailable_subscribers(connection, edition_id, [row.subscriber_id for row in rows], now)
                mailed = [row for row in rows if row.subscriber_id in mailable_now]
                gone = [row.id for row in rows if row.subscriber_id not in mailable_now]
                _move(connection, edition_id, gone, left, reason="left before it was sent")
                _move(
                    connection,
                    edition_id,
                    [row.id for row in mailed],
                    claimed,
                    lease_owner=worker,
                    lease_until=lease_until,
                )
                if mailed:
                    return [_delivery(row, mailable_now[row.subscriber_id]) for row in mailed]

    def acknowledge(
        self, worker: str, settled: Sequence[Settled], beat: Heartbeat | None = None, *, again: bool = False
    ) -> int:
        """Write the results of claimed deliveries in one transaction, and end their leases.

        A delivery that another worker has leased in the meantime is left alone. Return how many results were written.

        beat: renews the worker's lease in the same transaction. again: whether this was tried before, and may have been
        written although it failed. Then only deliveries that the worker still leases are written, unless others have
        taken them over. Raises LeaseLostError if others have taken over the worker's deliveries; the results are
        written all the same.
        """
        if not settled and beat is None:
            return 0
        with self._database.write() as connection:
            is_lost = beat is not None and not self._workers.renew_within(connection, worker, beat)
            only_own = again and beat is not None and not is_lost
            written = sum(
                self._settlement(tuple(moves.items()), known, only_own).run(connection, rows)
                for moves, known, rows in _groups(worker, settled)
            )
        if is_lost and beat is not None:
            raise _lease_lost(beat)
        return written

    def return_unknown(
        self, worker: str, edition_id: int, known: Collection[int], *, returned: Moves, now: datetime
    ) -> int:
        """Requeue deliveries that a worker has leased without knowing; return how many there were.

        That happens if its connection breaks while a claim is committed. known: the ids of the leased deliveries that
        it knows, from all editions.
        """
        require_aware("now", now)
        mine = (deliveries.c.edition_id == edition_id) & (deliveries.c.lease_owner == worker)
        with self._database.write() as connection:
            leased = connection.execute(sa.select(deliveries.c.id).where(mine)).scalars()
            unknown = [delivery_id for delivery_id in leased if delivery_id not in known]
            due = self._by_all_clocks(now)
            return _free(connection, mine & deliveries.c.id.in_(unknown), returned, next_try_at=due)

    def take_over(
        self,
        worker: str,
        *,
        now: datetime,
        is_dead: bool,
        returned: Moves,
        in_doubt: Moves,
        next_try_at: datetime | None,
        reason: str = "",
    ) -> int:
        """End the leases of a worker whose lease has ended or whose process is dead; return how many leases were ended.

        The deliveries that it certainly had not handed over change as `returned` says and are due again immediately.
        The others change as `in_doubt` says, and count as tried. If the worker is alive after all, it hands over
        nothing more.

        is_dead: whether its process is known to have ended. next_try_at: when to try the deliveries in doubt again;
        None if a person has to decide about them. reason: why they are in doubt.
        """
        require_aware("now", now)
        with self._database.write() as connection:
            done, doubt = self._workers.remove(connection, worker, now, is_dead=is_dead)
            if not done:
                return 0
            mine = deliveries.c.lease_owner == worker
            doubtful = mine if doubt is None else mine & deliveries.c.id.in_(sorted(doubt))
            tried = {"attempts": deliveries.c.attempts + 1, "next_try_at": self._by_all_clocks(next_try_at)}
            freed = _free(connection, doubtful, in_doubt, reason=reason, **tried)
            return freed + _free(connection, mine, returned, next_try_at=self._by_all_clocks(now))

    def reclaim(
        self,
        *,
        now: datetime,
        dead_workers: Collection[str],
        moves: Moves,
        next_try_at: datetime | None,
        reason: str = "",
    ) -> int:
        """End the leases that have expired by `now` or belong to dead workers; return how many leases were ended.

        Only leases of workers without a row in the table of workers are ended, such as workers of older versions: all
        their deliveries are in doubt. next_try_at: when to try these deliveries again, or None if a person has to
        decide about them.
        """
        known = sa.select(workers.c.worker).where(workers.c.worker == deliveries.c.lease_owner).exists()
        lost = deliveries.c.lease_owner.in_(dead_workers) | (deliveries.c.lease_until <= now)
        tried = {"attempts": deliveries.c.attempts + 1, "next_try_at": next_try_at, "reason": reason}
        with self._database.write() as connection:
            return _free(connection, deliveries.c.lease_owner.is_not(None) & lost & ~known, moves, **tried)

    def _by_all_clocks(self, moment: datetime | None) -> Any:
        """Return a time no later than the database's, so that no host waits because another's clock is fast."""
        if moment is None or self._database.is_sqlite:
            return moment
        return sa.func.least(sa.literal(moment, UtcTime), sa.func.clock_timestamp())


def _lease_lost(beat: Heartbeat) -> LeaseLostError:
    """Return the error for a worker whose deliveries others have taken over."""
    silent = f"{beat.lease.total_seconds():g} s"
    return LeaseLostError(
        f"other workers have taken over this worker's messages, because it was silent for {silent}",
        hint="the host or its connection to the database was stopped for that long; the next run sends the rest",
    )


def _free(connection: Connection, condition: sa.ColumnElement[bool], moves: Moves, **values: Any) -> int:
    """End leases; return how many."""
    change = sa.update(deliveries).where(condition, deliveries.c.status.in_(moves))
    values |= {"status": moved(moves), "lease_owner": None, "lease_until": None}
    return connection.execute(change.values(values)).rowcount


def _totals(connection: Connection, edition_id: int, column: str) -> dict[Any, int]:
    """Return the number of deliveries for each value of a column, including those that were rolled up into totals."""
    rows = sa.select(deliveries.c[column], sa.func.count()).where(deliveries.c.edition_id == edition_id)
    kept = sa.select(delivery_totals.c[column], sa.func.sum(delivery_totals.c.total))
    kept = kept.where(delivery_totals.c.edition_id == edition_id)
    both = sa.union_all(rows.group_by(deliveries.c[column]), kept.group_by(delivery_totals.c[column]))
    return {value: int(total) for value, total in connection.execute(both)}


def _due(connection: Connection, edition_id: int, now: datetime, limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Lock up to `limit` deliveries that are due and return them, in the order of the index ix_deliveries_due.

    Their subscribers are read by a separate statement. With a join, PostgreSQL might sort the whole edition for every
    batch until the first ANALYZE after the edition was inserted.
    """
    goes = sa.select(editions.c.id).where(editions.c.id == edition_id, editions.c.held == "", is_complete())
    query = (
        sa.select(
            deliveries.c.id,
            deliveries.c.edition_id,
            deliveries.c.subscriber_id,
            deliveries.c.variant,
            deliveries.c.attempts,
        )
        .where(deliveries.c.edition_id == edition_id, deliveries.c.next_try_at <= now, goes.exists())
        .order_by(deliveries.c.next_try_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # SQLite has one writer at a time and ignores this
    )
    return connection.execute(query).all()


def _mailable_subscribers(
    connection: Connection, edition_id: int, subscriber_ids: list[int], now: datetime
) -> dict[int, Row[*tuple[Any, ...]]]:
    """Return the subscribers who may still be sent this edition, by id."""
    newsletter = sa.select(editions.c.newsletter).where(editions.c.id == edition_id).scalar_subquery()
    query = (
        sa.select(*(subscribers.c[name] for name in ("id", "uid", "address", "name", "fields")))
        .join_from(subscribers, subscriptions)
        .where(
            is_among(connection, subscribers.c.id, subscriber_ids),
            # otherwise PostgreSQL may read the whole newsletter
            is_among(connection, subscriptions.c.subscriber_id, subscriber_ids),
            mailable(now),
            subscriptions.c.newsletter == newsletter,
            subscribed(),
        )
    )
    return {row[0]: row for row in connection.execute(query).all()}


def _delivery(row: Row[*tuple[Any, ...]], subscriber: Row[*tuple[Any, ...]]) -> Delivery:
    # Rows are unpacked as tuples, because reading a value by its name takes three times as long.
    delivery_id, edition_id, _, variant, attempts = row
    _, uid, address, name, fields = subscriber
    return Delivery(delivery_id, edition_id, uid, _text(address), _text(name), variant, attempts, _text(fields))


def _text(value: str | bytes) -> str:
    """Return a value as text. SQLite returns bytes if someone has written bytes into a text column by hand."""
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _move(connection: Connection, edition_id: int, ids: list[int], moves: Moves, **values: Any) -> None:
    if not ids:
        return
    change = sa.update(deliveries).where(is_among(connection, deliveries.c.id, ids))
    if connection.dialect.name != "sqlite":
        # So that PostgreSQL reads only one partition. SQLite would go through the edition instead of the ids.
        change = change.where(deliveries.c.edition_id == edition_id)
    connection.execute(change.values(status=moved(moves), next_try_at=None, **values))


def _settlement(
    items: tuple[tuple[DeliveryStatus, DeliveryStatus], ...], knows_edition: bool, only_own: bool
) -> sa.Update:
    moves = dict(items)
    # With the edition, so that PostgreSQL reads only one partition.
    edition = [deliveries.c.edition_id == sa.bindparam("edition")] if knows_edition else []
    ours = deliveries.c.lease_owner == sa.bindparam("worker")
    if not only_own:
        ours |= deliveries.c.lease_owner.is_(None)
    return (
        sa.update(deliveries)
        .where(deliveries.c.id == sa.bindparam("delivery"), *edition, ours, found_in(moves))
        .values(
            status=moved(moves),
            attempts=deliveries.c.attempts + sa.bindparam("tries"),
            lease_owner=sa.null(),
            lease_until=sa.null(),
            sent_at=sa.bindparam("sent"),
            next_try_at=sa.bindparam("again"),
            reason=sa.bindparam("why"),
        )
    )


def _groups(worker: str, settled: Sequence[Settled]) -> Iterator[tuple[Moves, bool, list[dict[str, Any]]]]:
    """Yield the results in groups of equal moves, as parameters, with whether the editions of the group are known."""
    left = list(settled)
    while left:
        moves, known = left[0].moves, left[0].edition_id is not None
        same = [entry for entry in left if entry.moves == moves and (entry.edition_id is not None) is known]
        left = [entry for entry in left if not (entry.moves == moves and (entry.edition_id is not None) is known)]
        yield moves, known, [_parameters(worker, entry) for entry in same]


def _parameters(worker: str, entry: Settled) -> dict[str, Any]:
    values = {
        "worker": worker,
        "delivery": entry.delivery_id,
        "tries": int(entry.tried),
        "sent": entry.sent_at,
        "again": entry.next_try_at,
        "why": entry.reason,
    }
    return values if entry.edition_id is None else values | {"edition": entry.edition_id}
