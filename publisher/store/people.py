"""Finding people on the list by what is known about them. A page takes the same time however many people there are.

A page begins after a given person rather than after a number of rows, so that an index leads to it. A link to the page
only needs their uid.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.segment_language import field_is
from publisher.store.consent import first_source
from publisher.store.database import Database
from publisher.store.people_query import (
    MOST_PEOPLE,
    PeoplePage,
    PeopleQuery,
    PeopleSort,
    PlaceGoneError,
    search_key,
)
from publisher.store.segment_fields import any_value_contains
from publisher.store.segments import where
from publisher.store.subscriber_records import address_key, encode_topics
from publisher.store.subscriptions import subscribed, with_subscriptions
from publisher.store.tables import consent_events, joined, subscriber_tags, subscribers, subscriptions

_KEYS: dict[PeopleSort, sa.ColumnElement[Any]] = {
    PeopleSort.JOINED: joined(),
    PeopleSort.ADDRESS: subscribers.c.address_key,
    PeopleSort.NAME: subscribers.c.name_key,
}

_FEW = 500


class FoundPeople(NamedTuple):
    """All people who match a query.

    ids      their row numbers, in order; each takes up 8 bytes, so that a million of them fit into memory
    digest   the same for the same people, and different for any others, even if their number is the same
    """

    ids: array[int]
    digest: str


class _Place(NamedTuple):
    """The person at whom a page begins or ends: their key in the order of the list, and their row number."""

    key: Any
    id: int


class _Stretch(NamedTuple):
    """A part of the list that is one range of an index, and its order."""

    which: tuple[sa.ColumnElement[bool], ...]
    order: tuple[sa.ColumnElement[Any], ...]


class People:
    """The people on the list, found as the owner asks for them; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, query: PeopleQuery, at: datetime) -> PeoplePage:
        """Return a page of the people who match a query. at: the time of the query.

        Raises PlaceGoneError if the person with whom the page begins is not in the database.
        """
        with self._database.read() as connection:
            return self._page(connection, query, at)

    def each(self, query: PeopleQuery, at: datetime) -> Iterator[Subscriber]:
        """Yield all people who match a query, beginning after its `after`, whatever its limit; see `find`.

        They are read in pages, so that memory use stays constant.
        """
        query = replace(query, limit=MOST_PEOPLE)
        while True:
            page = self.find(query, at)
            yield from page.people
            if not page.next:
                return
            query = replace(query, after=page.next)

    def whom(self, query: PeopleQuery, at: datetime) -> FoundPeople:
        """Return the row numbers and the digest of all people who match a query."""
        columns = subscribers.c
        rows = sa.select(columns.id, columns.uid).where(*matching(query, at)).order_by(columns.id)
        ids, digest = array("q"), hashlib.sha256()
        with self._database.read() as connection:
            for row in connection.execute(rows):
                ids.append(row.id)
                digest.update(f"{row.uid}\n".encode())  # somebody else may get the same row number later
        return FoundPeople(ids, digest.hexdigest())

    def count(self, query: PeopleQuery, at: datetime, most: int | None = None) -> int:
        """Return how many people match a query, on all pages. most: stop counting at this number."""
        rows = sa.select(subscribers.c.id).where(*matching(query, at))
        counted = sa.select(sa.func.count()).select_from((rows.limit(most) if most else rows).subquery())
        with self._database.read() as connection:
            return int(connection.execute(counted).scalar_one())

    def _page(self, connection: Connection, query: PeopleQuery, at: datetime) -> PeoplePage:
        place = _place(connection, query)
        conditions = matching(query, at)
        few = _few(connection, conditions)
        select = sa.select(subscribers).where(*(conditions if few is None else [subscribers.c.id.in_(few)]))
        rows: list[Row[Any]] = []
        for part in _stretches(query, place):
            left = query.limit + 1 - len(rows)
            if left:
                rows += connection.execute(select.where(*part.which).order_by(*part.order).limit(left)).all()
        has_more, rows = len(rows) > query.limit, rows[: query.limit]
        people = with_subscriptions(connection, rows[::-1] if query.before else rows)
        if not people:
            return PeoplePage(())
        has_next, has_previous = has_more or bool(query.before), bool(query.after) or (bool(query.before) and has_more)
        return PeoplePage(people, people[-1].uid if has_next else "", people[0].uid if has_previous else "")


def _few(connection: Connection, conditions: Sequence[sa.ColumnElement[bool]]) -> Sequence[int] | None:
    """Return the row numbers of the people who match if there are few, or else None.

    If many people match, the index of the order leads to a page quickly. If only a few match, that index would lead to
    everybody, each in a different place in the file; reading in the order of the rows is ten times as fast.
    """
    if not conditions:
        return None
    found = connection.execute(sa.select(subscribers.c.id).where(*conditions).limit(_FEW + 1)).scalars().all()
    return found if len(found) <= _FEW else None


def matching(query: PeopleQuery, at: datetime) -> Sequence[sa.ColumnElement[bool]]:
    """Return the SQL conditions on a subscriber for a query. at: the time of the query."""
    conditions = [_word(word) for word in query.words]
    conditions += _in_status(query.newsletter, query.status)
    if query.topic:
        chosen = subscriptions.c.topics.contains(encode_topics([query.topic])[1:-1], autoescape=True)
        of_it = (subscriptions.c.newsletter == query.newsletter,) if query.newsletter else ()
        conditions.append(_among(sa.select(subscriptions.c.subscriber_id).where(subscribed(), chosen, *of_it)))
    if query.tag:
        tagged = subscriber_tags.c.tag == query.tag.lower()
        conditions.append(_among(sa.select(subscriber_tags.c.subscriber_id).where(tagged)))
    if query.field:
        conditions.append(where(field_is(*query.field), at))
    if query.segment is not None:
        conditions.append(where(query.segment, at))
    if query.source:
        ever = sa.select(consent_events.c.subscriber_id).where(consent_events.c.source == query.source)
        conditions += [_among(ever), first_source() == query.source]  # for most people only the first is checked
    if query.joined_from:
        conditions.append(joined() >= query.joined_from)
    if query.joined_to:
        conditions.append(joined() < query.joined_to)
    return conditions


def _word(word: str) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a word is in a subscriber's name, address, tags, or the values of their fields."""
    places = [subscribers.c.address_key.contains(address_key(word), autoescape=True)]
    places.append((subscribers.c.fields != "{}") & any_value_contains(subscribers.c.fields, word))
    if name := search_key(word):
        places.append(subscribers.c.name_key.contains(name, autoescape=True))
        tag = subscriber_tags.c.tag.contains(word.lower(), autoescape=True)
        # Not correlated: the tags are searched once, not for each person whose name does not contain the word.
        places.append(subscribers.c.id.in_(sa.select(subscriber_tags.c.subscriber_id).where(tag)))
    return sa.or_(*places)


def _in_status(newsletter: str, status: SubscriberStatus | None) -> list[sa.ColumnElement[bool]]:
    """Return the SQL conditions for Subscriber.status_in or, if no newsletter is given, for the person's status."""
    if not newsletter:
        return [subscribers.c.status == status] if status else []
    of_it = subscriptions.c.newsletter == newsletter
    is_active = subscribers.c.status == SubscriberStatus.ACTIVE
    match status:
        case None:
            return [_has(of_it)]
        case SubscriberStatus.ACTIVE:
            return [is_active, _has(of_it, subscribed())]
        case SubscriberStatus.UNSUBSCRIBED:
            return [_has(of_it), (subscribers.c.status == status) | (is_active & _has(of_it, ~subscribed()))]
        case _:
            return [subscribers.c.status == status, _has(of_it)]


def _has(*which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber has such a subscription.

    The subquery is correlated, so a page of a large newsletter reads only a small part of the index for the order.
    """
    theirs = sa.select(sa.literal(1)).where(subscriptions.c.subscriber_id == subscribers.c.id, *which)
    return theirs.correlate(subscribers).exists()


def _among(ids: sa.Select[tuple[int]]) -> sa.ColumnElement[bool]:
    """Return the SQL condition that a subscriber's row number is in the result of a query that is run once.

    Without adding 0 to the row number, the database would read and sort all of these subscribers for each page.
    """
    return (subscribers.c.id + 0).in_(ids)


def _place(connection: Connection, query: PeopleQuery) -> _Place | None:
    """Return the key and the id of the person at whom a page begins or ends; None for the first page."""
    uid = query.after or query.before
    if not uid:
        return None
    place = sa.select(_KEYS[query.sort].label("key"), subscribers.c.id).where(subscribers.c.uid == uid)
    found = connection.execute(place).first()
    if found is None:
        raise PlaceGoneError("the subscriber with whom the page begins is not in the database", hint="start again")
    return _Place(found.key, found.id)


def _stretches(query: PeopleQuery, place: _Place | None) -> list[_Stretch]:
    """Return the parts of the list after a place, in the direction of reading.

    People who joined at the same moment, as in an import without dates, are in the order of their row numbers.
    """
    key, number = _KEYS[query.sort], subscribers.c.id
    is_down = query.descending is not bool(query.before)
    order = (key.desc(), number.desc()) if is_down else (key, number)
    by_number = order[1:]
    named, nameless = (key > "",), _Stretch((key == "",), by_number)
    is_name = query.sort is PeopleSort.NAME
    if place is None:
        return [_Stretch(named, order), nameless] if is_name else [_Stretch((), order)]
    same = (key == place.key, number < place.id if is_down else number > place.id)
    beyond = key < place.key if is_down else key > place.key
    if not is_name:
        return [_Stretch(same, by_number), _Stretch((beyond,), order)]
    if place.key:
        last = [nameless] if not query.before else []
        return [_Stretch(same, by_number), _Stretch((*named, beyond), order), *last]
    return [_Stretch(same, by_number), *([_Stretch(named, order)] if query.before else ())]
