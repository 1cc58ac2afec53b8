"""One document of a feed: the current one, or a page of its archive (RFC 5005 section 4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from publisher.config import Config
from publisher.site.feeds.feed_list import Feed, feed_url
from publisher.site.feeds.items import Item, text_weight

# Tags, dates and the namespaces of the root: everything in a document that no writer wrote.
_FRAME = 2500


def frame_weight(config: Config, title: str, description: str, address: str) -> int:
    """Return at least as many bytes as a document has around its entries; address: the longest in it."""
    site, person = config.site, config.site.author
    texts = [title, title, description, site.title, site.title, site.language, site.image, site.image, site.image]
    texts += [person.name, person.name, person.email, person.email, person.url, config.feeds.hub]
    texts += [config.feeds.podcast_category, *[address] * 8]
    return _FRAME + sum(map(text_weight, texts))


# The `updated` of a feed without entries: the day of RFC 4287, since a clock would make every build of an empty site
# differ, and validators doubt whatever lies before 1990.
BEFORE_ANY = datetime(2005, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedPart:
    """Which entries one document holds.

    number  0 for the document that readers poll; archive documents count from 1, the oldest entries first
    older   the archive document that goes on where this one ends, 0 for none
    """

    feed: Feed
    number: int
    older: int
    keys: Sequence[str]


def parts_of(feed: Feed, config: Config) -> Iterator[FeedPart]:
    """Yield the current document, then the archive, newest first.

    The archive begins when there are more entries than `limit`, or when they may not fit into `max_bytes`. It
    holds every entry once; see pages_of. It names no newer document, since that would change it.
    """
    settings = config.feeds
    pages = []
    if settings.archives:
        frame = frame_weight(config, feed.title, feed.description, feed_url(config, feed.path("json", 1_000_000)))
        pages = pages_of(feed.source.weights(feed.keys), settings.limit, settings.max_bytes - frame)
    if len(pages) == 1:
        pages = []  # the current document holds all there is
    yield FeedPart(feed, 0, len(pages), feed.keys[: settings.limit])
    for number in range(len(pages), 0, -1):
        start, end = pages[number - 1]
        yield FeedPart(feed, number, number - 1, feed.keys[start:end])


def pages_of(weights: Sequence[int], limit: int, most: int) -> list[tuple[int, int]]:
    """Cut a list of entries, newest first, into pages; return the (start, end) of each, the oldest page first.

    A page takes the next newer entry while it has fewer than `limit` and they weigh no more than `most` together;
    an entry that weighs more than that has a page of its own. Filled from the oldest entry on, a page never changes
    once there is another behind it, whatever is added at the front of the list.
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


@dataclass(frozen=True, slots=True)
class Document:
    """What a writer of one format needs: the part with its entries made, and its links."""

    part: FeedPart
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
    def distinct_updated(self) -> datetime:
        """`updated` for Atom, whose entries have invented fractions of a second: none of them is later than this."""
        return max((item.distinct_updated for item in self.items), default=BEFORE_ANY)

    @property
    def is_archive(self) -> bool:
        """Whether it is a page of a chain, and not the document that readers poll."""
        return self.part.number > 0

    def address(self, kind: str) -> str:
        """Where this document is."""
        return feed_url(self.config, self.feed.path(kind, self.part.number))

    def current(self, kind: str) -> str:
        """Where the document is that readers poll."""
        return feed_url(self.config, self.feed.path(kind))

    def older(self, kind: str) -> str:
        """Where the archive goes on, "" for nowhere."""
        return feed_url(self.config, self.feed.path(kind, self.part.older)) if self.part.older else ""
