"""The people who joined and left since the owner was last notified, according to the histories of consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from publisher.core.frozen import dataclass
from publisher.core.models import require_aware
from publisher.store.consent import UNDO
from publisher.store.database import Database
from publisher.store.subscriber_records import source_of
from publisher.store.subscriptions import records_of
from publisher.store.tables import consent_events, subscribers, told

JOINED = ("confirmed", "added", "returned")
LEFT = ("left", "unsubscribed", "removed", "bounced", "complained", "suppressed")

# The kind of the row in the table of alerts whose digest is the number of the last event reported to the owner.
_KIND = "people"

_MOST_CROWDS = 50

_Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class PersonNews:
    """Somebody who joined or left, or whom the owner added or removed.

    what         the kind of the newest such event in their history of consent
    detail       the detail of the event, such as the reason for unsubscribing
    newsletters  the newsletters to which they are now subscribed
    """

    address: str
    what: str
    detail: str
    newsletters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people who joined or left through one import of a file, or through undoing it."""

    source: str
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class SubscriberNews:
    """What has happened since the owner was last notified. Each person is counted once.

    told_at       when the owner was last notified
    first, last   the numbers of the last event that was reported, and of the newest event
    joined, left  some of these people, the first ones
    crowds        people who joined or left through a file, and are not among `joined` and `left`
    """

    told_at: datetime
    first: int
    last: int
    joined: Sequence[PersonNews] = ()
    left: Sequence[PersonNews] = ()
    number_joined: int = 0
    number_left: int = 0
    crowds: Sequence[Crowd] = ()

    def __bool__(self) -> bool:
        return bool(self.number_joined or self.number_left or self.crowds)


class SubscriberNewsTable:
    """The news about subscribers for the owner; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, now: datetime) -> None:
        """Begin to collect news from this moment, unless collecting has already begun."""
        require_aware("now", now)
        with self._database.read() as connection:
            if _mark(connection) is not None:
                return
        with self._database.write() as connection:
            self._database.guard(connection, alone=True)
            new = {"kind": _KIND, "digest": str(_last(connection)), "at": now}
            if _mark(connection) is None:
                connection.execute(self._database.insert_new(told).values(new))

    def end(self) -> None:
        """Stop collecting news; news that was not reported is dropped."""
        with self._database.read() as connection:
            if _mark(connection) is None:
                return
        with self._database.write() as connection:
            connection.execute(sa.delete(told).where(told.c.kind == _KIND))

    def told_at(self) -> datetime | None:
        """Return when the owner was last notified, or when collecting began; None if it has not begun."""
        with self._database.read() as connection:
            mark = _mark(connection)
        return None if mark is None else mark.at

    def since(self, most: int) -> SubscriberNews | None:
        """Return what has happened since the owner was last notified; None if collecting has not begun.

        most: the maximum number of people to name who joined, and who left
        """
        with self._database.read() as connection:
            mark, last = _mark(connection), _last(connection)
        if mark is None:
            return None
        if last > int(mark.digest):
            with self._database.write() as connection:
                # Alone, because an event that was numbered earlier might otherwise be written later.
                self._database.guard(connection, alone=True)
                last = _last(connection)
        with self._database.read() as connection:
            new = consent_events.c.id > int(mark.digest), consent_events.c.id <= last
            own = ~_by_file()
            joined, left = (_people(connection, (*new, own, _is(kinds)), most) for kinds in (JOINED, LEFT))
            numbers = [_number(connection, (*new, own, _is(kinds))) for kinds in (JOINED, LEFT)]
            crowds = _crowds(connection, new)
        return SubscriberNews(mark.at, int(mark.digest), last, joined, left, numbers[0], numbers[1], crowds)

    def tell(self, news: SubscriberNews, now: datetime) -> bool:
        """Record that the owner is being notified; return False if another process is doing so at this moment."""
        require_aware("now", now)
        return self._move(news.told_at, news.last, now)

    def withdraw(self, news: SubscriberNews, now: datetime) -> None:
        """Undo `tell`, because the email could not be sent. now: the moment that was passed to `tell`."""
        self._move(now, news.first, news.told_at)

    def _move(self, at: datetime, number: int, now: datetime) -> bool:
        change = sa.update(told).where(told.c.kind == _KIND, told.c.at == at)
        with self._database.write() as connection:
            return connection.execute(change.values(digest=str(number), at=now)).rowcount == 1


def _mark(connection: Connection) -> Row[*tuple[Any, ...]] | None:
    return connection.execute(sa.select(told.c.digest, told.c.at).where(told.c.kind == _KIND)).first()


def _last(connection: Connection) -> int:
    return int(connection.execute(sa.select(sa.func.max(consent_events.c.id))).scalar() or 0)


def _is(kinds: Sequence[str]) -> _Condition:
    return consent_events.c.what.in_(kinds)


def _by_file() -> _Condition:
    source = consent_events.c.source
    return source.startswith(source_of(""), autoescape=True) | source.startswith(UNDO, autoescape=True)


def _number(connection: Connection, conditions: Sequence[_Condition]) -> int:
    people = sa.func.count(sa.distinct(consent_events.c.subscriber_id))
    return int(connection.execute(sa.select(people).where(*conditions)).scalar_one())


def _people(connection: Connection, conditions: Sequence[_Condition], most: int) -> list[PersonNews]:
    newest = sa.select(sa.func.max(consent_events.c.id).label("id")).where(*conditions)
    newest_of_each = newest.group_by(consent_events.c.subscriber_id).subquery()
    query = (
        sa.select(subscribers.c.id, subscribers.c.address, consent_events.c.what, consent_events.c.detail)
        .join_from(consent_events, newest_of_each, newest_of_each.c.id == consent_events.c.id)
        .join(subscribers, subscribers.c.id == consent_events.c.subscriber_id)
        .order_by(consent_events.c.id)
        .limit(most)
    )
    rows = connection.execute(query).all()
    records = records_of(connection, [row.id for row in rows])
    return [
        PersonNews(
            row.address,
            row.what,
            row.detail,
            tuple(each.newsletter for each in records.get(row.id, ()) if each.is_subscribed),
        )
        for row in rows
    ]


def _crowds(connection: Connection, new: Sequence[_Condition]) -> list[Crowd]:
    events = consent_events.c
    counts = [sa.func.count(sa.case((_is(kinds), events.subscriber_id)).distinct()) for kinds in (JOINED, LEFT)]
    query = sa.select(events.source, counts[0].label("joined"), counts[1].label("gone")).where(
        *new, _by_file(), _is((*JOINED, *LEFT))
    )
    rows = connection.execute(query.group_by(events.source).order_by(events.source).limit(_MOST_CROWDS))
    return [Crowd(row.source, row.joined, row.gone) for row in rows]
