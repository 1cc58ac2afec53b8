"""Who an edition is for: the choices of topics that its newsletter's subscribers hold, and their deliveries."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.errors import StoreError
from publisher.model import Choice, DeliveryStatus, Edition, SubscriberStatus
from publisher.store.tables import deliveries, subscribers, subscriptions
from publisher.store.topics import decode_topics, encode_topics


class ChoicesChangedError(StoreError):
    """A subscriber holds a choice of topics that was not known when the edition was composed."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "subscribers chose other topics while the edition was being made", where=where, mend="run it again"
        )


def choices(connection: Connection, newsletter: str) -> Sequence[Choice]:
    """Return each choice that active subscribers of the newsletter hold; counted there, not read one by one."""
    query = (
        sa.select(subscriptions.c.topics, sa.func.count().label("total"))
        .join_from(subscriptions, subscribers)
        .where(*_readers_of(newsletter))
        .group_by(subscriptions.c.topics)
        .order_by(subscriptions.c.topics)
    )
    return [Choice(decode_topics(row.topics), row.total) for row in connection.execute(query)]


def queue(connection: Connection, edition: Edition, variants: Mapping[tuple[str, ...], str | None]) -> None:
    """Make a delivery of the edition for each active subscriber of its newsletter, in one statement.

    Each gets the variant of their choice of topics; those whose variant is None get no delivery. Raises
    ChoicesChangedError where somebody holds a choice that is not among them: the statement sees subscribers
    as they are at one moment, so nobody slips through between a look and an insert.
    """
    choice = _known_choices(connection, {(): "", **variants})
    known = choice.c.topics.is_not(None)
    columns = {
        "edition_id": sa.literal(edition.id),
        "subscriber_id": subscribers.c.id,
        "variant": choice.c.variant,  # NULL for an unknown choice, and the column refuses that
        "status": sa.literal(DeliveryStatus.QUEUED, deliveries.c.status.type),
        "attempts": sa.literal(0),
        "next_try_at": sa.literal(edition.made_at, deliveries.c.next_try_at.type),
        "reason": sa.literal(""),
    }
    readers = (
        sa.select(*columns.values())
        .join_from(subscriptions, subscribers)
        .outerjoin(choice, choice.c.topics == subscriptions.c.topics)
        .where(*_readers_of(edition.newsletter), sa.not_(known & choice.c.variant.is_(None)))
        .order_by(subscribers.c.id)
    )
    try:
        connection.execute(sa.insert(deliveries).from_select(list(columns), readers))
    except sa.exc.IntegrityError as error:
        raise ChoicesChangedError(f"{edition.newsletter} {edition.slot}") from error


def missing_letters(variants: Mapping[tuple[str, ...], str | None], letters: Collection[str]) -> list[str]:
    """Return the variants that somebody is to get and that have no letter."""
    return sorted({key for key in variants.values() if key is not None} - set(letters))


def _readers_of(newsletter: str) -> tuple[sa.ColumnElement[bool], ...]:
    return subscriptions.c.newsletter == newsletter, subscribers.c.status == SubscriberStatus.ACTIVE


def _known_choices(connection: Connection, variants: Mapping[tuple[str, ...], str | None]) -> sa.CTE:
    """The choices and their variants as rows (topics, variant), from one parameter however many there are.

    Pairs and not an object: SQLite's json_each gives the names of an object's members as they are escaped.
    """
    pairs = json.dumps([[encode_topics(topics), variant] for topics, variant in variants.items()])
    if connection.dialect.name == "sqlite":
        each = sa.func.json_each(pairs).table_valued("value")
        topics, variant = (sa.func.json_extract(each.c.value, f"$[{index}]") for index in (0, 1))
    else:
        each = sa.func.json_array_elements(sa.cast(sa.literal(pairs), sa.JSON)).table_valued("value")
        topics, variant = (sa.func.json_array_element_text(each.c.value, index) for index in (0, 1))
    rows = sa.select(topics.label("topics"), variant.label("variant"))
    # Materialised: SQLite would read the JSON again for every subscriber.
    return rows.cte("choice").prefix_with("MATERIALIZED")
