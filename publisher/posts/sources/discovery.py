"""The feeds that a web page names. They are searched for if only the address of a blog's page is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import NamedTuple

from publisher.posts.sources.item_text import absolute_web
from publisher.posts.sources.xml_text import decoded_text

# A page names its feeds in its head; links to feeds may be at its end.
_MOST_BYTES = 3_000_000
_MOST_FEEDS = 100

_KINDS = {
    "application/rss+xml": "rss",
    "application/atom+xml": "atom",
    "application/rdf+xml": "rss",
    "application/feed+json": "json",
    "text/xml": "rss",
    "application/xml": "rss",
    "text/rss+xml": "rss",
    "application/json": "json",
}
# Media types that other documents have as well: with one of these, only an address that looks like a feed's counts.
_VAGUE = frozenset(("text/xml", "application/xml", "application/json", "application/rdf+xml"))
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?:script|style)\b.*?(?:</(?:script|style)|\Z)"
    r"""|<(link|a|base)\b((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""",
    re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE = re.compile(r"""([a-zA-Z:-]{1,30})\s{0,9}=\s{0,9}(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""")
_LIKE_A_FEED = re.compile(
    r"/(?:feeds?|rss|atom|index)(?:\.(?:xml|rss|rdf|atom|json)|/posts/default|/?)$|\.(?:rss|atom)$|/feed\.json$|[?&]feed=|[?&]format=rss",
    re.IGNORECASE,
)
_OF_COMMENTS = re.compile(
    r"comments?\b|kommentare?\b|commentaires?\b|comentarios?\b|коммент|评论|コメント", re.IGNORECASE
)


class NamedFeed(NamedTuple):
    """A feed that a page names. kind: "rss", "atom" or "json"; title: "" if the page gives it none."""

    title: str
    url: str
    kind: str


def feeds_of(html: bytes, url: str) -> list[NamedFeed]:
    """Return the feeds that a web page names, the most likely one first; feeds of comments come last.

    url  the address of the page
    If its head names none, links whose addresses look like feed addresses are used instead.
    """
    text, _ = decoded_text(html[:_MOST_BYTES], {})
    named: dict[str, NamedFeed] = {}
    linked: dict[str, NamedFeed] = {}
    base = url
    for name, attributes in _tags(text):
        if name == "base":
            base = absolute_web(url, attributes.get("href", "")) or base
        found = _named(attributes, base) if name == "link" else _linked(attributes, base) if name == "a" else None
        if found:
            (named if name == "link" else linked).setdefault(found.url, found)
        if len(named) + len(linked) >= _MOST_FEEDS:
            break
    feeds = list((named or linked).values())
    return sorted(feeds, key=lambda feed: _is_of_comments(feed))


def _tags(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    for tag in _TAG.finditer(text):
        if tag[1]:
            found = {name.lower(): unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(tag[2])}
            yield tag[1].lower(), found


def _named(attributes: dict[str, str], base: str) -> NamedFeed | None:
    """Return the feed of <link rel="alternate">; None if it is something else, such as a translation."""
    relations = attributes.get("rel", "").lower().split()
    kind = attributes.get("type", "").lower().partition(";")[0].strip()
    url = absolute_web(base, attributes.get("href", ""))
    if not url or "stylesheet" in relations or not {"alternate", "feed"} & set(relations):
        return None
    if kind in _VAGUE and not _LIKE_A_FEED.search(url):
        return None
    if kind not in _KINDS:
        return NamedFeed(_title(attributes), url, "rss") if "feed" in relations and not kind else None
    return NamedFeed(_title(attributes), url, _KINDS[kind])


def _linked(attributes: dict[str, str], base: str) -> NamedFeed | None:
    """Return the feed that a link leads to, judging by its address."""
    url = absolute_web(base, attributes.get("href", ""))
    if not url or not _LIKE_A_FEED.search(url):
        return None
    kind = "json" if url.endswith(".json") else "atom" if "atom" in url.rpartition("/")[2] else "rss"
    return NamedFeed(_title(attributes), url, kind)


def _title(attributes: dict[str, str]) -> str:
    return " ".join(attributes.get("title", "").split())[:200]


def _is_of_comments(feed: NamedFeed) -> bool:
    return _OF_COMMENTS.search(feed.title) is not None or "/comments" in feed.url
