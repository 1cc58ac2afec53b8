"""Totals for the admin page and for `subscribers stats`, each with one definition. Nothing here changes a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import DeliveryCounts, DeliveryStatus, SubscriberStatus
from publisher.store.consent import first_source
from publisher.store.database import Database
from publisher.store.edition_filling import missing
from publisher.store.subscriptions import subscribed
from publisher.store.tables import consent_events, deliveries, delivery_totals, subscribers, subscriptions

_ENDS = ("left", "unsubscribed", "removed", "bounced", "complained", "suppressed")


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """The people who came from one source, such as the sign-up form or an imported file.

    joined  how many have joined
    active  how many of them are active now
    lately  how many of them joined since the requested moment
    """

    source: str
    joined: int
    active: int
    lately: int


@dataclass(frozen=True, slots=True)
class GivenReason:
    """A reason that people gave for unsubscribing.

    newest       when it was last given
    newsletters  the newsletters that they unsubscribed from; empty for everything
    times        how many people gave it
    """

    reason: str
    newest: datetime
    newsletters: tuple[str, ...]
    times: int = 0


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
            lacking = missing(connection, edition_ids)
        return {
            edition_id: DeliveryCounts(by_status, lacking.get(edition_id, 0)) for edition_id, by_status in found.items()
        }

    def joined(self, newsletter: str = "", source: str = "") -> dict[str, int]:
        """Return how many people joined on each day, as {"2026-11-21": 3}. Days are in UTC.

        A person joins once: when they first gave their consent, which an imported file may say. Those who never
        confirmed are not counted, and neither are deleted people.

        newsletter  count those who joined it, each on the day of their subscription, or on the day when they first gave
                    consent if the subscription has ended since
        source      count those whose first event in the history of consent has this source
        """
        return self._by_day(_joined(newsletter, source))

    def left(self, newsletter: str = "", source: str = "") -> dict[str, int]:
        """Return how many of the people counted by `joined` left on each day; the others are active.

        Everyone who is no longer active has left, for whatever reason. The day is that of the newest event that ended a
        subscription or, if there is no such event, the day of their consent.

        newsletter: count those who are not active, or whose subscription to it has ended, on the day when it ended
        """
        return self._by_day(_left(newsletter, source))

    def since(self, moment: datetime) -> dict[str, int]:
        """Return how many people have joined and left since a moment: {"joined": 3, "left": 1}; see `joined`."""
        found = {}
        with self._database.read() as connection:
            for what, query in (("joined", _joined()), ("left", _left())):
                people = query.subquery()
                lately = sa.select(sa.func.count()).select_from(people).where(people.c.at >= moment)
                found[what] = int(connection.execute(lately).scalar_one())
        return found

    def by_source(self, since: datetime) -> Sequence[SourceTotals]:
        """Return how many people came from each source, most first; see `joined`. since: for SourceTotals.lately."""
        people = sa.select(
            sa.func.coalesce(first_source(), "").label("source"),
            sa.case((subscribers.c.status == SubscriberStatus.ACTIVE, 1), else_=0).label("active"),
            sa.case((subscribers.c.confirmed_at >= since, 1), else_=0).label("lately"),
        )
        rows = people.where(*_has_joined()).subquery()
        query = sa.select(
            rows.c.source,
            sa.func.count().label("joined"),
            sa.func.sum(rows.c.active).label("active"),
            sa.func.sum(rows.c.lately).label("lately"),
        )
        with self._database.read() as connection:
            found = connection.execute(query.group_by(rows.c.source)).all()
        totals = [SourceTotals(row.source, row.joined, int(row.active), int(row.lately)) for row in found]
        return sorted(totals, key=lambda each: (-each.joined, each.source))

    def reasons(self, limit: int) -> Sequence[GivenReason]:
        """Return the reasons that people gave when they unsubscribed, newest first. Equal reasons are combined.

        limit: the maximum number of answers to read, newest first
        """
        what, detail = consent_events.c.what, consent_events.c.detail
        gave = sa.or_(sa.and_(what == "unsubscribed", detail != ""), sa.and_(what == "left", detail.contains(" ")))
        query = sa.select(consent_events).where(gave).order_by(consent_events.c.id.desc()).limit(limit)
        found: dict[str, GivenReason] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                newsletter, _, reason = row.detail.partition(" ") if row.what == "left" else ("", "", row.detail)
                key = reason.casefold()
                known = found.get(key, GivenReason(reason, row.at, ()))
                newsletters = tuple(sorted({*known.newsletters, *filter(None, (newsletter,))}))
                found[key] = replace(known, newsletters=newsletters, times=known.times + 1)
        return list(found.values())

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
        """Return how many active subscribers have had 1, 2, ... bounces in a row: bounces -> number of subscribers."""
        query = (
            sa.select(subscribers.c.bounces, sa.func.count().label("total"))
            .where(subscribers.c.bounces > 0, subscribers.c.status == SubscriberStatus.ACTIVE)
            .group_by(subscribers.c.bounces)
            .order_by(subscribers.c.bounces)
        )
        with self._database.read() as connection:
            return {row.bounces: row.total for row in connection.execute(query)}

    def _by_day(self, query: sa.Select[tuple[datetime]]) -> dict[str, int]:
        people = query.subquery()
        day = sa.func.date(people.c.at)
        counted = sa.select(day.label("day"), sa.func.count().label("total")).group_by(day)
        with self._database.read() as connection:
            return {str(row.day): row.total for row in connection.execute(counted)}


def _joined(newsletter: str = "", source: str = "") -> sa.Select[tuple[datetime]]:
    """Return the query for the moment at which each person joined, as `at`; see Statistics.joined."""
    at: sa.ColumnElement[datetime] = subscribers.c.confirmed_at
    if newsletter:
        at = sa.case((subscribed(), sa.func.coalesce(subscriptions.c.since, at)), else_=at)
    return _among(sa.select(at.label("at")), subscribers, newsletter, source)


def _left(newsletter: str = "", source: str = "") -> sa.Select[tuple[datetime]]:
    """Return the query for the moment at which each person left, as `at`; see Statistics.left."""
    ended = (
        sa.select(consent_events.c.subscriber_id, sa.func.max(consent_events.c.at).label("at"))
        .where(consent_events.c.what.in_(_ENDS))
        .group_by(consent_events.c.subscriber_id)
        .subquery()
    )
    at: sa.ColumnElement[datetime] = sa.func.coalesce(ended.c.at, subscribers.c.confirmed_at)
    gone = subscribers.c.status != SubscriberStatus.ACTIVE
    if newsletter:
        at = sa.case((~subscribed(), sa.func.coalesce(subscriptions.c.since, at)), else_=at)
        gone = gone | ~subscribed()
    people = sa.outerjoin(subscribers, ended, ended.c.subscriber_id == subscribers.c.id)
    return _among(sa.select(at.label("at")), people, newsletter, source).where(gone)


def _has_joined() -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions that a person has joined. Older versions dated some people who never confirmed."""
    return [subscribers.c.confirmed_at.is_not(None), subscribers.c.status != SubscriberStatus.PENDING]


def _among(
    query: sa.Select[tuple[datetime]], people: sa.FromClause, newsletter: str, source: str
) -> sa.Select[tuple[datetime]]:
    """Return a query for the people who once gave consent; optionally only those of a newsletter or from a source."""
    if newsletter:
        theirs = subscriptions.c.subscriber_id == subscribers.c.id
        people = sa.join(people, subscriptions, theirs & (subscriptions.c.newsletter == newsletter))
    conditions = _has_joined()
    conditions += [first_source() == source] if source else []
    return query.select_from(people).where(*conditions)
