"""Plan every page of a site as an output, including the sitemap, the page for unknown addresses and the stylesheet."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from publisher.config import Config
from publisher.core.models import Output, Post, RenderedPost, Tag
from publisher.core.newsletter_models import Edition
from publisher.core.templates import Templates
from publisher.posts.post_groups import site_language
from publisher.site.pages.article import ListedPost, listed_post, plan_articles, plan_standalone
from publisher.site.pages.edition_pages import newest_editions, plan_editions
from publisher.site.pages.frame import FeedLink, Frame, href, make_frame
from publisher.site.pages.lists import by_tag, plan_archive, plan_index, plan_tags
from publisher.site.pages.look import DRAWN_ICON, drawn_icon, stylesheet
from publisher.site.pages.redirects import plan_redirects, redirect_output, redirects_of
from publisher.site.pages.signup import newest_path, sign_up_form
from publisher.site.pages.signup_pages import ListedFeed, plan_signup_pages
from publisher.site.web_versions import WebVersion

# The maximum number of URLs in a sitemap (sitemaps.org). A larger site has an index of several sitemaps.
MOST_URLS = 50_000
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
    standalone: Sequence[RenderedPost] = (),
    language_feeds: Callable[[str], Sequence[FeedLink]] = lambda _: (),
) -> Iterator[Output]:
    """Yield an output for every page and for the files that belong to the pages, with each path only once.

    posts       public posts, newest first. Unlisted posts only have a page, and posts whose page is elsewhere are only
                listed. A post with the permalink of another page ("/archive/") replaces that page
    render      renders a post; called only when an output is made
    feeds       links to feeds on every page; tag_feeds returns additional links for the pages of a tag, and
                language_feeds the links for a language other than the site's usual one
    listed      feeds shown on the page of feeds; opml is the URL of the list of all feeds, "" if there is none
    standalone  the standalone pages, rendered
    """
    every, has_earlier = _listed(posts, config.site.language)
    tags = by_tag([entry for entry in every if entry.is_listed])
    newest = newest_editions(editions)
    form = sign_up_form(config, {edition.newsletter for edition in newest})
    framed = partial(make_frame, config, templates, has_tags=bool(tags), has_editions=bool(newest), form=form)
    own = partial(_pages_in, config, standalone)
    parts = _by_language(config, every, framed, own, lambda language: language_feeds(language) if language else feeds)
    frame, lists = parts[0][0], [(each, [entry for entry in some if entry.is_listed]) for each, some in parts]
    planned = chain(
        *(_plan_posts(each, some, render, config.pages.cards) for each, some in parts),
        *(plan_standalone(each, own(each.site.language)) for each, _ in parts),
        plan_standalone(frame, standalone),
        *(plan_index(each, some, config.pages.per_page, render, each.site.folder) for each, some in lists),
        plan_tags(frame, tags, config.pages.per_page, tag_feeds),
        [plan_archive(each, some, each.site.folder) for each, some in lists],
        plan_editions(frame, config, editions, _ids_elsewhere(every) if editions else {}),
        plan_signup_pages(frame, listed, opml, newest),
    )
    paths: dict[str, None] = {}
    yield from _once(planned, paths)
    yield from _plan_others(frame, every, newest, paths)
    if has_earlier or any(page.post.aliases for page in standalone):
        yield from _plan_redirects(frame, posts, standalone, paths)


def _plan_redirects(
    frame: Frame, posts: Iterable[Post], standalone: Iterable[RenderedPost], paths: Collection[str]
) -> Iterator[Output]:
    """Yield the redirects from the earlier paths of posts and standalone pages. paths: of all pages."""
    here = (post for post in posts if post.has_page)
    yield from plan_redirects(frame, redirects_of([*here, *(each.post for each in standalone)])[0], paths)


def _listed(posts: Sequence[Post], language: str) -> tuple[list[ListedPost], bool]:
    """Return the posts that have a page, as lists show them, and whether any of them has an earlier path.

    Each post is loaded only for a moment.
    """
    listed, has_earlier = [], False
    for number, post in enumerate(posts):
        if post.has_page:
            listed.append(listed_post(post, language, posts, number))
            has_earlier = has_earlier or bool(post.aliases)
    return listed, has_earlier


def _ids_elsewhere(every: Iterable[ListedPost]) -> dict[str, str]:
    """Return the URLs of the posts whose pages are elsewhere, by id."""
    return {entry.post.id: entry.url for entry in every if entry.is_elsewhere}


def _once(planned: Iterable[Output], paths: dict[str, None]) -> Iterator[Output]:
    """Yield the first output for each path, and record the paths in this order."""
    for output in planned:
        if output.path not in paths:
            paths[output.path] = None
            yield output


def _plan_others(
    frame: Frame, every: Sequence[ListedPost], newest: Sequence[Edition], paths: Mapping[str, None]
) -> Iterator[Output]:
    """Yield the sitemap, the page for unknown addresses, and the files that all pages load.

    paths: the paths of all pages
    """
    copies = {f"{newest_path(edition.newsletter)}index.html" for edition in newest}
    others = paths.keys() - {entry.path for entry in every} - copies
    own = [each for each in every if each.is_listed and not each.canonical and not each.redirect_to]
    yield from plan_sitemap(frame, own, [path for path in paths if path in others])
    if NOT_FOUND not in paths:
        yield Output(NOT_FOUND, frame.key(NOT_FOUND), partial(make_not_found, frame))
    yield from _plan_assets(frame)


def _by_language(
    config: Config,
    every: Sequence[ListedPost],
    framed: Callable[..., Frame],
    pages: Callable[[str], Sequence[RenderedPost]],
    feeds: Callable[[str], Sequence[FeedLink]],
) -> list[tuple[Frame, list[ListedPost]]]:
    """Return the posts listed under each language of the site, with its frame; the usual language comes first.

    framed  makes the frame of a language
    pages   returns the standalone pages for its menu
    feeds   returns the links to the feeds of a language; "" for the usual one
    """
    languages, usual = config.site.all_languages, config.site.language
    found: dict[str, list[ListedPost]] = {usual: [], **{language: [] for language in languages}}
    for entry in every:
        found[site_language(entry.language, languages, usual)].append(entry)
    spoken = [language for language, some in found.items() if some or language == usual]
    others = spoken if len(spoken) > 1 else ()
    named = ["" if language == usual else language for language in spoken]
    menus = [[page.post for page in pages(language)] for language in spoken]
    frames = (
        framed(feeds(each), languages=others, language=each, standalone=menu)
        for each, menu in zip(named, menus, strict=True)
    )
    return [(frame, found[language]) for frame, language in zip(frames, spoken, strict=True)]


def _pages_in(config: Config, standalone: Sequence[RenderedPost], language: str) -> list[RenderedPost]:
    """Return the standalone pages in a language, and those in the site's usual language that are not translated."""
    languages, usual = config.site.all_languages, config.site.language

    def is_one(page: Post) -> bool:
        """Return whether a page is in the language, or in the usual language and not translated."""
        spoken = site_language(page.language, languages, usual)
        there = (site_language(each, languages, usual) for each, _ in page.translations)
        return spoken == language or (spoken == usual and language not in there)

    return [page for page in standalone if is_one(page.post)]


def _plan_posts(
    frame: Frame, every: Sequence[ListedPost], render: Callable[[Post], RenderedPost], cards: int
) -> Iterator[Output]:
    """Yield the outputs of the posts whose pages are here. Unlisted posts have no neighbours."""
    here = [entry for entry in every if not entry.is_elsewhere and not entry.redirect_to]
    for entry in every:
        if entry.redirect_to and not entry.is_elsewhere:
            yield redirect_output(frame, entry.path, entry.post, entry.redirect_to)
    yield from plan_articles(frame, [entry for entry in here if entry.is_listed], render, cards=cards)
    for entry in here:
        if not entry.is_listed:
            yield from plan_articles(frame, [entry], render)


def _plan_assets(frame: Frame) -> Iterator[Output]:
    """Yield the files that all pages load, or that are shown when someone shares a page."""
    if frame.site_card:
        yield frame.site_card.output()
    yield Output(frame.stylesheet, frame.stylesheet, partial(make_stylesheet, frame))
    if any(icon.url == f"{frame.site.url}/{DRAWN_ICON}" for icon in frame.site.icons):
        yield Output(DRAWN_ICON, frame.key(DRAWN_ICON), partial(make_icon, frame))


def make_not_found(frame: Frame) -> bytes:
    """Return the page for unknown addresses.

    It can be served at any path, so its links start at the root of the site.
    """
    page = replace(frame.page(NOT_FOUND, frame.words.not_found), root=frame.site.base)
    return frame.render("404.html", page)


def make_stylesheet(frame: Frame) -> bytes:
    """Return the stylesheet of all pages."""
    return stylesheet(frame.templates, frame.looks).encode()


def make_icon(frame: Frame) -> bytes:
    """Return the icon for a site without its own."""
    return drawn_icon(frame.templates, frame.looks, frame.site.title)


def plan_sitemap(
    frame: Frame, entries: Sequence[ListedPost], paths: Sequence[str], most: int = MOST_URLS
) -> Iterator[Output]:
    """Yield sitemap.xml with all posts and the pages at `paths`.

    If there are more than `most` URLs, sitemap.xml is an index of several sitemaps, which are yielded too. It does not
    contain the time of the build, so the sitemap of an unchanged site does not change.
    """
    rows: list[str | ListedPost] = [*paths, *entries]
    if len(rows) <= most:
        yield _sitemap(frame, "sitemap.xml", rows)
        return
    parts: list[str] = []
    for start in range(0, len(rows), most):
        part = f"sitemap-{len(parts) + 1}.xml"
        parts.append(f"{frame.site.url}/{part}")
        yield _sitemap(frame, part, rows[start : start + most])
    key = frame.key("sitemap_index.xml", *parts)
    yield Output("sitemap.xml", key, partial(make_sitemap_index, frame, parts))


def _sitemap(frame: Frame, path: str, rows: Sequence[str | ListedPost]) -> Output:
    """Return a sitemap of pages, by their paths, and of posts."""
    shown = (f"{url}\0{day}\0{alternates}" for url, day, alternates in _located(frame, rows))
    return Output(path, frame.key("sitemap.xml", *shown), partial(make_sitemap, frame, path, rows))


def _located(frame: Frame, rows: Iterable[str | ListedPost]) -> Iterator[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Yield the URL of each page, the day of its last change, and its (language, URL) in every language."""
    for row in rows:
        if isinstance(row, str):
            yield f"{frame.site.url}/{href(row)}", "", ()
        else:
            yield row.url, row.updated[:10], row.alternates


def make_sitemap(frame: Frame, path: str, rows: Sequence[str | ListedPost]) -> bytes:
    """Return a sitemap."""
    pages = ((url, day) for url, day, _ in _located(frame, rows))
    spoken = {url: alternates for url, _, alternates in _located(frame, rows) if alternates}
    return frame.render_long("sitemap.xml", frame.page(path, ""), rows=pages, alternates=spoken)


def make_sitemap_index(frame: Frame, urls: Sequence[str]) -> bytes:
    """Return the list of several sitemaps."""
    rows = [(url, "") for url in urls]
    return frame.render("sitemap_index.xml", frame.page("sitemap.xml", ""), rows=rows, alternates={})
