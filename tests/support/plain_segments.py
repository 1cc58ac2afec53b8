"""Evaluates conditions about a person in plain Python, for comparison with the store's SQL."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from publisher.core.newsletter_models import Subscriber
from publisher.core.segment_conditions import (
    Ago,
    AllOf,
    AnyOf,
    Condition,
    Not,
    Operator,
    Subject,
    Term,
    day_of,
    fold,
    start_of,
)
from publisher.store.subscriber_records import ConsentEvent, address_key

_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.ABOVE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.BELOW: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.IS: operator.eq,
}


def is_true_of(condition: Condition, person: Subscriber, at: datetime, history: Sequence[ConsentEvent] = ()) -> bool:
    """Return whether a condition is true of a person with a history of consent."""
    match condition:
        case Not(part):
            return not is_true_of(part, person, at, history)
        case AllOf(parts):
            return all(is_true_of(each, person, at, history) for each in parts)
        case AnyOf(parts):
            return any(is_true_of(each, person, at, history) for each in parts)
        case Term(operator=Operator.HAS_VALUE | Operator.HAS_NO_VALUE):
            return _has_value(condition, person) is (condition.operator is Operator.HAS_VALUE)
        case Term(operator=Operator.IS_NOT):
            equal = Term(condition.subject, Operator.IS, condition.value, condition.field)
            return not _compares(equal, person, at, history)
        case Term():
            return _compares(condition, person, at, history)


def _has_value(term: Term, person: Subscriber) -> bool:
    match term.subject:
        case Subject.TOPIC:
            return any(each.topics for each in person.subscriptions)
        case Subject.TAG:
            return bool(person.tags)
        case Subject.LEFT:
            return any(each.since for each in person.ended)
        case Subject.FIELD:
            return term.field in person.fields
        case _:
            return getattr(person, term.subject.value) != ""


def _compares(term: Term, person: Subscriber, at: datetime, history: Sequence[ConsentEvent]) -> bool:
    assert term.value is not None
    text, typed, how = term.value.text, term.value.typed, term.operator
    since = [each.since for each in person.ended if each.since]
    topics = {fold(topic) for each in person.subscriptions for topic in each.topics}
    is_paused = person.status == "active" and person.paused_until is not None and person.paused_until > at
    return {
        Subject.TAG: lambda: text.lower() in person.tags,
        Subject.TOPIC: lambda: fold(text) in topics,
        Subject.NEWSLETTER: lambda: any(each.newsletter == text for each in person.subscriptions),
        Subject.STATUS: lambda: is_paused if text.lower() == "paused" else person.status == text.lower(),
        Subject.LANGUAGE: lambda: f"{fold(person.language)}-".startswith(f"{fold(text)}-"),
        Subject.SOURCE: lambda: _text(history[0].source if history else "", how, text),
        Subject.ADDRESS: lambda: _text(address_key(person.address), how, address_key(text)),
        Subject.NAME: lambda: _text(person.name, how, text),
        Subject.NOTE: lambda: _text(person.note, how, text),
        Subject.JOINED: lambda: _day(person.joined_at, how, typed, at),
        Subject.LEFT: lambda: bool(since) and _day(max(since), how, typed, at),
        Subject.BOUNCES: lambda: _COMPARE[how](person.bounces, typed),
        Subject.FIELD: lambda: term.field in person.fields and _field(person.fields[term.field], term, at),
    }[term.subject]()


def _text(has: str, how: Operator, wanted: str) -> bool:
    return fold(wanted) in fold(has) if how is Operator.CONTAINS else fold(wanted) == fold(has)


def _day(moment: datetime, how: Operator, typed: Any, at: datetime) -> bool:
    local = moment.astimezone(at.tzinfo)
    day = day_of(typed, at.date())
    assert start_of(day, at) <= start_of(day + timedelta(days=1), at)
    return _COMPARE[how](local.date(), day)


def _field(has: object, term: Term, at: datetime) -> bool:
    assert term.value is not None
    text, typed, how = term.value.text, term.value.typed, term.operator
    if isinstance(has, str) and how in (Operator.IS, Operator.CONTAINS) and _text(has, how, text):
        return True
    if how is Operator.CONTAINS:
        return False
    match typed:
        case bool():
            return has is typed
        case float():
            return not isinstance(has, str | bool) and _COMPARE[how](float(has), typed)  # type: ignore[arg-type]
        case date() | Ago():
            is_day = isinstance(has, str) and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", has)
            return bool(is_day) and _COMPARE[how](has, day_of(typed, at.date()).isoformat())
        case _:
            return False
