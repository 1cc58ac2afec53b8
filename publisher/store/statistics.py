"""Totals for the admin page. Nothing here changes a row or reveals who a subscriber is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, SubscriberStatus
from publisher.store.database import Database
from publisher.store.subscriptions import subscribed
from publisher.store.tables import consent_events, deliveries, delivery_totals, subscribers, subscriptions

_ENDS = ("left", "unsubscribed", "removed", "bounced", "complained", "suppressed")


class Statistics:
    """Totals over all tables; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def deliveries(self, edition_ids: Sequence[int]) -> Mapping[int, DeliveryCounts]:
        """Return how many deliveries of each edition are in each status."""
        rows = sa.select(deliveries.c.edition_id, deliveries.c.status, sa.func.count().label("total"))
        rows = rows.where(deliveries.c.edition_id.in_(edition_ids))
        rows = rows.group_by(deliveries.c.edition_id, deliveries.c.status)
        # The deliveries of old editions were replaced with totals. An edition has either deliveries or totals.
        kept = sa.select(
            delivery_totals.c.edition_id, delivery_totals.c.status, sa.func.sum(delivery_totals.c.total).label("total")
        )
        kept = kept.where(delivery_totals.c.edition_id.in_(edition_ids))
        kept = kept.group_by(delivery_totals.c.edition_id, delivery_totals.c.status)
        found: dict[int, dict[DeliveryStatus, int]] = {edition_id: {} for edition_id in edition_ids}
        with self._database.read() as connection:
            for row in [*connection.execute(rows), *connection.execute(kept)]:
                found[row.edition_id][row.status] = int(row.total)
        return {edition_id: DeliveryCounts(by_status) for edition_id, by_status in found.items()}

    def joined(self) -> dict[str, int]:
        """Return how many subscribers first gave their consent on each day, as {"2026-11-21": 3}. Days are in UTC."""
        day = sa.func.date(subscribers.c.confirmed_at).label("day")
        query = sa.select(day, sa.func.count().label("total")).where(subscribers.c.confirmed_at.is_not(None))
        return self._by_day(query.group_by(day))

    def left(self) -> dict[str, int]:
        """Return how many subscribers left on each day, as {"2026-11-21": 3}. Days are in UTC.

        This counts subscribers who once gave their consent and are no longer active. The day is that of the newest
        event that ended a subscription or, if there is no such event, the day of their consent.
        """
        ended = (
            sa.select(consent_events.c.subscriber_id, sa.func.max(consent_events.c.at).label("at"))
            .where(consent_events.c.what.in_(_ENDS))
            .group_by(consent_events.c.subscriber_id)
            .subquery()
        )
        day = sa.func.date(sa.func.coalesce(ended.c.at, subscribers.c.confirmed_at)).label("day")
        query = (
            sa.select(day, sa.func.count().label("total"))
            .join_from(subscribers, ended, ended.c.subscriber_id == subscribers.c.id, isouter=True)
            .where(subscribers.c.confirmed_at.is_not(None), subscribers.c.status != SubscriberStatus.ACTIVE)
        )
        return self._by_day(query.group_by(day))

    def by_newsletter(self) -> dict[str, int]:
        """Return how many active subscribers each newsletter has; newsletters without any are left out."""
        query = (
            sa.select(subscriptions.c.newsletter, sa.func.count().label("total"))
            .join_from(subscriptions, subscribers)
            .where(subscribers.c.status == SubscriberStatus.ACTIVE, subscribed())
            .group_by(subscriptions.c.newsletter)
        )
        with self._database.read() as connection:
            return {row.newsletter: row.total for row in connection.execute(query)}

    def bounces(self) -> dict[int, int]:
        """Return how many active subscribers have had 1, 2, ... bounces in a row: number of bounces -> subscribers."""
        query = (
            sa.select(subscribers.c.bounces, sa.func.count().label("total"))
            .where(subscribers.c.bounces > 0, subscribers.c.status == SubscriberStatus.ACTIVE)
            .group_by(subscribers.c.bounces)
            .order_by(subscribers.c.bounces)
        )
        with self._database.read() as connection:
            return {row.bounces: row.total for row in connection.execute(query)}

    def _by_day(self, query: sa.Select[tuple[object, int]]) -> dict[str, int]:
        with self._database.read() as connection:
            return {str(row.day): row.total for row in connection.execute(query)}
