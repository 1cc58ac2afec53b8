"""Each kind of oddity in a feed is reported, and an ordinary feed causes no report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from publisher.core.models import Enclosure
from publisher.core.source_models import FeedItem
from publisher.publishing.source_check import feed_doubts

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
WHOLE = "<p>" + "A sentence that belongs to the whole text. " * 90 + "</p>"


def items(number: int = 5) -> list[FeedItem]:
    return [
        FeedItem(f"{n}", f"https://blog.example/{n}", f"Post {n}", WHOLE, published=NOW - timedelta(days=n + 1))
        for n in range(number)
    ]


def each(**changes: object) -> Callable[[], list[FeedItem]]:
    return lambda: [replace(item, **changes) for item in items()]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (items, ""),
        (lambda: [], "has no items"),
        (each(published=None), "has no dates"),
        (lambda: [replace(item, published=None) if n else item for n, item in enumerate(items())], "4 of 5 items"),
        (lambda: [items()[0], *(replace(each, published=None) for each in items()[1:3]), *items(9)[3:]], ""),
        (each(link="https://blog.example/"), "has 5 items with the same link, https://blog.example/"),
        (each(link=""), ""),
        (each(html=""), "contains only excerpts"),
        (each(html="<p>The beginning of it […]</p>"), "contains only excerpts"),
        (each(html="<p>The beginning of it &hellip;</p>"), "contains only excerpts"),
        (each(html="<p>The beginning of it... <a href='/x'>Continue reading “Post”</a></p>"), "contains only excerpts"),
        (each(html="<p>A note that is as short as notes are.</p>"), ""),
        (lambda: [replace(item, html="") for item in items(2)], ""),
        (each(html="", enclosures=(Enclosure("https://blog.example/a.mp3", "audio/mpeg", 1),)), ""),
        (lambda: [replace(item, published=NOW - timedelta(days=91)) for item in items()], "silent since 2026-08-17"),
        (lambda: [replace(item, published=NOW - timedelta(days=89)) for item in items()], ""),
    ],
)
def test_each_oddity_of_a_feed_is_reported(found: Callable[[], Sequence[FeedItem]], says: str) -> None:
    messages = [doubt.message for doubt in feed_doubts(found(), NOW)]
    assert len(messages) == bool(says), messages
    assert not says or says in messages[0]


def test_excerpts_are_not_reported_where_excerpts_are_wanted() -> None:
    assert not list(feed_doubts(each(html="")(), NOW, content="excerpt"))
