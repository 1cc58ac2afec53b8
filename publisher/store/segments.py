"""Segments: conditions on subscribers as SQL, and those that the owner has saved.

core/segment_language.py defines the conditions. All of their values are parameters, and every condition is true or
false, never NULL. People's rows are looked up by their keys, so that the time is linear whatever the planner knows.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from publisher.core import patterns
from publisher.core.errors import SegmentError
from publisher.core.models import require_aware
from publisher.core.newsletter_models import Subscriber, SubscriberStatus
from publisher.core.segment_conditions import (
    PAUSED,
    Ago,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Subject,
    Term,
    Value,
    day_of,
    fold,
    other_cases,
    start_of,
)
from publisher.core.segment_language import parse
from publisher.store.audience import mailable_to
from publisher.store.consent import first_source
from publisher.store.database import Database
from publisher.store.segment_fields import ascii_lower, field_date, field_number, field_text, field_truth, has_field
from publisher.store.subscriber_records import address_key
from publisher.store.subscriptions import subscribed, with_subscriptions
from publisher.store.tables import joined, segments, subscriber_tags, subscribers, subscriptions

_NAME = patterns.compile(r"[a-z0-9][a-z0-9_-]{0,59}")

_Bool = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Segment:
    """A condition that the owner has saved under a name."""

    name: str
    condition: str
    made_at: datetime


class Segments:
    """The saved segments, and the people in any segment; part of Store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> Sequence[Segment]:
        """Return all segments, sorted by name."""
        query = sa.select(segments).order_by(segments.c.name)
        with self._database.read() as connection:
            found = [Segment(row.name, row.condition, row.made_at) for row in connection.execute(query)]
        return sorted(found, key=lambda each: each.name)

    def get(self, name: str) -> Segment | None:
        """Return the segment with a name, or None."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(segments).where(segments.c.name == name)).first()
        return Segment(row.name, row.condition, row.made_at) if row else None

    def save(self, name: str, condition: str, at: datetime) -> bool:
        """Save a condition under a name, in place of the one that has it; return whether the name is new.

        Raises SegmentError if the name or the condition is not valid.
        """
        require_aware("at", at)
        _check_name(name)
        parse(condition)
        values = {"condition": condition.strip(), "made_at": at}
        with self._database.write() as connection:
            if connection.execute(self._database.insert_new(segments).values(name=name, **values)).rowcount == 1:
                return True
            connection.execute(sa.update(segments).where(segments.c.name == name).values(values))
        return False

    def delete(self, name: str) -> bool:
        """Delete a segment; return False if there is none with this name."""
        with self._database.write() as connection:
            return connection.execute(sa.delete(segments).where(segments.c.name == name)).rowcount == 1

    def rename(self, name: str, new: str) -> None:
        """Give a segment another name. Raises SegmentError if there is no such segment, or the new name is taken."""
        _check_name(new)
        taken = sa.select(segments.c.name).where(segments.c.name == new)
        with self._database.write() as connection:
            if connection.execute(taken).first() is not None:
                raise SegmentError(f"there is a segment {new!r} already")
            changed = connection.execute(sa.update(segments).where(segments.c.name == name).values(name=new))
        if changed.rowcount == 0:
            raise self._unknown(name)

    def resolve(self, text: str) -> str:
        """Return the condition of a segment's name, or a condition as it is; "" for "".

        Raises SegmentError if there is no such segment, or the text is not a condition.
        """
        if not text.strip():
            return ""
        if _NAME.fullmatch(text.strip()):
            if (segment := self.get(text.strip())) is None:
                raise self._unknown(text.strip())
            return segment.condition
        parse(text)
        return text.strip()

    def count(self, condition: Condition | None, at: datetime, newsletter: str | None = None) -> int:
        """Return how many people a condition is true of; None for everyone.

        at          the moment for dates that are counted back; its time zone says when a day begins
        newsletter  count only those who may be mailed this newsletter at that moment
        """
        query = sa.select(sa.func.count()).select_from(subscribers).where(*_these(condition, at, newsletter))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def some(
        self, condition: Condition | None, at: datetime, newsletter: str | None = None, limit: int = 3
    ) -> Sequence[Subscriber]:
        """Return the first people of whom a condition is true; see `count`."""
        query = sa.select(subscribers).where(*_these(condition, at, newsletter)).order_by(subscribers.c.id)
        with self._database.read() as connection:
            return with_subscriptions(connection, connection.execute(query.limit(limit)).all())

    def _unknown(self, name: str) -> SegmentError:
        known = [each.name for each in self.list()]
        near = difflib.get_close_matches(name[:60], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known[:10]) or 'none'}"
        return SegmentError(f"there is no segment {name[:60]!r}", hint=hint)


def where(condition: Condition, at: datetime) -> _Bool:
    """Return a condition as SQL over the table `subscribers`, for SQLite and PostgreSQL.

    at: the moment for dates that are counted back, and for pauses; its time zone says when a day begins.
    """
    match condition:
        case Not(part):
            return sa.not_(where(part, at))
        case AllOf(parts):
            return sa.and_(*(where(each, at) for each in parts))
        case AnyOf(parts):
            return sa.or_(*(where(each, at) for each in parts))
        case Term(operator=Operator.IS_NOT):
            return sa.not_(_term(condition, at))
        case Term(operator=Operator.HAS_NO_VALUE):
            return sa.not_(_has_value(condition))
        case Term(operator=Operator.HAS_VALUE):
            return _has_value(condition)
        case Term():
            return _term(condition, at)


def _these(condition: Condition | None, at: datetime, newsletter: str | None) -> list[_Bool]:
    require_aware("at", at)
    wanted = [] if condition is None else [where(condition, at)]
    return wanted if newsletter is None else [*wanted, mailable_to(newsletter, at)]


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        raise SegmentError(f"{shown!r} isn't a valid name of a segment", hint="write it like vip or paying-readers")


def _term(term: Term, at: datetime) -> _Bool:
    """Return a comparison with a value; IS_NOT is compared like IS."""
    value = term.value or Value("")
    match term.subject:
        case Subject.TAG | Subject.TOPIC | Subject.NEWSLETTER:
            return _elsewhere(term.subject, value.text)
        case Subject.STATUS:
            return _status(value.text.lower(), at)
        case Subject.LANGUAGE:
            return _language(value.text)
        case Subject.JOINED:
            return _in_days(joined(), term.operator, value, at)
        case Subject.LEFT:
            return sa.func.coalesce(_in_days(_left_at(), term.operator, value, at), sa.false())
        case Subject.FIELD:
            return _field(term, value, at)
        case _:
            return _in_row(term, value)


def _in_row(term: Term, value: Value) -> _Bool:
    """Return a comparison with a column of the person's own row."""
    match term.subject:
        case Subject.BOUNCES:
            return _ordered(subscribers.c.bounces, term.operator, value.typed)
        case Subject.ADDRESS:
            return _text(subscribers.c.address_key, term.operator, address_key(value.text))
        case Subject.SOURCE:
            return _text(sa.func.coalesce(first_source(), ""), term.operator, value.text)
        case _:
            return _text(subscribers.c[term.subject.value], term.operator, value.text)


def _elsewhere(subject: Subject, word: str) -> _Bool:
    """Return a comparison with the rows about a person in another table."""
    match subject:
        case Subject.TAG:
            return _exists(subscriber_tags, _same(subscriber_tags.c.tag, word))
        case Subject.NEWSLETTER:
            return _exists(subscriptions, subscribed(), subscriptions.c.newsletter == word)
        case _:
            return _exists(subscriptions, subscribed(), _topic(word))


def _has_value(term: Term) -> _Bool:
    match term.subject:
        case Subject.TAG:
            return _exists(subscriber_tags)
        case Subject.TOPIC:
            return _exists(subscriptions, subscribed(), subscriptions.c.topics != "[]")
        case Subject.LEFT:
            return _left_at().is_not(None)
        case Subject.FIELD:
            return has_field(subscribers.c.fields, term.field)
        case _:
            return subscribers.c[term.subject.value] != ""


def _exists(table: sa.Table, *conditions: _Bool) -> _Bool:
    return sa.exists().where(table.c.subscriber_id == subscribers.c.id, *conditions)


def _topic(topic: str) -> _Bool:
    # A quotation mark inside of a topic is escaped, so this finds whole topics only. The exception is a comma alone.
    written = json.dumps(fold(topic), ensure_ascii=False)
    return sa.false() if topic == "," else _folded(subscriptions.c.topics, written).contains(written, autoescape=True)


def _status(status: str, at: datetime) -> _Bool:
    if status != PAUSED:
        return subscribers.c.status == SubscriberStatus(status)
    until = subscribers.c.paused_until
    return (subscribers.c.status == SubscriberStatus.ACTIVE) & until.is_not(None) & (until > at)


def _language(tag: str) -> _Bool:
    folded = fold(tag)
    column = _folded(subscribers.c.language, folded)
    return (column == folded) | column.startswith(f"{folded}-", autoescape=True)


def _left_at() -> sa.ColumnElement[datetime]:
    newest = sa.select(sa.func.max(subscriptions.c.since)).where(
        subscriptions.c.subscriber_id == subscribers.c.id, ~subscribed()
    )
    return newest.scalar_subquery()


def _text(column: sa.ColumnElement[Any], operator: Operator, text: str) -> _Bool:
    if operator is Operator.CONTAINS:
        return _folded(column, fold(text)).contains(fold(text), autoescape=True)
    return _same(column, text)


def _same(column: sa.ColumnElement[Any], text: str) -> _Bool:
    return _folded(column, fold(text)) == fold(text)


def _folded(column: sa.ColumnElement[Any], folded: str) -> sa.ColumnElement[str]:
    """Return a column with small letters, as far as it matters for a comparison with a folded text; see `fold`."""
    found: sa.ColumnElement[str] = ascii_lower(column)
    for capital, small in other_cases(folded).items():
        found = sa.func.replace(found, capital, small, type_=sa.Text)
    return found


def _ordered(column: sa.ColumnElement[Any], operator: Operator, value: object) -> _Bool:
    match operator:
        case Operator.ABOVE:
            return column > value
        case Operator.AT_LEAST:
            return column >= value
        case Operator.BELOW:
            return column < value
        case Operator.AT_MOST:
            return column <= value
        case _:
            return column == value


def _in_days(column: sa.ColumnElement[datetime], operator: Operator, value: Value, at: datetime) -> _Bool:
    """Return a comparison of moments with a whole day: after 1 May begins with 2 May."""
    day = _day(value, at)
    begins, ends = start_of(day, at), start_of(day + timedelta(days=1), at)
    match operator:
        case Operator.ABOVE:
            return column >= ends
        case Operator.AT_LEAST:
            return column >= begins
        case Operator.BELOW:
            return column < begins
        case Operator.AT_MOST:
            return column < ends
        case _:
            return (column >= begins) & (column < ends)


def _day(value: Value, at: datetime) -> date:
    return day_of(value.typed, at.date()) if isinstance(value.typed, date | Ago) else at.date()


def _field(term: Term, value: Value, at: datetime) -> _Bool:
    """Return a comparison of a field. A word without quotation marks is equal to a text, and to the value it means."""
    column = subscribers.c.fields
    text = sa.func.coalesce(_text(field_text(column, term.field), term.operator, value.text), sa.false())
    if term.operator is Operator.CONTAINS:
        return text
    match value.typed:
        case bool():
            typed: _Bool = field_truth(column, term.field) == sa.literal("true" if value.typed else "false")
        case float():
            typed = _ordered(field_number(column, term.field), term.operator, sa.literal(value.typed, sa.Double))
        case None:
            return text
        case _:
            typed = _ordered(field_date(column, term.field), term.operator, sa.literal(_day(value, at).isoformat()))
    typed = sa.func.coalesce(typed, sa.false())
    return typed | text if term.operator in (Operator.IS, Operator.IS_NOT) else typed
