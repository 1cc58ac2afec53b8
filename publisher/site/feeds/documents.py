"""The documents of a feed: the current one, which feed readers poll, and its archive (RFC 5005 section 4).

The archive must be divided into documents before anything is rendered, so it is divided by weight, which is an upper
bound for the size. A document has at most as many bytes as its `frame_weight` plus the `item_weight` of each entry. A
test verifies this bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from publisher.config import Config
from publisher.core.frozen import dataclass
from publisher.site.feeds.feed_list import Feed, feed_url
from publisher.site.feeds.items import Item, text_weight

# An upper bound for the bytes that are the same in the documents of every feed: tags, namespaces, dates.
_FRAME = 2500

# The usual weight of an entry without its full text. The weights alone decide which texts are left out, so that this is
# known without rendering a post.
_SHORT = 2000

# The `updated` of a feed without entries. With the current time, every build of an empty site would differ, and
# validators warn about dates before 1990, so this is the date of RFC 4287.
BEFORE_ANY = datetime(2005, 12, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FeedPart:
    """The part of a feed that goes into one document.

    number  0 for the current document; archive documents are numbered from 1, and the first has the oldest entries
    older   number of the archive document with the next older entries; 0 if there is none
    keys    the keys of its entries, newest first
    """

    feed: Feed
    number: int
    older: int
    keys: Sequence[str]


def parts_of(feed: Feed, config: Config) -> Iterator[FeedPart]:
    """Yield the part for the current document, then the parts of the archive, newest first.

    There is an archive if it is enabled and there are more entries than feeds.limit, or more than may fit into
    feeds.max_bytes. It contains every entry once (see pages_of). Its documents do not link to newer documents, so that
    they do not change.
    """
    settings = config.feeds
    pages = []
    if settings.archives:
        pages = pages_of(feed.source.weights(feed.keys), settings.limit, entries_weight(config, feed))
    if len(pages) == 1:
        pages = []  # everything fits into the current document
    yield FeedPart(feed, 0, len(pages), feed.keys[: settings.limit])
    for number in range(len(pages), 0, -1):
        start, end = pages[number - 1]
        yield FeedPart(feed, number, number - 1, feed.keys[start:end])


def pages_of(weights: Sequence[int], limit: int, most: int) -> list[tuple[int, int]]:
    """Divide a list of entries, newest first, into pages; return the (start, end) of each page, oldest page first.

    A page has at most `limit` entries, which together weigh at most `most` bytes. A heavier entry gets a page of its
    own, without its full text (see left_out). Pages are filled starting from the oldest entry, so a full page never
    changes when entries are added at the front of the list.
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


def left_out(weights: Sequence[int], most: int) -> list[int]:
    """Return the indexes of the entries whose full text is left out so that all entries fit into one document.

    weights  the weights of the document's entries, newest first
    most     the bytes that all entries together may have
    Texts so large that they would crowd out others are left out first: the largest, and among texts of about the same
    size, the oldest. Then follow the texts of the oldest entries, which feed readers have shown for longest.
    """
    count, excess, found = len(weights), sum(weights) - most, []
    large = {index for index, weight in enumerate(weights) if crowds_out(weight, count, most)}
    by_size = sorted(large, key=lambda index: (-weights[index].bit_length(), -index))
    for index in (*by_size, *(index for index in reversed(range(count)) if index not in large)):
        if excess <= 0:
            break
        if weights[index] > _SHORT:
            excess -= weights[index] - _SHORT
            found.append(index)
    return found


def crowds_out(weight: int, count: int, most: int) -> bool:
    """Return whether an entry takes more than twice its share of a document with `count` entries."""
    return weight * count > 2 * most


def entries_weight(config: Config, feed: Feed) -> int:
    """Return the number of bytes that all entries in a document of this feed may have together."""
    longest = feed_url(config, feed.path("json", 1_000_000))
    return config.feeds.max_bytes - frame_weight(config, feed.title, feed.description, longest)


def frame_weight(config: Config, title: str, description: str, url: str) -> int:
    """Return an upper bound for the bytes of a document without its entries. `url` is its longest URL."""
    site, person = config.site, config.site.author
    texts = [title, title, description, site.title, site.title, site.language, site.image, site.image, site.image]
    texts += [person.name, person.name, person.email, person.email, person.url, config.feeds.hub]
    texts += [config.feeds.podcast_category, *[url] * 8]
    return _FRAME + sum(map(text_weight, texts))


@dataclass(frozen=True, slots=True)
class Document:
    """A part of a feed with its entries, ready to be written in the format that its file name shows.

    path: the path in its URL
    """

    part: FeedPart
    items: Sequence[Item]
    config: Config
    path: str

    @property
    def feed(self) -> Feed:
        """The feed to which it belongs."""
        return self.part.feed

    @property
    def updated(self) -> datetime:
        """The time of the latest change to an entry, not of the build, so that an unchanged feed stays the same."""
        return max((item.updated for item in self.items), default=BEFORE_ANY)

    @property
    def distinct_updated(self) -> datetime:
        """The `updated` of an Atom feed: the latest `distinct_updated` of its entries."""
        return max((item.distinct_updated for item in self.items), default=BEFORE_ANY)

    @property
    def is_archive(self) -> bool:
        """Whether this is an archive document rather than the current document."""
        return self.part.number > 0

    @property
    def url(self) -> str:
        """The URL of this document."""
        return feed_url(self.config, self.path)

    def current(self, kind: str) -> str:
        """Return the URL of the current document."""
        return feed_url(self.config, self.feed.path(kind))

    def older(self, kind: str) -> str:
        """Return the URL of the next older document, or "" if there is none in this format."""
        has_older = self.part.older and kind in self.config.feeds.formats
        return feed_url(self.config, self.feed.path(kind, self.part.older)) if has_older else ""
