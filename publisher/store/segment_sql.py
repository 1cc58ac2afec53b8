"""Conditions on subscribers as SQL, for SQLite and PostgreSQL.

core/segment_language.py defines the conditions. All of their values are parameters, and every condition is true or
false, never NULL. People's rows are looked up by their keys, so the time is linear whatever statistics the planner has.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from publisher.core.newsletter_models import SubscriberStatus
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
    start_of,
)
from publisher.core.segment_language import parse_joined
from publisher.store.consent import first_source
from publisher.store.segment_fields import field_date, field_number, field_text, field_truth, folded, has_field
from publisher.store.subscriber_records import address_key
from publisher.store.subscriptions import subscribed
from publisher.store.tables import joined, subscriber_tags, subscribers, subscriptions

_Bool = sa.ColumnElement[bool]


def where(condition: Condition, at: datetime) -> _Bool:
    """Return a condition as SQL over the table `subscribers`, for SQLite and PostgreSQL.

    at: the moment from which dates are counted back and at which pauses are checked; its time zone says when a day
    begins.
    """
    # PostgreSQL guesses that a CASE is true for every second person. It would guess that the condition itself is true
    # for hardly anybody, and then go through all subscriptions for each person.
    return sa.case((_where(condition, at), sa.true()), else_=sa.false())


def _where(condition: Condition, at: datetime) -> _Bool:
    match condition:
        case Not(part):
            return sa.not_(_where(part, at))
        case AllOf(parts):
            return sa.and_(*(_where(each, at) for each in parts))
        case AnyOf(parts):
            return sa.or_(*(_where(each, at) for each in parts))
        case Term(operator=Operator.IS_NOT):
            return sa.not_(_term(condition, at))
        case Term(operator=Operator.HAS_NO_VALUE):
            return sa.not_(_has_value(condition))
        case Term(operator=Operator.HAS_VALUE):
            return _has_value(condition)
        case Term():
            return _term(condition, at)


def in_segment(segment: str, at: datetime) -> list[_Bool]:
    """Return the SQL condition that a subscriber is in a segment, or nothing for "", which means everyone.

    segment: the text of a condition. Raises SegmentError if it is not valid.
    """
    return [where(parse_joined(segment), at)] if segment else []


def _term(term: Term, at: datetime) -> _Bool:
    """Return a comparison with a value; IS_NOT is treated like IS."""
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
            return _exists(subscriber_tags, subscriber_tags.c.tag == word.lower())  # as clean_tag stores them
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
    """Return the SQL condition that a person has a row in a table.

    The condition is a subquery for each person. PostgreSQL would turn EXISTS into a join and, before the first ANALYZE,
    into a join that goes through all rows for each person. The subquery refers only to the person in the outer
    statement, which may use the same table.
    """
    theirs = sa.select(sa.literal(1)).select_from(table).where(table.c.subscriber_id == subscribers.c.id, *conditions)
    return theirs.limit(1).correlate(subscribers).scalar_subquery().is_not(None)


def _topic(topic: str) -> _Bool:
    # A quotation mark inside a topic is escaped, so this finds only whole topics. The exception is a single comma.
    written = json.dumps(fold(topic), ensure_ascii=False)
    return sa.false() if topic == "," else folded(subscriptions.c.topics, written).contains(written, autoescape=True)


def _status(status: str, at: datetime) -> _Bool:
    if status != PAUSED:
        return subscribers.c.status == SubscriberStatus(status)
    until = subscribers.c.paused_until
    return (subscribers.c.status == SubscriberStatus.ACTIVE) & until.is_not(None) & (until > at)


def _language(tag: str) -> _Bool:
    small = fold(tag)
    column = folded(subscribers.c.language, small)
    return (column == small) | column.startswith(f"{small}-", autoescape=True)


def _left_at() -> sa.ColumnElement[datetime]:
    newest = sa.select(sa.func.max(subscriptions.c.since)).where(
        subscriptions.c.subscriber_id == subscribers.c.id, ~subscribed()
    )
    return newest.correlate(subscribers).scalar_subquery()


def _text(column: sa.ColumnElement[Any], operator: Operator, text: str) -> _Bool:
    if operator is Operator.CONTAINS:
        return folded(column, fold(text)).contains(fold(text), autoescape=True)
    return _same(column, text)


def _same(column: sa.ColumnElement[Any], text: str) -> _Bool:
    return folded(column, fold(text)) == fold(text)


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
    """Return a comparison of moments with a whole day: "after 1 May" begins with 2 May."""
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
    """Return a comparison of a field. A word without quotation marks equals a text and the value that it represents."""
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
