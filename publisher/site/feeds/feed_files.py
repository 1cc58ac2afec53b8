"""The files of all feeds, as outputs whose keys a build compares before it makes any file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Output
from publisher.posts.cache_keys import code_key, hash_of
from publisher.site.feeds.documents import Document, FeedPart, parts_of
from publisher.site.feeds.feed_list import OPML_FILE, Feed
from publisher.site.feeds.items import Item
from publisher.site.feeds.json_feed import json_feed

if TYPE_CHECKING:
    from publisher.site.feeds.xml_feed import XmlEntry


def plan_feeds(config: Config, feeds: Sequence[Feed]) -> Iterator[Output]:
    """Yield every feed file, then the OPML list of feeds, as outputs.

    A post is rendered only if its weight is needed to divide an archive and is not known yet.
    """
    writer = _Writer(config)
    settings = repr((config.site, config.feeds, code_key()))
    for feed in feeds:
        about = (settings, feed.id, feed.title, feed.description, feed.page, feed.language)
        for part in parts_of(feed, config):
            key = hash_of(*about, str(part.older), *map(feed.source.digest, part.keys))
            for kind in config.feeds.formats:
                path = feed.path(kind, part.number)
                yield Output(path, f"{kind}:{key}", partial(writer.write, part, kind))
    if config.feeds.formats:
        listed = [repr((feed.folder, feed.title, feed.description, feed.label)) for feed in feeds]
        yield Output(OPML_FILE, hash_of(settings, *listed), partial(_opml, config, feeds))


# lxml and feedgen take 0.1 s to import. They are imported when a file is made, because `publisher status` and `check`
# only plan.


def _opml(config: Config, feeds: Sequence[Feed]) -> bytes:
    from publisher.site.feeds.opml import opml

    return opml(config, feeds)


class _Writer:
    """Writes documents. It keeps the XML entries for other feeds that show them, and all formats of the last part."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._entries: dict[str, XmlEntry] = {}
        self._part: FeedPart | None = None
        self._documents: dict[str, bytes] = {}

    def write(self, part: FeedPart, kind: str) -> bytes:
        """Return one format of a part. All its formats are made together, because they must have the same entries."""
        if self._part is not part:
            self._part, self._documents = part, self._fitting(part)
        return self._documents[kind]

    def _fitting(self, part: FeedPart) -> dict[str, bytes]:
        """Return every format of a part, by kind, without its oldest entries if a format would exceed feeds.max_bytes.

        No entry is dropped from an archive document, because its entries were chosen by their weights (see pages_of).
        """
        most = self._config.feeds.max_bytes
        items = part.feed.source.items(part.keys)
        while True:
            documents: dict[str, bytes] = {
                kind: self._document(part, kind, items) for kind in self._config.feeds.formats
            }
            largest = max(map(len, documents.values()))
            if largest <= most or part.number or len(items) <= 1:
                return documents
            # Drop entries in proportion to the excess, at least one, so that a few rounds are enough.
            items = items[: max(1, min(len(items) - 1, len(items) * most // largest))]

    def _document(self, part: FeedPart, kind: str, items: Sequence[Item]) -> bytes:
        document = Document(part, items, self._config)
        if kind == "json":
            return json_feed(document)
        from publisher.site.feeds.xml_feed import XmlEntry, atom, rss

        entries = []
        for item in items:
            entry = self._entries.get(item.id)
            if entry is None or entry.item is not item:
                entry = self._entries[item.id] = XmlEntry(item)
            entries.append(entry)
        return rss(document, entries) if kind == "rss" else atom(document, entries)
