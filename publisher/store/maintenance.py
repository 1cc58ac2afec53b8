"""Old rows, and the database's own order."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from publisher.core.models import require_aware
from publisher.core.newsletter_models import DeliveryStatus
from publisher.store.engine import Database
from publisher.store.tables import deliveries, editions
from publisher.store.time_tables import delivery_totals


class Upkeep:
    """What a record needs now and then; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roll_up(self, before: datetime, unsettled: Collection[DeliveryStatus]) -> int:
        """Put totals in place of the deliveries of editions made before `before`; return of how many editions.

        unsettled: statuses that wait for a person. An edition with such a delivery, with one that waits or is in
        someone's hands, or that is held, stays as it is. Each edition is one transaction. Nobody can be mailed one
        again: deliveries are made with their edition and at no other time.
        """
        require_aware("before", before)
        of_edition = sa.select(deliveries.c.id).where(deliveries.c.edition_id == editions.c.id)
        is_open = deliveries.c.next_try_at.is_not(None) | deliveries.c.lease_owner.is_not(None)
        stays = of_edition.where(is_open | deliveries.c.status.in_(unsettled)).exists()
        old = sa.select(editions.c.id).where(
            editions.c.made_at < before, editions.c.held == "", of_edition.exists(), sa.not_(stays)
        )
        with self._database.read() as connection:
            ids = list(connection.execute(old.order_by(editions.c.id)).scalars())
        for edition_id in ids:
            self._roll_up(edition_id)
        return len(ids)

    def _roll_up(self, edition_id: int) -> None:
        rows = deliveries.c.edition_id == edition_id
        group = deliveries.c.edition_id, deliveries.c.variant, deliveries.c.status
        totals = sa.select(*group, sa.func.count()).where(rows).group_by(*group)
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # another host may be at it
                connection.execute(sa.select(editions.c.id).where(editions.c.id == edition_id).with_for_update())
            names = ["edition_id", "variant", "status", "total"]
            connection.execute(sa.insert(delivery_totals).from_select(names, totals))
            connection.execute(sa.delete(deliveries).where(rows))

    def optimise(self) -> None:
        """Let the database look at its tables, so that it plans its queries well."""
        with self._database.outside_transactions() as run:
            run("PRAGMA optimize" if self._database.is_sqlite else "ANALYZE")
