"""Which pages a site has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from publisher.config import Config
from publisher.core.models import Output, Post, RenderedPost, Tag
from publisher.core.templates import Templates
from publisher.site.pages.article import ListedPost, listed_post, plan_articles
from publisher.site.pages.edition_pages import plan_editions
from publisher.site.pages.frame import FeedLink, Frame, href, make_frame, stylesheet
from publisher.site.pages.lists import by_tag, plan_archive, plan_index, plan_tags
from publisher.site.pages.signup import ListedFeed, plan_subscribe, sign_up_form
from publisher.site.web_versions import WebVersion

# A sitemap holds no more addresses (sitemaps.org); a larger site has an index of several.
MOST = 50_000


def plan_sitemap(
    frame: Frame, entries: Sequence[ListedPost], paths: Sequence[str], most: int = MOST
) -> Iterator[Output]:
    """Plan sitemap.xml for all posts and the pages at `paths`; over `most` addresses, an index of parts."""
    addresses = [f"{frame.site.url}/{href(path)}" for path in paths] + [entry.post.url for entry in entries]
    days = [""] * len(paths) + [entry.updated[:10] for entry in entries]
    if len(addresses) <= most:
        yield _output(frame, "sitemap.xml", "sitemap.xml", addresses, days)
        return
    parts: list[str] = []
    for start in range(0, len(addresses), most):
        part, end = f"sitemap-{len(parts) + 1}.xml", start + most
        parts.append(f"{frame.site.url}/{part}")
        yield _output(frame, part, "sitemap.xml", addresses[start:end], days[start:end])
    yield _output(frame, "sitemap.xml", "sitemap_index.xml", parts, [""] * len(parts))


def _output(frame: Frame, path: str, template: str, addresses: list[str], days: list[str]) -> Output:
    key = frame.key(template, *addresses, *days)
    return Output(path, key, partial(_make, frame, path, template, addresses, days))


def _make(frame: Frame, path: str, template: str, addresses: list[str], days: list[str]) -> bytes:
    return frame.render(template, frame.page(path, ""), rows=zip(addresses, days, strict=True))


NOT_FOUND = "404.html"


def plan_pages(
    config: Config,
    posts: Sequence[Post],
    render: Callable[[Post], RenderedPost],
    editions: Sequence[WebVersion],
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
    entries = [listed_post(post, config.site.language) for post in posts]
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
            yield plan_subscribe(frame, listed, opml, sign_up_form(config))

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
