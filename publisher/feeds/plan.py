"""The files of all feeds as Outputs: what each depends on is known before anything is rendered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from publisher.config.keys import Config
from publisher.feeds.which import Feed, feeds_of
from publisher.model import Output, Post, RenderedPost
from publisher.posts.archive import Archive

if TYPE_CHECKING:
    from publisher.feeds.xml import Entry

Render = Callable[[Post], RenderedPost]

# The `updated` of a feed without entries; a clock would make every build of an empty site differ.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plan_feeds(config: Config, archive: Archive, render: Render, code: str) -> Iterator[Output]:
    """Yield every feed file. Renders nothing itself; a post that stands in many feeds is rendered once.

    code names the program's own version in the keys of the outputs.
    """
    maker = _Maker(config, archive, render)
    settings = repr((config.site, config.feeds, code))
    for feed in feeds_of(config, archive):
        shown = feed.sources[: config.feeds.limit]
        key = _hash(settings, feed.id, feed.title, feed.description, feed.page, *map(archive.digest, shown))
        for kind in config.feeds.formats:
            yield Output(feed.path(kind), f"{kind}:{key}", partial(maker.make, feed, kind))


class _Maker:
    """Makes the documents; keeps each entry for the next feed that shows it."""

    def __init__(self, config: Config, archive: Archive, render: Render) -> None:
        self._config, self._archive, self._render = config, archive, render
        self._full = config.feeds.content == "full"
        self._entries: dict[str, Entry] = {}

    def make(self, feed: Feed, kind: str) -> bytes:
        """Return the document; the oldest entries make room until it fits into feeds.max_bytes."""
        posts = [self._render(post) for post in self._archive.load(feed.sources[: self._config.feeds.limit])]
        while True:
            document = self._document(feed, kind, posts)
            excess = len(document) - self._config.feeds.max_bytes
            if excess <= 0 or len(posts) <= 1:
                return document
            # Each round drops at least one; the share of the excess keeps the rounds few.
            posts = posts[: max(1, min(len(posts) - 1, int(len(posts) * self._config.feeds.max_bytes / len(document))))]

    def _document(self, feed: Feed, kind: str, posts: Sequence[RenderedPost]) -> bytes:
        from publisher.feeds.json_feed import json_feed

        if kind == "json":
            return json_feed(feed, self._config, posts, self._full)
        from publisher.feeds import xml

        updated = max((rendered.post.updated for rendered in posts), default=EPOCH)
        entries = [self._entry(rendered) for rendered in posts]
        write = xml.rss if kind == "rss" else xml.atom
        return write(feed, self._config, entries, updated)

    def _entry(self, rendered: RenderedPost) -> Entry:
        from publisher.feeds.xml import Entry

        entry = self._entries.get(rendered.post.source)
        if entry is None:
            entry = self._entries[rendered.post.source] = Entry(rendered, self._full)
        return entry


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
