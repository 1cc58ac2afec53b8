"""One document of a feed: the current one, or a page of its archive (RFC 5005 section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from publisher.config import Config, Feeds
from publisher.feeds.item import Item
from publisher.feeds.which import Feed, feed_url

# The `updated` of a feed without entries: the day of RFC 4287, since a clock would make every build of an empty site
# differ, and validators doubt whatever lies before 1990.
BEFORE_ANY = datetime(2005, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """Which entries one document holds.

    number  0 for the document that readers poll; archive documents count from 1, the oldest entries first
    older   the archive document that goes on where this one ends, 0 for none
    """

    feed: Feed
    number: int
    older: int
    keys: Sequence[str]


# Rendered full text takes about so many bytes for each byte of its Markdown file, escaped for XML.
_SWELLING = 2


def parts_of(feed: Feed, settings: Feeds) -> Iterator[Part]:
    """Yield the current document, then the archive, newest first.

    The archive begins when there are more entries than `limit`, or when they may not fit into `max_bytes`. It
    holds every entry once, `limit` in each document, filled from the oldest entry on, so that a document that
    is full does not change when others appear. It names no newer document, since that would change it.
    """
    total, limit = len(feed.keys), settings.limit
    too_long = total > limit or sum(map(feed.source.size, feed.keys)) * _SWELLING > settings.max_bytes
    pages = -(-total // limit) if settings.archives and too_long else 0
    yield Part(feed, 0, pages, feed.keys[:limit])
    for number in range(pages, 0, -1):
        start, end = max(0, total - number * limit), total - (number - 1) * limit
        yield Part(feed, number, number - 1, feed.keys[start:end])


@dataclass(frozen=True, slots=True)
class Document:
    """What a writer of one format needs: the part with its entries made, and its links."""

    part: Part
    items: Sequence[Item]
    config: Config

    @property
    def feed(self) -> Feed:
        return self.part.feed

    @property
    def updated(self) -> datetime:
        """The moment of the newest change, never the clock's."""
        return max((item.updated for item in self.items), default=BEFORE_ANY)

    @property
    def is_archive(self) -> bool:
        """Whether it is a page of a chain. A lone one is not full, has no neighbour, and still changes."""
        return self.part.number > 1 or (self.part.number == 1 and len(self.feed.keys) > self.config.feeds.limit)

    def address(self, kind: str) -> str:
        """Where this document is."""
        return feed_url(self.config, self.feed.path(kind, self.part.number))

    def current(self, kind: str) -> str:
        """Where the document is that readers poll."""
        return feed_url(self.config, self.feed.path(kind))

    def older(self, kind: str) -> str:
        """Where the archive goes on, "" for nowhere."""
        return feed_url(self.config, self.feed.path(kind, self.part.older)) if self.part.older else ""
