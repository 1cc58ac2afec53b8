"""The audience of an edition: which topics its subscribers have selected, and the delivery that each of them gets."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from publisher.core.errors import StoreError
from publisher.core.newsletter_models import Choice, DeliveryStatus, Edition, SubscriberStatus
from publisher.store.subscriber_records import decode_topics, encode_topics
from publisher.store.subscriptions import subscribed
from publisher.store.tables import deliveries, subscribers, subscriptions


def mailable(at: datetime) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber may be mailed at a moment, because they are active and not paused."""
    paused = subscribers.c.paused_until
    return sa.and_(subscribers.c.status == SubscriberStatus.ACTIVE, sa.or_(paused.is_(None), paused <= at))


def mailable_to(newsletter: str, at: datetime) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber may be mailed a newsletter at a moment."""
    theirs = subscriptions.c.subscriber_id == subscribers.c.id, subscriptions.c.newsletter == newsletter
    return mailable(at) & sa.exists().where(*theirs, subscribed())


class ChoicesChangedError(StoreError):
    """Raised if a subscriber has a selection of topics that was not known when the edition was composed."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "subscribers chose different topics while the edition was being made", where=where, hint="run it again"
        )


def choices(
    connection: Connection, newsletter: str, at: datetime, *conditions: sa.ColumnElement[bool]
) -> Sequence[Choice]:
    """Return each selection of topics among the subscribers who may be mailed the newsletter, with its count.

    conditions: further SQL conditions on the subscribers.
    """
    query = (
        sa.select(subscriptions.c.topics, sa.func.count().label("total"))
        .join_from(subscriptions, subscribers)
        .where(*_mailable_subscribers(newsletter, at), *conditions)
        .group_by(subscriptions.c.topics)
        .order_by(subscriptions.c.topics)
    )
    return [Choice(decode_topics(row.topics), row.total) for row in connection.execute(query)]


def queue(connection: Connection, edition: Edition, variants: Mapping[tuple[str, ...], str | None]) -> None:
    """Create a delivery of the edition for each subscriber who may be mailed.

    variants: selection of topics -> variant of the letter, or None if these subscribers get no delivery.
    Raises ChoicesChangedError if a subscriber has a selection that is not in `variants`.
    """
    goes_at = edition.goes_at or edition.made_at
    insert_deliveries(connection, sa.insert(deliveries), edition, variants, edition.made_at, goes_at)


def insert_deliveries(
    connection: Connection,
    insert: sa.Insert,
    edition: Edition,
    variants: Mapping[tuple[str, ...], str | None],
    at: datetime,
    goes_at: datetime,
    *conditions: sa.ColumnElement[bool],
) -> int:
    """Create a delivery of the edition for each subscriber who may be mailed at a moment; return their number.

    A single statement selects the subscribers and inserts the deliveries, so no subscriber can be missed in between.

    insert      how to insert into the table of deliveries
    goes_at     when the deliveries are due
    conditions  further SQL conditions on the subscribers
    Raises ChoicesChangedError if a subscriber has a selection that is not in `variants`, as `queue` has them.
    """
    known = {encode_topics(topics): variant for topics, variant in {(): "", **variants}.items()}
    joined = _joined_choices if connection.dialect.name == "sqlite" else _looked_up_choices
    audience, variant, gets_nothing = joined(sa.join(subscriptions, subscribers), known)
    columns = {
        "edition_id": sa.literal(edition.id),
        "subscriber_id": subscribers.c.id,
        "variant": variant,  # NULL for an unknown selection, and the column refuses NULL
        "status": sa.literal(DeliveryStatus.QUEUED, deliveries.c.status.type),
        "attempts": sa.literal(0),
        "next_try_at": sa.literal(goes_at, deliveries.c.next_try_at.type),
        "reason": sa.literal(""),
    }
    rows = (
        sa.select(*columns.values())
        .select_from(audience)
        .where(*_mailable_subscribers(edition.newsletter, at), sa.not_(gets_nothing), *conditions)
        .order_by(subscribers.c.id)
    )
    try:
        inserted = connection.execute(insert.from_select(list(columns), rows)).rowcount
    except sa.exc.IntegrityError as error:
        raise ChoicesChangedError(f"{edition.newsletter} {edition.slot}") from error
    # The driver of SQLite does not count the rows of a statement that begins with WITH.
    is_sqlite = connection.dialect.name == "sqlite"
    return int(connection.execute(sa.select(sa.func.changes())).scalar_one()) if is_sqlite else inserted


def missing_letters(variants: Mapping[tuple[str, ...], str | None], letters: Collection[str]) -> list[str]:
    """Return the variants that are meant for subscribers but have no letter, sorted."""
    return sorted({key for key in variants.values() if key is not None} - set(letters))


def _mailable_subscribers(newsletter: str, at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return subscriptions.c.newsletter == newsletter, subscribed(), mailable(at)


# All selections are passed as one parameter, however many there are. Both functions below take the subscribers, and a
# mapping from each encoded selection to its variant. They return the FROM clause, the column with the variant (NULL for
# an unknown selection), and the condition that the subscriber gets no delivery.
_Found = tuple[sa.FromClause, sa.ColumnElement[str], sa.ColumnElement[bool]]


def _joined_choices(audience: sa.Join, variants: Mapping[str, str | None]) -> _Found:
    """Join the subscribers with a table of (selection, variant) pairs. This is for SQLite.

    A lookup in a JSON object would be slow, because SQLite reads the whole object to find one member.
    """
    each = sa.func.json_each(json.dumps(list(variants.items()))).table_valued("value")
    topics, variant = (sa.func.json_extract(each.c.value, f"$[{index}]") for index in (0, 1))
    # Without MATERIALIZED the JSON is read again for every subscriber. Without the cast SQLite can make no index on the
    # topics and goes through all selections for each subscriber: 10 s instead of 0.4 s for 2,000 and 100,000.
    rows = sa.select(sa.cast(topics, sa.Text).label("topics"), variant.label("variant"))
    choice = rows.cte("choice").prefix_with("MATERIALIZED")
    found = audience.outerjoin(choice, choice.c.topics == subscriptions.c.topics)
    return found, choice.c.variant, choice.c.topics.is_not(None) & choice.c.variant.is_(None)


def _looked_up_choices(audience: sa.Join, variants: Mapping[str, str | None]) -> _Found:
    """Look up the variant of each subscriber in a JSON object. This is for PostgreSQL.

    A join could be slow: before the first ANALYZE, the planner may go through all selections for each subscriber.
    """
    member = sa.literal(dict(variants), JSONB), subscriptions.c.topics
    kind = sa.func.jsonb_typeof(sa.func.jsonb_extract_path(*member))
    return audience, sa.func.jsonb_extract_path_text(*member), sa.func.coalesce(kind, "") == "null"
