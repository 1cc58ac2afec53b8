"""Find the feed of an existing blog, and what a project can take from it: names, language, author, address."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from publisher.core.errors import PublisherError
from publisher.core.frozen import dataclass
from publisher.core.source_models import FeedDocument
from publisher.posts.sources.discovery import NamedFeed, feeds_of
from publisher.posts.sources.feed_document import read_feed
from publisher.posts.sources.fetcher import Answer, FetchError, Request, fetch

# Where blogs have their feed if their pages don't name it: WordPress and Ghost, Jekyll, Hugo, Eleventy, and others.
_USUAL = ("feed/", "feed.xml", "rss.xml", "atom.xml", "index.xml", "rss")

# What titles say about the format of a feed.
_FORMATS = re.compile(r"\b(?:rss|atom|json|feed|xml|1\.0|1\.1|2\.0|0\.3)\b")

# First parts of host names that say nothing about the blog.
_ANY_HOST = ("www", "blog", "blogs", "news", "feed", "feeds", "rss", "m")


@dataclass(frozen=True, slots=True)
class AdoptedFeed:
    """A feed that was found at an address, and read.

    url       its address, which may differ from the one that was requested
    document  the contents of the feed
    answer    the answer that contained it
    others    the other feeds that the page names, each only once, however many formats it has
    """

    url: str
    document: FeedDocument
    answer: Answer | None = None
    others: tuple[NamedFeed, ...] = ()

    @property
    def site_url(self) -> str:
        """The address of the site's home page, if the feed gives it, or else the home page of the feed's host."""
        link = self.document.link if urlsplit(self.document.link).hostname else urljoin(self.url, "/")
        return link.split("#")[0].split("?")[0]

    @property
    def title(self) -> str:
        """The title of the feed, or its host if it has none, on one line."""
        return _line(self.document.title) or urlsplit(self.url).hostname or "feed"

    @property
    def name(self) -> str:
        """A short name for the source, made from its host: "ada" for blog.ada.example, "blog" if nothing is left."""
        parts = (urlsplit(self.site_url).hostname or "").split(".")
        telling = [part for part in parts[:-1] if part not in _ANY_HOST and not part.isdigit()]
        name = re.sub(r"[^a-z0-9]+", "-", telling[0].lower()).strip("-") if telling else ""
        return name[:30] if name and name != "posts" else "blog"

    @property
    def author(self) -> str:
        """The author of most of the items; "" if the feed names no one."""
        names = Counter(author.name for item in self.document.items for author in item.authors if author.name)
        return names.most_common(1)[0][0] if names else ""


def adopt_feed(url: str, *, allow_private: bool = False) -> AdoptedFeed:
    """Return the feed at an address, or, if there is a page at the address, the first feed that the page names.

    url            without a scheme, https:// is assumed
    allow_private  whether it may be on this machine or in a private network
    Raises PublisherError if there is no feed.
    """
    url, written = url if "://" in url else f"https://{url}", url
    try:
        answer = _fetched(url, allow_private)
    except FetchError as error:
        if written == url or error.status or error.is_refused:
            raise
        hint = "; ".join(filter(None, (error.hint, f"if it has no https, write http://{written}")))
        raise PublisherError(error.message, where=error.where, hint=hint) from error
    if not _is_page(answer):
        return _read(url, answer)
    links = distinct_feeds(feeds_of(answer.body, answer.url))
    if links:
        found = _fetched(links[0].url, allow_private)
        return replace(_read(links[0].url, found), others=tuple(links[1:]))
    for path in _USUAL:
        with suppress(PublisherError):  # it is only a guess
            answer = _fetched(tried := urljoin(answer.url, path), allow_private)
            if not _is_page(answer):
                return _read(tried, answer)
    raise PublisherError(
        "doesn't name a feed", where=url, hint="give the address of the feed itself; most blogs link to it as RSS"
    )


def _fetched(url: str, allow_private: bool) -> Answer:
    """Return the answer from an address; raise FetchError, with the command's own option in its hint."""
    try:
        return fetch(Request(url, allow_private=allow_private))
    except FetchError as error:
        if error.is_refused and "allow_private" in error.hint:
            hint = "if you trust it, use --allow-private"
            raise FetchError(error.message, where=error.where, hint=hint, is_refused=True) from error
        raise


def _read(url: str, answer: Answer) -> AdoptedFeed:
    return AdoptedFeed(answer.moved_to or url, read_feed(answer.body, answer.url, answer.headers), answer)


def distinct_feeds(links: Iterable[NamedFeed]) -> list[NamedFeed]:
    """Return the feeds of a page without those that are only another format of an earlier one.

    Blogs name their feed in several formats under one title.
    """
    kinds: dict[str, set[str]] = {}
    found = []
    for each in links:
        seen = kinds.setdefault(re.sub(r"\W+", "", _FORMATS.sub("", each.title.lower())), set())
        if not seen or each.kind in seen:
            found.append(each)
        seen.add(each.kind)
    return found


def _is_page(answer: Answer) -> bool:
    """Return whether an answer is an HTML page. Feeds come with all kinds of media types, so the content decides."""
    start = answer.body[:2_000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<?xml", b"<rss", b"<feed", b"<rdf", b"{")) and b"<html" not in start:
        return False
    return b"<html" in start or b"<!doctype html" in start or "html" in answer.headers.get("content-type", "")


def project_values(feed: AdoptedFeed, now: datetime, *, allow_private: bool = False) -> dict[str, str | bool]:
    """Return the values of a feed for the template of publisher.toml, with texts as TOML strings.

    now  the present time, for the year in `site.authority`
    """
    document = feed.document
    host = urlsplit(feed.site_url).hostname or "example.org"
    title = feed.title
    language = document.language if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", document.language) else "en"
    texts = {
        "title": title,
        "url": feed.site_url,
        "description": _line(document.description)[:300],
        "language": language,
        "author": _line(feed.author) or title,
        "source": feed.name,
        "feed": feed.url,
        "sender": f"{_display_name(title)} <you@example.org>",
    }
    quoted: dict[str, str | bool] = {key: _toml(value) if value else "" for key, value in texts.items()}
    authority = re.sub(r"[^a-z0-9._-]", "-", host.lower())
    return quoted | {"authority": f"{authority},{now.year}", "allow_private": allow_private}


def source_table(feed: AdoptedFeed, allow_private: bool) -> str:
    """Return the [[sources]] table for a feed, as lines of publisher.toml."""
    lines = ["[[sources]]", f"name = {_toml(feed.name)}", f"url = {_toml(feed.url)}"]
    return "\n".join([*lines, *(["allow_private = true"] if allow_private else [])])


def _display_name(title: str) -> str:
    """Return a title as the display name of an email address (RFC 5322, section 3.4)."""
    name = title[:100].replace("\\", "").replace('"', "'")
    return name if re.fullmatch(r"[\w '-]+", name) else f'"{name}"'


def _line(text: str) -> str:
    """Return a text on one line, without characters that TOML or a terminal would misread."""
    return " ".join(re.sub("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]", " ", text).split())


def _toml(text: str) -> str:
    """Quote a text for TOML as a JSON string, which is also a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False)
