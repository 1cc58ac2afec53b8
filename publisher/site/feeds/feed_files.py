"""The files of all feeds as Outputs: what each depends on is known before anything is rendered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from publisher.config import Config
from publisher.core.models import Output
from publisher.site.feeds.documents import Document, FeedPart, parts_of
from publisher.site.feeds.feed_list import OPML_FILE, Feed
from publisher.site.feeds.items import Item

if TYPE_CHECKING:
    from publisher.site.feeds.xml_feed import XmlEntry


def plan_feeds(config: Config, feeds: Sequence[Feed], code: str) -> Iterator[Output]:
    """Yield every feed file and the list of them (see which.feeds_of). Renders only the posts that archives are
    cut by and that were never weighed.

    code names the program's own version in the keys of the outputs.
    """
    writer = _Writer(config)
    settings = repr((config.site, config.feeds, code))
    for feed in feeds:
        named = (settings, feed.id, feed.title, feed.description, feed.page, feed.language)
        for part in parts_of(feed, config):
            key = _hash(*named, str(part.older), *map(feed.source.digest, part.keys))
            for kind in config.feeds.formats:
                path = feed.path(kind, part.number)
                yield Output(path, f"{kind}:{key}", partial(writer.write, part, kind))
    if config.feeds.formats:
        listed = [repr((feed.folder, feed.title, feed.description, feed.label)) for feed in feeds]
        yield Output(OPML_FILE, _hash(settings, *listed), partial(_opml, config, feeds))


def _opml(config: Config, feeds: Sequence[Feed]) -> bytes:
    from publisher.site.feeds.opml import opml

    return opml(config, feeds)


class _Writer:
    """Writes documents; keeps each entry for the next feed that shows it, and the formats of one part."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._entries: dict[str, XmlEntry] = {}
        self._part: FeedPart | None = None
        self._documents: dict[str, bytes] = {}

    def write(self, part: FeedPart, kind: str) -> bytes:
        """Return one format of a part. All formats are made together: each holds the same entries."""
        if self._part is not part:
            self._part, self._documents = part, self._fitting(part)
        return self._documents[kind]

    def _fitting(self, part: FeedPart) -> dict[str, bytes]:
        """Every format of a part; the oldest entries make room until each fits into feeds.max_bytes.

        What an archive document holds is settled, by weights that are never too small (see document.pages_of).
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
            # Each round drops at least one; dropping the share that is too much keeps the rounds few.
            items = items[: max(1, min(len(items) - 1, len(items) * most // largest))]

    def _document(self, part: FeedPart, kind: str, items: Sequence[Item]) -> bytes:
        document = Document(part, items, self._config)
        if kind == "json":
            from publisher.site.feeds.json_feed import json_feed

            return json_feed(document)
        from publisher.site.feeds import xml_feed as xml

        entries = [self._entry(item) for item in items]
        return (xml.rss if kind == "rss" else xml.atom)(document, entries)

    def _entry(self, item: Item) -> XmlEntry:
        from publisher.site.feeds.xml_feed import XmlEntry

        entry = self._entries.get(item.id)
        if entry is None or entry.item is not item:
            entry = self._entries[item.id] = XmlEntry(item)
        return entry


def _hash(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
