"""Adding deliveries to existing editions: for people who joined later, and for each new subscriber in turn.

Nobody gets an edition twice, because the ledger has one row for each edition and subscriber. The emails that welcome
new subscribers come in steps, and a step has an edition for each version of its text. A subscriber who has a delivery
of any version of a step gets no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Audience, Choice, DeliveryCounts, DeliveryStatus, Edition, EditionKind
from publisher.core.subscription_status import SubscriptionEvent
from publisher.store.audience import choices, insert_deliveries
from publisher.store.catch_up import ALL_NEWSLETTERS, lock_those_behind, settle
from publisher.store.database import Database
from publisher.store.edition_filling import with_complete_editions
from publisher.store.segment_sql import in_segment
from publisher.store.tables import (
    deliveries,
    delivery_totals,
    editions,
    letter_posts,
    newsletters,
    subscribers,
    subscriptions,
)

# The variant of an edition's letter for a choice; None if it has none. The choice's `sent` contains the posts of the
# edition that these subscribers have already got.
VariantOf = Callable[[Choice], str | None]


@dataclass(frozen=True, slots=True)
class WhoJoined:
    """The subscribers to whom an edition is sent after it was made.

    ids           only these subscribers; None for all
    joined_since  only those whose subscription began at this moment or later; None for all
    each_once     whether a post that another newsletter has sent them counts as sent, too
    """

    ids: Collection[int] | None = None
    joined_since: datetime | None = None
    each_once: bool = False

    def __post_init__(self) -> None:
        require_aware("joined_since", self.joined_since)


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step of the emails to new subscribers is due.

    after    how long after their subscription began
    begun    when the first of the steps was first seen; people who joined earlier get none of them
    seen     when this step was first seen; people for whom it would have been due earlier do not get it
    latest   the maximum delay; after that nobody gets it
    apart    the minimum time since the previous step was sent
    segment  the condition on the subscribers, in the language of segments; "" for all of the newsletter's subscribers
    """

    after: timedelta
    begun: datetime
    seen: datetime
    latest: timedelta
    apart: timedelta = timedelta()
    segment: str = ""


@dataclass(frozen=True, slots=True)
class AddedDeliveries:
    """How many deliveries were added, and how many people have chosen topics for which the edition has no version."""

    added: int
    unmatched: int = 0


class Latecomers:
    """The deliveries that are added to editions; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, edition: Edition, who: WhoJoined, variant_of: VariantOf, now: datetime) -> AddedDeliveries:
        """Return what `add` would return, without adding anything. It raises the same errors."""
        with self._database.read() as connection:
            _require_rows(connection, edition)
            once, by = _posts_of(connection, edition), _others(edition, who)
            these = _latecomers(connection, edition, who, now)
            found = choices(connection, edition.newsletter, now, *these, once=once, by=by)
        matched = sum(choice.subscribers for choice in found if variant_of(choice) is not None)
        return AddedDeliveries(matched, sum(choice.subscribers for choice in found) - matched)

    def add(self, edition: Edition, who: WhoJoined, variant_of: VariantOf, now: datetime) -> AddedDeliveries:
        """Add a delivery of an edition for each of these subscribers who may get email now and has none yet.

        Posts that they lacked because they changed their frequency count as caught up; no other edition brings them.
        The deliveries are due now, or when the edition is. Raises PublisherError if the edition's deliveries were
        replaced by totals, because it is no longer known who got it.
        """
        this = sa.select(editions.c.id).where(editions.c.id == edition.id)
        locks = (ALL_NEWSLETTERS, edition.newsletter)[not who.each_once :]
        with with_complete_editions(self._database, *locks) as connection:
            lock_those_behind(connection, edition)
            connection.execute(this.with_for_update())  # another host may be replacing the deliveries by totals
            _require_rows(connection, edition)
            conditions = _latecomers(connection, edition, who, now)
            once, by = _posts_of(connection, edition), _others(edition, who)
            found = choices(connection, edition.newsletter, now, *conditions, once=once, by=by)
            variants = {choice.audience: variant_of(choice) for choice in found}
            added = self._insert(connection, edition, variants, now, *conditions, once=once, by=by)
            if once and added:
                getting = sa.select(deliveries.c.subscriber_id).where(deliveries.c.edition_id == edition.id)
                settle(connection, edition, getting, frozenset(once))
        return AddedDeliveries(added, sum(each.subscribers for each in found if variants[each.audience] is None))

    def letter_posts(self, edition: Edition) -> dict[str, frozenset[str]]:
        """Return the ids of the posts that each letter of an edition contains, by its variant."""
        query = sa.select(letter_posts.c.variant, letter_posts.c.post_id).where(letter_posts.c.edition_id == edition.id)
        found: dict[str, set[str]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query):
                found.setdefault(row.variant, set()).add(row.post_id)
        return {variant: frozenset(ids) for variant, ids in found.items()}

    def having(self, edition: Edition, ids: Collection[int]) -> frozenset[int]:
        """Return which of these subscribers have a delivery of an edition, or another version of it, in any status."""
        query = sa.select(deliveries.c.subscriber_id).where(deliveries.c.subscriber_id.in_(sorted(ids)))
        with self._database.read() as connection:
            versions = _versions(connection, edition)
            return frozenset(connection.execute(query.where(deliveries.c.edition_id.in_(versions))).scalars())

    def step_counts(self, newsletter: str) -> dict[str, DeliveryCounts]:
        """Return how many deliveries the steps of a newsletter have in each status, in all versions of their texts."""
        query = (
            sa.select(editions.c.slot, deliveries.c.status, sa.func.count())
            .join_from(editions, deliveries)
            .where(editions.c.newsletter == newsletter, editions.c.kind == EditionKind.WELCOME)
            .group_by(editions.c.slot, deliveries.c.status)
        )
        totals: dict[str, Counter[DeliveryStatus]] = {}
        with self._database.read() as connection:
            for slot, status, count in connection.execute(query):
                totals.setdefault(_step_of(slot), Counter())[status] += count
        return {step: DeliveryCounts(dict(counts)) for step, counts in totals.items()}

    def coming(self, newsletter: str, steps: Sequence[str], step: str, time: StepTime, now: datetime) -> int:
        """Return how many subscribers have a step still to come, whether or not it is already due."""
        with self._database.read() as connection:
            conditions = _due(connection, newsletter, steps, step, time, now, is_due=False)
            return sum(each.subscribers for each in choices(connection, newsletter, now, *conditions))

    def due(self, newsletter: str, steps: Sequence[str], step: str, time: StepTime, now: datetime) -> int:
        """Return for how many subscribers a step is due. Its email need not have been made yet.

        steps: the names of all steps of the newsletter, in their order.
        """
        with self._database.read() as connection:
            conditions = _due(connection, newsletter, steps, step, time, now)
            return sum(each.subscribers for each in choices(connection, newsletter, now, *conditions))

    def add_due(self, edition: Edition, steps: Sequence[str], step: str, time: StepTime, now: datetime) -> int:
        """Add a delivery of a step's edition for each subscriber who is due the step; return their number.

        People for whom an earlier step is still to come wait for it, and people who had a later one do not get this
        one.
        """
        record = sa.select(newsletters.c.name).where(newsletters.c.name == f"{edition.newsletter}/{step}")
        with self._database.write() as connection:
            connection.execute(record.with_for_update())  # another host may be adding another version of the step
            conditions = _due(connection, edition.newsletter, steps, step, time, now)
            found = choices(connection, edition.newsletter, now, *conditions)
            return self._insert(connection, edition, dict.fromkeys((c.audience for c in found), ""), now, *conditions)

    def claim_farewell(self, edition: Edition, subscriber_id: int, now: datetime, lease_until: datetime) -> int | None:
        """Add a leased delivery of a farewell for a subscriber who has just unsubscribed, and return its id.

        Return None if they already have one, of whatever version of the newsletter's farewell.
        """
        versions = sa.select(editions.c.id).where(
            editions.c.newsletter == edition.newsletter, editions.c.kind == EditionKind.FAREWELL
        )
        theirs = sa.select(deliveries.c.id).where(deliveries.c.subscriber_id == subscriber_id)
        row = {
            "edition_id": edition.id,
            "subscriber_id": subscriber_id,
            "variant": "",
            "status": DeliveryStatus.SENDING,
            "attempts": 0,
            "lease_owner": EditionKind.FAREWELL.value,
            "lease_until": lease_until,
            "reason": "",
        }
        person = sa.select(subscribers.c.id).where(subscribers.c.id == subscriber_id)
        with self._database.write() as connection:
            connection.execute(person.with_for_update())  # another host may be claiming another version
            if connection.execute(theirs.where(deliveries.c.edition_id.in_(versions))).first():
                return None
            if connection.execute(self._database.insert_new(deliveries).values(row)).rowcount != 1:
                return None  # another process has just claimed it
            return connection.execute(theirs.where(deliveries.c.edition_id == edition.id)).scalar()

    def release_farewell(self, delivery_id: int) -> None:
        """Delete a claimed delivery of a farewell that was not sent, so that it can be claimed again."""
        leased = deliveries.c.id == delivery_id, deliveries.c.lease_owner == EditionKind.FAREWELL.value
        with self._database.write() as connection:
            connection.execute(sa.delete(deliveries).where(*leased))

    def _insert(
        self,
        connection: Connection,
        edition: Edition,
        variants: dict[Audience, str | None],
        now: datetime,
        *conditions: sa.ColumnElement[bool],
        once: Sequence[str] = (),
        by: sa.ColumnElement[bool] | None = None,
    ) -> int:
        if not variants:
            return 0
        goes_at = max(now, edition.goes_at or now)
        new = self._database.insert_new(deliveries)
        return insert_deliveries(connection, new, edition, variants, now, goes_at, *conditions, once=once, by=by)


def step_slot(step: str, digest: str) -> str:
    """Return the slot of a step's edition. digest: identifies the version of its text."""
    return f"{step}:{digest}"


def _require_rows(connection: Connection, edition: Edition) -> None:
    """Raise PublisherError if an edition's deliveries were replaced by totals."""
    summed = sa.select(delivery_totals.c.edition_id).where(delivery_totals.c.edition_id == edition.id)
    if connection.execute(summed.limit(1)).first():
        raise PublisherError(
            f"edition {edition.id} is too old: its messages were replaced by totals, so nobody knows who got it",
            hint="delivery.keep_days says how long messages are kept",
        )


def _posts_of(connection: Connection, edition: Edition) -> tuple[str, ...]:
    """Return the sorted ids of all posts in the letters of an edition; none for an email that is not made of posts."""
    if edition.kind is not EditionKind.POSTS:
        return ()
    query = sa.select(letter_posts.c.post_id).where(letter_posts.c.edition_id == edition.id).distinct()
    return tuple(sorted(connection.execute(query).scalars()))


def _others(edition: Edition, who: WhoJoined) -> sa.ColumnElement[bool]:
    """Return the SQL condition on the other editions, whose posts nobody gets again."""
    other = editions.c.id != edition.id
    return other if who.each_once else other & (editions.c.newsletter == edition.newsletter)


def _latecomers(
    connection: Connection, edition: Edition, who: WhoJoined, now: datetime
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions for getting an edition later. Only people named by id may be outside its segment."""
    conditions = [sa.not_(_has_delivery(deliveries.c.edition_id.in_(_versions(connection, edition))))]
    if edition.kind is EditionKind.POSTS:  # others get its posts in the editions of their frequency
        conditions.append(subscriptions.c.frequency == edition.frequency)
    if who.ids is None:
        conditions += in_segment(edition.segment, now)
    else:
        conditions.append(subscribers.c.id.in_(sorted(who.ids)))
    if who.joined_since is not None:
        began = sa.func.coalesce(subscriptions.c.since, subscribers.c.confirmed_at, subscribers.c.created_at)
        conditions.append(began >= sa.literal(who.joined_since, subscriptions.c.since.type))
    return conditions


def _due(
    connection: Connection,
    newsletter: str,
    steps: Sequence[str],
    step: str,
    time: StepTime,
    now: datetime,
    *,
    is_due: bool = True,
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a step is due for a subscriber, or is still to come.

    People who were imported from a file are not welcomed.
    """
    place = steps.index(step)
    earlier, own, later = (_editions(connection, newsletter, names) for names in _parted(steps, place))
    too_near = deliveries.c.sent_at > now - time.apart
    is_open = deliveries.c.next_try_at.is_not(None) | deliveries.c.lease_owner.is_not(None)
    to_come = [
        *in_segment(time.segment, now),
        subscriptions.c.cause != SubscriptionEvent.IMPORTED,
        subscriptions.c.since >= max(time.begun, time.seen - time.after, now - time.latest - time.after),
        sa.not_(_has_delivery(deliveries.c.edition_id.in_([*own, *later]))),
    ]
    waits = _has_delivery(deliveries.c.edition_id.in_(earlier), is_open | too_near)
    return [*to_come, subscriptions.c.since <= now - time.after, sa.not_(waits)] if is_due else to_come


def _parted(steps: Sequence[str], place: int) -> tuple[Sequence[str], Sequence[str], Sequence[str]]:
    return steps[:place], steps[place : place + 1], steps[place + 1 :]


def _editions(connection: Connection, newsletter: str, steps: Sequence[str]) -> list[int]:
    """Return the ids of the editions of some steps, in all versions."""
    query = sa.select(editions.c.id, editions.c.slot).where(
        editions.c.newsletter == newsletter, editions.c.kind == EditionKind.WELCOME
    )
    return [row.id for row in connection.execute(query) if _step_of(row.slot) in steps]


def _versions(connection: Connection, edition: Edition) -> list[int]:
    """Return the ids of editions of which each person gets only one: all versions of a step, or just this edition."""
    if edition.kind is EditionKind.WELCOME:
        return _editions(connection, edition.newsletter, [_step_of(edition.slot)])
    return [edition.id]


def _step_of(slot: str) -> str:
    return slot.partition(":")[0]


def _has_delivery(*which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.select(deliveries.c.id).where(deliveries.c.subscriber_id == subscribers.c.id, *which).exists()
