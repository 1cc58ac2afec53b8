"""What the hosts and their workers are doing, and what remains to be done; part of Store.

The counts read only the partial indexes of waiting or leased deliveries, however many others there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.column_types import UtcTime
from publisher.store.database import Database
from publisher.store.fleet_tables import hosts, workers
from publisher.store.hosts import Host, host_of
from publisher.store.tables import deliveries, editions


@dataclass(frozen=True, slots=True)
class HostActivity:
    """What a host is doing.

    silent     the time since its last sign of life; None if there was none
    workers    how many of its workers are sending
    in_hand    how many messages they have leased
    in_doubt   how many of these may have been handed over without an answer
    sent       how many messages its workers, including those that have ended, have sent or written to the outbox
    """

    host: Host
    silent: timedelta | None
    workers: int
    in_hand: int
    in_doubt: int
    sent: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """The open deliveries of a newsletter.

    due      deliveries that can be sent now
    later    deliveries that will be tried again later, or belong to an edition that is sent later
    held     deliveries of editions on hold
    in_hand  deliveries that a worker has leased
    oldest   when the oldest due delivery that no worker has taken became due; None if none is due
    """

    newsletter: str
    due: int = 0
    later: int = 0
    held: int = 0
    in_hand: int = 0
    oldest: datetime | None = None


class Fleet:
    """Questions about hosts, workers and open deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hosts(self, now: datetime) -> Sequence[HostActivity]:
        """Return what each host is doing, in the order in which the hosts first ran the project.

        now: the present time, with a time zone; used with SQLite only, as PostgreSQL has a clock of its own
        """
        require_aware("now", now)
        with self._database.read() as connection:
            at = now if self._database.is_sqlite else connection.execute(sa.select(_CLOCK)).scalar_one()
            leased = _leased(connection, deliveries.c.lease_owner)
            sending = connection.execute(sa.select(workers)).all()
            found = connection.execute(sa.select(hosts).order_by(hosts.c.seen_at, hosts.c.host)).all()
        activities = []
        for row in found:
            mine = [worker for worker in sending if worker.host_id == row.host]
            # Hosts of older versions recorded no sign of life, but their workers did. A sending worker gives more of
            # them.
            signs = [moment for moment in (row.active_at, *(worker.seen_at for worker in mine)) if moment]
            activity = HostActivity(
                host=host_of(row),
                silent=max(at - max(signs), timedelta()) if signs else None,
                workers=len(mine),
                in_hand=sum(leased.get(worker.worker, 0) for worker in mine),
                in_doubt=sum(len((worker.in_doubt or "").split()) for worker in mine),
                sent=row.sent + sum(worker.sent for worker in mine),
            )
            activities.append(activity)
        return activities

    def backlogs(self, now: datetime) -> Sequence[Backlog]:
        """Return the open deliveries of each newsletter that has any.

        This reads one index entry for each open delivery, which may take a second for a few million.
        """
        require_aware("now", now)
        waiting = (
            sa.select(
                deliveries.c.edition_id,
                sa.func.count().label("total"),
                sa.func.count().filter(deliveries.c.next_try_at <= now).label("due"),
                sa.func.min(deliveries.c.next_try_at).label("oldest"),
            )
            .where(deliveries.c.next_try_at.is_not(None))
            .group_by(deliveries.c.edition_id)
        )
        with self._database.read() as connection:
            counts = connection.execute(waiting).all()
            leased = _leased(connection, deliveries.c.edition_id)
            numbers = sorted({*leased, *(row.edition_id for row in counts)})
            query = sa.select(editions.c.id, editions.c.newsletter, editions.c.held).where(editions.c.id.in_(numbers))
            known = {row.id: row for row in connection.execute(query)}
        found = [
            Backlog(known[number].newsletter, in_hand=total) for number, total in leased.items() if number in known
        ]
        found += [_waiting(known[row.edition_id], row, now) for row in counts if row.edition_id in known]
        return [_sum(name, found) for name in sorted({each.newsletter for each in found})]


_Row = sa.Row[*tuple[Any, ...]]
_CLOCK = sa.func.clock_timestamp(type_=UtcTime)


def _leased(connection: Connection, column: sa.Column[Any]) -> dict[Any, int]:
    """Return the number of leased deliveries for each value of a column."""
    query = sa.select(column, sa.func.count()).where(deliveries.c.lease_owner.is_not(None)).group_by(column)
    return {value: int(total) for value, total in connection.execute(query)}


def _waiting(edition: _Row, row: _Row, now: datetime) -> Backlog:
    if edition.held:
        return Backlog(edition.newsletter, held=row.total)
    oldest = row.oldest if row.oldest <= now else None
    return Backlog(edition.newsletter, due=row.due, later=row.total - row.due, oldest=oldest)


def _sum(newsletter: str, parts: Sequence[Backlog]) -> Backlog:
    mine = [part for part in parts if part.newsletter == newsletter]
    return Backlog(
        newsletter,
        due=sum(part.due for part in mine),
        later=sum(part.later for part in mine),
        held=sum(part.held for part in mine),
        in_hand=sum(part.in_hand for part in mine),
        oldest=min((part.oldest for part in mine if part.oldest), default=None),
    )
