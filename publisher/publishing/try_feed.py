"""Show the email that a feed would make, without a project: a temporary one is created and then deleted."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from publisher.config import Config, load_config
from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.newsletter_models import Letter
from publisher.posts.archive import open_archive
from publisher.publishing.adopt_feed import AdoptedFeed, adopt_feed, project_values
from publisher.publishing.fetch_sources import take_document
from publisher.publishing.new_project import create_project
from publisher.publishing.render import EditionRenderer
from publisher.publishing.sample_editions import sample_edition
from publisher.publishing.source_check import doubts_about
from publisher.publishing.wiring import Project, open_project_store


@dataclass(frozen=True, slots=True)
class TriedFeed:
    """A feed, and the email that it would make now.

    posts     how many items the email has
    problems  the oddities of the feed, in one line each
    """

    feed: AdoptedFeed
    letter: Letter
    posts: int
    problems: tuple[str, ...] = ()


def try_feed(url: str, now: datetime, *, full: bool = False, allow_private: bool = False) -> TriedFeed:
    """Return the email that the feed at an address would make as the first edition of a newsletter.

    url            the URL of the feed, or of a page that names it
    full           whether the email has whole texts instead of excerpts
    allow_private  whether it may be on this machine or in a private network
    Raises PublisherError if there is no feed, or if it has no items.
    """
    feed = adopt_feed(url, allow_private=allow_private)
    with tempfile.TemporaryDirectory(prefix="publisher-") as folder:
        create_project(Path(folder), now, project_values(feed, now, allow_private=allow_private))
        letter, posts = _letter(_config(Path(folder), full), feed, now)
    return TriedFeed(feed, letter, posts, doubts_about(feed.document, now))


def _config(folder: Path, full: bool) -> Config:
    config = load_config(folder, {})
    newsletter = replace(config.newsletters[0], content="full" if full else "excerpt", settle_minutes=0)
    return replace(config, newsletters=(newsletter,))


def _letter(config: Config, feed: AdoptedFeed, now: datetime) -> tuple[Letter, int]:
    with open_project_store(config) as store:
        take_document(Project(config, store, lambda: now), config.sources[0], feed.document, now)
    archive = open_archive(config, now)
    planned = sample_edition(config, config.newsletters[0], archive, now)
    if not planned.posts:
        raise _nothing_to_show(feed, now)
    return EditionRenderer(config, archive).letter(planned, now), len(planned.posts)


def _nothing_to_show(feed: AdoptedFeed, now: datetime) -> PublisherError:
    """Return the error for a feed without any item to show, with the reason."""
    items = feed.document.items
    dates = [item.published for item in items if item.published and item.published > now]
    if not items or len(dates) < len(items):
        return PublisherError("has no items to show", where=feed.url, hint="look at it in a browser")
    what = f"has only items with dates in the future, the first on {min(dates):%Y-%m-%d}"
    return PublisherError(what, where=feed.url, hint="each is sent when its time comes")
