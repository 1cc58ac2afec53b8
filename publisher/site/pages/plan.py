"""Which pages a site has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from publisher.config import Config
from publisher.core.models import Output, Post, RenderedPost, Tag
from publisher.core.templates import Templates
from publisher.site.pages.article import plan_articles
from publisher.site.pages.entry import make_entry
from publisher.site.pages.frame import FeedLink, Frame, make_frame, stylesheet
from publisher.site.pages.letters import EditionPage, plan_editions
from publisher.site.pages.lists import by_tag, plan_archive, plan_index, plan_tags
from publisher.site.pages.signup import sign_up
from publisher.site.pages.sitemap import plan_sitemap
from publisher.site.pages.subscribe import ListedFeed, plan_subscribe

NOT_FOUND = "404.html"


def plan_pages(
    config: Config,
    posts: Sequence[Post],
    render: Callable[[Post], RenderedPost],
    editions: Sequence[EditionPage],
    templates: Templates,
    feeds: Sequence[FeedLink],
    tag_feeds: Callable[[Tag], Sequence[FeedLink]] = lambda _: (),
    listed: Sequence[ListedFeed] = (),
    opml: str = "",
) -> Iterator[Output]:
    """Yield every file of the site's pages, not made yet, each path once.

    posts are public and newest first. `render` is called by Output.make only. feeds are named on every page,
    a tag's own ones on the tag's pages, and those in `listed` on the page that explains feeds, with the address
    of the list of them all (opml). A post whose address is that of a page made here ("/archive/") takes
    its place.
    """
    entries = [make_entry(post, config.site.language) for post in posts]
    tags = by_tag(entries)
    frame = make_frame(config, templates, feeds, has_tags=bool(tags), has_editions=bool(editions))
    per_page = config.pages.per_page

    def all_pages() -> Iterator[Output]:
        yield from plan_articles(frame, entries, render)
        yield from plan_index(frame, entries, per_page, render)
        yield from plan_tags(frame, tags, per_page, tag_feeds)
        yield plan_archive(frame, entries)
        yield from plan_editions(frame, config, editions)
        if feeds:
            yield plan_subscribe(frame, listed, opml, sign_up(config))

    own = {entry.path for entry in entries}
    seen: set[str] = set()
    others: list[str] = []
    for output in all_pages():
        if output.path not in seen:
            seen.add(output.path)
            if output.path not in own:
                others.append(output.path)
            yield output
    yield from plan_sitemap(frame, entries, others)
    if NOT_FOUND not in seen:
        yield Output(NOT_FOUND, frame.key(NOT_FOUND), partial(make_not_found, frame))
    yield Output(frame.stylesheet, frame.stylesheet, partial(make_stylesheet, frame))


def make_not_found(frame: Frame) -> bytes:
    """Make the page for addresses that lead nowhere; served at any depth, so its links start at the root."""
    page = replace(frame.page(NOT_FOUND, frame.words.not_found), root=frame.site.base)
    return frame.render("404.html", page)


def make_stylesheet(frame: Frame) -> bytes:
    """Join the stylesheets."""
    return stylesheet(frame.templates).encode()
