"""Every file that a build would write, none of them made yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Output, Post, RenderedPost
from publisher.core.templates import Templates
from publisher.posts.archive import Archive

if TYPE_CHECKING:
    from publisher.site.feeds.catalogue import Feed
    from publisher.site.pages.letters import EditionPage

Render = Callable[[Post], RenderedPost]


def plan_site(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    static: Sequence[Output],
    editions: Sequence[EditionPage],
    code: str,
) -> Iterator[Output]:
    """Yield static files, feeds and pages; of two for one path the first is meant.

    Renders only posts in archives of feeds that were never weighed (see feeds.plan).

    static    the writer's own files
    editions  newest first
    code      names the program's own version in the keys of the outputs
    """
    from publisher.site.feeds.catalogue import feeds_of
    from publisher.site.feeds.plan import plan_feeds
    from publisher.site.feeds.source import EditionCopy, PostSource

    copies = [EditionCopy(page.edition, page.html) for page in editions]
    feeds = list(feeds_of(config, archive, PostSource(config, archive, render), copies))
    yield from static
    yield from plan_feeds(config, feeds, code)
    if config.pages.enabled:
        yield from _pages(config, archive, render, templates, editions, feeds)


def _pages(
    config: Config,
    archive: Archive,
    render: Render,
    templates: Templates,
    editions: Sequence[EditionPage],
    feeds: Sequence[Feed],
) -> Iterator[Output]:
    from publisher.site.feeds.catalogue import OPML_FILE, feed_links, feed_url
    from publisher.site.pages.frame import FeedLink
    from publisher.site.pages.plan import plan_pages
    from publisher.site.pages.subscribe import ListedFeed

    links = {feed.folder: tuple(FeedLink(*link) for link in feed_links(config, feed)) for feed in feeds}
    yield from plan_pages(
        config,
        archive.posts,
        render,
        editions,
        templates,
        links[""],
        lambda tag: links.get(f"tags/{tag.slug}/", ()),
        [ListedFeed(feed.group, feed.label, feed.description, links[feed.folder]) for feed in feeds],
        feed_url(config, OPML_FILE) if config.feeds.formats else "",
    )
