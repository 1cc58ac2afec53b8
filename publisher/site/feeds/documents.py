"""The documents of a feed: the current one, which feed readers poll, and its archive (RFC 5005 section 4).

The archive must be divided into documents before anything is rendered, so it is divided by weight, which is an upper
bound of a size. A document has at most as many bytes as its `frame_weight` plus the `item_weight` of each entry. A
test verifies this bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from publisher.config import Config
from publisher.site.feeds.feed_list import Feed, feed_url
from publisher.site.feeds.items import Item, text_weight

# An upper bound for the bytes that are the same in the documents of every feed: tags, namespaces, dates.
_FRAME = 2500

# The `updated` of a feed without entries. With the current time, every build of an empty site would differ, and
# validators warn about dates before 1990, so it is the date of RFC 4287.
BEFORE_ANY = datetime(2005, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedPart:
    """The part of a feed that goes into one document.

    number  0 for the current document; archive documents are numbered from 1, which has the oldest entries
    older   number of the archive document with the next older entries; 0 if there is none
    keys    the keys of its entries, newest first
    """

    feed: Feed
    number: int
    older: int
    keys: Sequence[str]


def parts_of(feed: Feed, config: Config) -> Iterator[FeedPart]:
    """Yield the part for the current document, then the parts of the archive, newest first.

    There is an archive if it is enabled and there are more entries than feeds.limit, or if they may exceed
    feeds.max_bytes. It contains every entry once (see pages_of). Its documents do not link to newer documents, so that
    they do not change.
    """
    settings = config.feeds
    pages = []
    if settings.archives:
        frame = frame_weight(config, feed.title, feed.description, feed_url(config, feed.path("json", 1_000_000)))
        pages = pages_of(feed.source.weights(feed.keys), settings.limit, settings.max_bytes - frame)
    if len(pages) == 1:
        pages = []  # everything fits into the current document
    yield FeedPart(feed, 0, len(pages), feed.keys[: settings.limit])
    for number in range(len(pages), 0, -1):
        start, end = pages[number - 1]
        yield FeedPart(feed, number, number - 1, feed.keys[start:end])


def pages_of(weights: Sequence[int], limit: int, most: int) -> list[tuple[int, int]]:
    """Divide a list of entries, newest first, into pages; return the (start, end) of each page, oldest page first.

    A page has at most `limit` entries, which together weigh at most `most` bytes. An entry that is heavier gets a page
    of its own. Pages are filled starting from the oldest entry, so a full page never changes when entries are added at
    the front of the list.
    """
    found: list[tuple[int, int]] = []
    end, total = len(weights), 0
    for index in range(len(weights) - 1, -1, -1):
        total += weights[index]
        if index + 1 < end and (end - index > limit or total > most):
            found.append((index + 1, end))
            end, total = index + 1, weights[index]
    if weights:
        found.append((0, end))
    return found


def frame_weight(config: Config, title: str, description: str, url: str) -> int:
    """Return an upper bound for the bytes of a document without its entries. `url` is the longest of its own URLs."""
    site, person = config.site, config.site.author
    texts = [title, title, description, site.title, site.title, site.language, site.image, site.image, site.image]
    texts += [person.name, person.name, person.email, person.email, person.url, config.feeds.hub]
    texts += [config.feeds.podcast_category, *[url] * 8]
    return _FRAME + sum(map(text_weight, texts))


@dataclass(frozen=True, slots=True)
class Document:
    """A part of a feed with its entries, ready to be written in any format."""

    part: FeedPart
    items: Sequence[Item]
    config: Config

    @property
    def feed(self) -> Feed:
        return self.part.feed

    @property
    def updated(self) -> datetime:
        """The time of the latest change of an entry. The time of the build would make an unchanged feed differ."""
        return max((item.updated for item in self.items), default=BEFORE_ANY)

    @property
    def distinct_updated(self) -> datetime:
        """The `updated` of an Atom feed, the latest `distinct_updated` of its entries."""
        return max((item.distinct_updated for item in self.items), default=BEFORE_ANY)

    @property
    def is_archive(self) -> bool:
        """Whether this is an archive document rather than the current document."""
        return self.part.number > 0

    def url(self, kind: str) -> str:
        """Return the URL of this document."""
        return feed_url(self.config, self.feed.path(kind, self.part.number))

    def current(self, kind: str) -> str:
        """Return the URL of the current document."""
        return feed_url(self.config, self.feed.path(kind))

    def older(self, kind: str) -> str:
        """Return the URL of the next older document, or "" if there is none."""
        return feed_url(self.config, self.feed.path(kind, self.part.older)) if self.part.older else ""
