"""Whatever a feed does to its items from one document to the next, each expected post is in one edition."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path

import pytest

from publisher.config import Config, NewsletterConfig, Site, SourceConfig
from publisher.core.newsletter_models import EditionPost
from publisher.core.source_models import FeedItem
from publisher.newsletters.select import select_posts
from publisher.posts.archive import open_archive
from publisher.posts.sources.feed_document import read_feed
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.wiring import Project
from publisher.store import open_store
from tests.support.item_cases import BLOG, CASES, NOW
from tests.support.store_samples import draft

WEEKLY = NewsletterConfig(name="weekly", sources=("blog",), first=50, settle_minutes=0)
WEEK = timedelta(days=7)
TEN = (
    "guids change",
    "http becomes https",
    "another host",
    "no guid",
    "one link for all",
    "a guid that is used again",
    "no dates",
    "back-dated",
    "in the future",
    "twice in one document",
    "neither guid nor link",
)


def rss(items: list[FeedItem]) -> bytes:
    """Return the items as RSS."""

    def element(name: str, text: str, attributes: str = "") -> str:
        return f"<{name}{attributes}>{escape(text)}</{name}>" if text else ""

    made = "".join(
        "<item>"
        + element("title", each.title)
        + element("link", each.link)
        + element("guid", each.guid, ' isPermaLink="false"')
        + element("pubDate", format_datetime(each.published) if each.published else "")
        + element("description", each.html)
        + "</item>"
        for each in items
    )
    head = f"<title>A blog</title><link>{BLOG}/</link><description>x</description>"
    return f"<rss version='2.0'><channel>{head}{made}</channel></rss>".encode()


@pytest.mark.parametrize("case", TEN)
def test_each_item_is_in_one_edition(case: str, tmp_path: Path) -> None:
    documents, expected = CASES[case]
    (tmp_path / "posts").mkdir()
    source = SourceConfig(name="blog", url=f"{BLOG}/feed")
    site = Site(title="Notes", url="https://notes.example")
    config = Config(site=site, root=tmp_path, sources=(source,), newsletters=(WEEKLY,))
    with open_store(config.database.url, tmp_path) as store:
        for week, items in enumerate([*documents, *([documents[-1]] * (2 if case == "in the future" else 1))]):
            now = NOW + week * WEEK
            document = read_feed(rss(items), f"{BLOG}/feed", {})
            take_document(Project(config, store, lambda now=now: now), source, document, now)
            posts = open_archive(config, now).posts
            handled = store.editions.handled_posts("weekly")
            taken = select_posts(posts, WEEKLY, handled, not week, now, config.zone).posts
            if taken:
                sent = tuple(EditionPost(post.id, post.title, post.url) for post in taken)
                assert store.editions.create(draft(f"week {week}", made_at=now, posts=sent))
        editions = store.editions.list()
        assert store.sources.suspects() == {}
    titles = Counter(post.title.removeprefix("On ") for edition in editions for post in edition.posts)
    assert titles == Counter(expected)
