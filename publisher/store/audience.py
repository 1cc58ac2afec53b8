"""The audience of an edition: which topics its subscribers have selected, and the delivery that each of them gets."""

from __future__ import annotations

import functools
import json
import operator
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from publisher.core.errors import StoreError
from publisher.core.newsletter_models import (
    Audience,
    Choice,
    DeliveryStatus,
    Edition,
    EditionDraft,
    EditionKind,
    SubscriberStatus,
)
from publisher.store.catch_up import decode_catch_up, encode_catch_up
from publisher.store.segment_sql import in_segment
from publisher.store.subscriber_records import decode_topics, encode_topics
from publisher.store.subscriptions import subscribed
from publisher.store.tables import deliveries, editions, letter_posts, subscribers, subscriptions


def mailable(at: datetime) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber may get email at a moment, because they are active and not paused."""
    paused = subscribers.c.paused_until
    return sa.and_(subscribers.c.status == SubscriberStatus.ACTIVE, sa.or_(paused.is_(None), paused <= at))


def mailable_to(newsletter: str, at: datetime) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber may be sent a newsletter at a moment."""
    theirs = subscriptions.c.subscriber_id == subscribers.c.id, subscriptions.c.newsletter == newsletter
    found = sa.select(subscriptions.c.subscriber_id).where(*theirs, subscribed()).limit(1)
    return mailable(at) & found.correlate(subscribers).scalar_subquery().is_not(None)


class ChoicesChangedError(StoreError):
    """Raised if a subscriber has a selection of topics that was not known when the edition was composed."""

    def __init__(self, where: str) -> None:
        super().__init__(
            "subscribers chose different topics while the edition was being made", where=where, hint="run it again"
        )


def choices(
    connection: Connection,
    newsletter: str,
    at: datetime,
    *conditions: sa.ColumnElement[bool],
    frequency: str | None = None,
    once: Sequence[str] = (),
    by: sa.ColumnElement[bool] | None = None,
) -> Sequence[Choice]:
    """Return each selection of topics among the subscribers who may be sent the newsletter, with its count.

    conditions  further SQL conditions on the subscribers
    frequency   only subscribers with this frequency ("" for the newsletter's own schedule); each choice then also says
                what they have to catch up on. None for all subscribers, whatever they have to catch up on
    once        ids of posts; each choice then also says which of the posts other newsletters have sent to its
                subscribers
    by          with `once`, the SQL condition on the editions that count, by default the editions of other newsletters
    """
    audience, parts = _selection(newsletter, frequency, once, by)
    query = (
        sa.select(*parts, sa.func.count())
        .select_from(audience)
        .where(*_mailable_subscribers(newsletter, frequency, at), *conditions)
        .group_by(*parts)
        .order_by(*parts)
    )
    found = []
    for topics, *others, total in connection.execute(query):
        catch_up = "" if frequency is None else others.pop(0)
        sent = others.pop() if once else ""
        found.append(Choice(decode_topics(topics), total, decode_catch_up(catch_up), _decode_sent(sent, once)))
    return found


def queue(
    connection: Connection,
    insert: sa.Insert,
    edition: Edition,
    draft: EditionDraft,
    *conditions: sa.ColumnElement[bool],
) -> None:
    """Create a delivery of the edition for each subscriber who may get email and is in its segment.

    The variants of the draft say which letter each subscriber gets, if any. An email that is not made of posts goes to
    all, whatever their frequency.

    insert      how to insert into the table of deliveries
    conditions  further SQL conditions on the subscribers and their subscriptions
    Raises ChoicesChangedError if a subscriber has a selection that the draft does not know.
    """
    goes_at = edition.goes_at or edition.made_at
    these = *in_segment(edition.segment, edition.made_at), *conditions
    whom = frequency_of(edition), draft.once, known_selections(draft)
    _insert(connection, insert, edition, whom, edition.made_at, goes_at, *these)


def known_selections(draft: EditionDraft) -> dict[str, str | None]:
    """Return the variant of the letter for each selection that a draft knows, encoded; None for no delivery."""
    usual = None if draft.repeats else ""  # those in step already have the posts that it repeats for others
    audiences = {Audience(topics): variant for topics, variant in {(): usual, **draft.variants}.items()}
    return {_encode(each, draft.once): variant for each, variant in {**audiences, **draft.others}.items()}


def require_known(connection: Connection, edition: Edition, draft: EditionDraft) -> None:
    """Raise ChoicesChangedError if someone in step with the edition's frequency has topics unknown to the draft.

    There are few such subscribers, if any, so the slower conditions are checked only for them.
    """
    frequency = frequency_of(edition)
    in_step = [] if frequency is None else [subscriptions.c.catch_up == ""]
    unknown = subscriptions.c.topics.not_in(sorted(known_selections(draft)))
    query = sa.select(subscriptions.c.subscriber_id).join_from(subscriptions, subscribers)
    query = query.where(unknown, *in_step, *_mailable_subscribers(edition.newsletter, frequency, edition.made_at))
    if connection.execute(query.where(*in_segment(edition.segment, edition.made_at)).limit(1)).first():
        raise ChoicesChangedError(f"{edition.newsletter} {edition.slot}")


def fill(
    connection: Connection,
    insert: sa.Insert,
    edition: Edition,
    known: Mapping[str, str | None],
    *conditions: sa.ColumnElement[bool],
) -> int:
    """Create an edition's deliveries for some of the subscribers in step with its frequency; return their number.

    known: as `known_selections` returned it. A subscriber with any other selection has joined since then, and gets
    none.
    """
    frequency, goes_at = frequency_of(edition), edition.goes_at or edition.made_at
    in_step = [] if frequency is None else [subscriptions.c.catch_up == ""]
    these = *in_segment(edition.segment, edition.made_at), *in_step, *conditions
    whom = frequency, (), known
    return _insert(connection, insert, edition, whom, edition.made_at, goes_at, *these, knows_all=False)


def insert_deliveries(
    connection: Connection,
    insert: sa.Insert,
    edition: Edition,
    variants: Mapping[Audience, str | None],
    at: datetime,
    goes_at: datetime,
    *conditions: sa.ColumnElement[bool],
    once: Sequence[str] = (),
    by: sa.ColumnElement[bool] | None = None,
) -> int:
    """Create a delivery of the edition for each subscriber who may get email at a moment; return their number.

    insert      how to insert into the table of deliveries
    variants    audience -> variant of the letter, or None if these subscribers get no delivery
    goes_at     when the deliveries are due
    conditions  further SQL conditions on the subscribers
    once, by    as in `choices`
    Raises ChoicesChangedError if a subscriber has a selection that is not in `variants`.
    """
    known = {_encode(each, once): variant for each, variant in {Audience(()): "", **variants}.items()}
    return _insert(connection, insert, edition, (None, once, known), at, goes_at, *conditions, by=by)


def _insert(
    connection: Connection,
    insert: sa.Insert,
    edition: Edition,
    selections: tuple[str | None, Sequence[str], Mapping[str, str | None]],
    at: datetime,
    goes_at: datetime,
    *conditions: sa.ColumnElement[bool],
    by: sa.ColumnElement[bool] | None = None,
    knows_all: bool = True,
) -> int:
    """Create the deliveries of an edition; return their number.

    A single statement selects the subscribers and inserts the deliveries, so no subscriber can be missed in between.

    selections  frequency and `once` as in `choices`, and the variant for each encoded selection
    knows_all   whether an unknown selection is an error; otherwise these subscribers get no delivery
    """
    frequency, once, known = selections
    people, parts = _selection(edition.newsletter, frequency, once, by)
    joined = _joined_choices if connection.dialect.name == "sqlite" else _looked_up_choices
    audience, variant, gets_nothing = joined(people, functools.reduce(operator.add, parts), known)
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
        .where(*_mailable_subscribers(edition.newsletter, frequency, at), *conditions)
        .where(sa.not_(gets_nothing) if knows_all else variant.is_not(None))
        .order_by(subscribers.c.id)
    )
    try:
        inserted = connection.execute(insert.from_select(list(columns), rows)).rowcount
    except sa.exc.IntegrityError as error:
        raise ChoicesChangedError(f"{edition.newsletter} {edition.slot}") from error
    # SQLite's driver does not count the rows of a statement that begins with WITH.
    is_sqlite = connection.dialect.name == "sqlite"
    return int(connection.execute(sa.select(sa.func.changes())).scalar_one()) if is_sqlite else inserted


def audience_of(edition: Edition) -> sa.Select[tuple[int]]:
    """Return the query for the ids of the subscribers who may be sent an edition and are in its segment."""
    return mailed(edition.newsletter, frequency_of(edition), edition.segment, edition.made_at)


def mailed(newsletter: str, frequency: str | None, segment: str, at: datetime) -> sa.Select[tuple[int]]:
    """Return the query for the ids of the subscribers with a frequency (None for all) who may get email at a moment."""
    query = sa.select(subscribers.c.id).join_from(subscriptions, subscribers)
    return query.where(*_mailable_subscribers(newsletter, frequency, at), *in_segment(segment, at))


def missing_letters(draft: EditionDraft) -> list[str]:
    """Return the variants that are meant for subscribers but have no letter, sorted."""
    meant = {*draft.variants.values(), *draft.others.values()}
    return sorted({key for key in meant if key is not None} - {letter.variant for letter in draft.letters})


def frequency_of(edition: Edition) -> str | None:
    """Return the frequency of an edition's subscribers; None for an email not made of posts, because all get it."""
    return edition.frequency if edition.kind is EditionKind.POSTS else None


def _mailable_subscribers(newsletter: str, frequency: str | None, at: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    conditions = subscriptions.c.newsletter == newsletter, subscribed(), mailable(at)
    return conditions if frequency is None else (*conditions, subscriptions.c.frequency == frequency)


def _selection(
    newsletter: str, frequency: str | None, once: Sequence[str], by: sa.ColumnElement[bool] | None
) -> tuple[sa.FromClause, list[sa.ColumnElement[str]]]:
    """Return the FROM clause with the subscribers, and the columns that together decide which posts they get."""
    people: sa.FromClause = sa.join(subscriptions, subscribers)
    parts: list[sa.ColumnElement[str]] = [subscriptions.c.topics]
    if frequency is not None:
        parts.append(subscriptions.c.catch_up)
    if once:
        sent = _sent_by(editions.c.newsletter != newsletter if by is None else by, once)
        people = people.outerjoin(sent, sent.c.subscriber_id == subscribers.c.id)
        parts.append(sa.func.coalesce(sent.c.digits, sa.literal_column("''", sa.Text)))
    return people, parts


# The arrays, the object and the digits of an encoded selection can't be mistaken for each other.
def _encode(audience: Audience, once: Sequence[str]) -> str:
    sent = "".join("1" if each in audience.sent else "0" for each in once) if audience.sent else ""
    return encode_topics(audience.topics) + encode_catch_up(audience.catch_up) + sent


def _decode_sent(text: str, once: Sequence[str]) -> frozenset[str]:
    return frozenset(each for each, digit in zip(once, text, strict=False) if digit == "1")


def _sent_by(by: sa.ColumnElement[bool], once: Sequence[str]) -> sa.Subquery:
    """Return a query with a digit for each of the posts: whether an edition among these brought it to a subscriber."""
    digits = [sa.func.max(sa.case((letter_posts.c.post_id == each, "1"), else_="0")) for each in once]
    # Joined in groups, because SQLite refuses an expression with a thousand operands.
    groups = [functools.reduce(operator.add, digits[i : i + _GROUP]) for i in range(0, len(digits), _GROUP)]
    joined = functools.reduce(operator.add, [sa.func.coalesce(group, "") for group in groups])
    found = deliveries.c.edition_id == letter_posts.c.edition_id, deliveries.c.variant == letter_posts.c.variant
    return (
        sa.select(deliveries.c.subscriber_id, joined.label("digits"))
        .join_from(letter_posts, editions)
        .join(deliveries, sa.and_(*found))
        .where(letter_posts.c.post_id.in_(once), by, deliveries.c.status.not_in(_UNSENT))
        .group_by(deliveries.c.subscriber_id)
        .subquery("sent")
    )


_GROUP = 100
_UNSENT = (DeliveryStatus.SKIPPED, DeliveryStatus.FAILED)

# All selections are passed as one parameter, however many there are. Both functions below take the subscribers, their
# encoded selection, and a mapping from each selection to its variant. They return the FROM clause, the column with the
# variant (NULL for an unknown selection), and the condition that the subscriber gets no delivery.
_Found = tuple[sa.FromClause, sa.ColumnElement[str], sa.ColumnElement[bool]]


def _joined_choices(
    audience: sa.FromClause, selection: sa.ColumnElement[str], variants: Mapping[str, str | None]
) -> _Found:
    """Join the subscribers with a table of (selection, variant) pairs. This is for SQLite.

    A lookup in a JSON object would be slow, because SQLite reads the whole object to find one member.
    """
    each = sa.func.json_each(json.dumps(list(variants.items()))).table_valued("value")
    topics, variant = (sa.func.json_extract(each.c.value, f"$[{index}]") for index in (0, 1))
    # Without MATERIALIZED the JSON is read again for every subscriber. Without the cast SQLite cannot index the topics
    # and goes through all selections for each subscriber: 10 s instead of 0.4 s for 2,000 and 100,000.
    rows = sa.select(sa.cast(topics, sa.Text).label("topics"), variant.label("variant"))
    choice = rows.cte("choice").prefix_with("MATERIALIZED")
    found = audience.outerjoin(choice, choice.c.topics == selection)
    return found, choice.c.variant, choice.c.topics.is_not(None) & choice.c.variant.is_(None)


def _looked_up_choices(
    audience: sa.FromClause, selection: sa.ColumnElement[str], variants: Mapping[str, str | None]
) -> _Found:
    """Look up the variant of each subscriber in a JSON object. This is for PostgreSQL.

    A join could be slow: before the first ANALYZE, the planner may go through all selections for each subscriber.
    """
    from sqlalchemy.dialects.postgresql import JSONB  # not at the top, for the same reason as in store.database

    member = sa.literal(dict(variants), JSONB), selection
    kind = sa.func.jsonb_typeof(sa.func.jsonb_extract_path(*member))
    return audience, sa.func.jsonb_extract_path_text(*member), sa.func.coalesce(kind, "") == "null"
