"""Turning the texts in a form or a command into a query about the people on the list, after checking them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

from publisher.core.characters import clean_line
from publisher.core.errors import SubscriberError
from publisher.core.newsletter_models import SubscriberStatus
from publisher.core.segment_language import parse
from publisher.store.people_query import PeopleQuery, PeopleSort

if TYPE_CHECKING:
    from publisher.store import Store

LONGEST_SEARCH = 200
# The parts of a query. `field` is a name, or a name and a value: city=Oslo. `sort` may begin with a minus.
PARTS = ("search", "newsletter", "status", "topic", "tag", "field", "source", "since", "until", "segment", "sort")


def people_query(given: Mapping[str, str], store: Store | None, zone: tzinfo) -> PeopleQuery:
    """Return the query for some texts; a part that is empty or missing adds no condition.

    given  the texts by the names in PARTS. `since` and `until` are days, both included; `segment` is the name of a
           saved segment, or a condition
    zone   the time zone in which a day begins and ends

    Raises SubscriberError or SegmentError if a part cannot be understood.
    """
    text = {name: clean_line(given.get(name, ""), 1_000) for name in PARTS}
    since, until = (_day(text[name]) for name in ("since", "until"))
    condition = text["segment"] and (store.segments.resolve(text["segment"]) if store else text["segment"])
    field, _, value = text["field"].partition("=")
    sort = text["sort"].removeprefix("-") or PeopleSort.JOINED.value
    return PeopleQuery(
        search=text["search"][:LONGEST_SEARCH],
        newsletter=text["newsletter"],
        status=SubscriberStatus(_one_of("status", text["status"], SubscriberStatus)) if text["status"] else None,
        topic=text["topic"].lower(),
        tag=text["tag"].lower(),
        field=(field.strip().lower(), value.strip()) if field.strip() else None,
        source=text["source"],
        joined_from=_start(since, zone) if since else None,
        joined_to=_start(until + timedelta(days=1), zone) if until else None,
        segment=parse(condition) if condition else None,
        sort=PeopleSort(_one_of("order", sort, PeopleSort)),
        descending=text["sort"].startswith("-"),
    )


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.max
    if not 1900 <= day.year <= 2200:
        raise SubscriberError(f"{text[:40]!r} isn't a day", hint="write it like 2026-01-31")
    return day


def _start(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _one_of(what: str, word: str, known: type[SubscriberStatus] | type[PeopleSort]) -> str:
    words = [each.value for each in known]
    if word not in words:
        raise SubscriberError(f"there is no {what} {word[:40]!r}", hint=f"known: {', '.join(words)}")
    return word
