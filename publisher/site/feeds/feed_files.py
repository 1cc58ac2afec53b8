"""The files of all feeds, as outputs whose keys a build compares before it makes any file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from publisher.config import CONFIG_FILE, Config, FeedName
from publisher.core.file_names import in_folder
from publisher.core.models import Output, Problem, Severity
from publisher.posts.archive import Archive
from publisher.posts.cache_keys import code_key, hash_of
from publisher.posts.scan import is_item
from publisher.site.feeds.documents import Document, FeedPart, crowds_out, entries_weight, left_out, parts_of
from publisher.site.feeds.feed_list import OPML_FILE, Feed, feeds_of, site_image
from publisher.site.feeds.items import Item, PostSource, item_weight
from publisher.site.feeds.json_feed import json_feed

if TYPE_CHECKING:
    from publisher.site.feeds.xml_feed import XmlEntry


def plan_feeds(config: Config, feeds: Sequence[Feed]) -> Iterator[Output]:
    """Yield every feed file, then the OPML list of feeds, as outputs.

    A post is rendered only if its weight is needed to divide an archive and not known yet.
    """
    writer = _Writer(config)
    settings = repr((config.site, site_image(config), config.feeds, config.pages.enabled, code_key()))
    for feed in feeds:
        about = (settings, feed.id, feed.title, feed.description, feed.page, feed.language)
        for part in parts_of(feed, config):
            key = hash_of(*about, str(part.older), *map(feed.source.digest, part.keys))
            for name in feed.files(config.feeds.formats, part.number):
                yield Output(name.file, f"{name.kind}:{key}", partial(writer.write, part, name))
    if config.feeds.formats:
        listed = [repr((feed.folder, feed.title, feed.description, feed.label, feed.language)) for feed in feeds]
        yield Output(OPML_FILE, hash_of(settings, *listed), partial(_opml, config, feeds))


def size_problems(config: Config, archive: Archive, source: PostSource) -> Iterator[Problem]:
    """Yield a warning for each post that is too large for a feed, where only its excerpt is shown.

    source  the source of entries; posts of unknown weight are not reported
    If the newest posts are too large only as a whole, there is one warning, about feeds.limit.
    """
    if config.feeds.content == "summary" or not config.feeds.formats:
        return
    known = source.known_weights()
    feed = next(feeds_of(config, archive, source))
    most = entries_weight(config, feed)
    newest = [known.get(key, 0) for key in feed.keys[: config.feeds.limit]]
    short = left_out(newest, most)
    crowd = [at for at in short if crowds_out(newest[at], len(newest), most)]
    large = {feed.keys[at] for at in crowd} | {key for key in feed.keys if known.get(key, 0) > most}
    for key in sorted(key for key in large if not is_item(key)):  # the owner cannot shorten an item of a source
        is_alone = known[key] > most
        reason = "which is too much" if is_alone else f"too much with the others (feeds.limit = {config.feeds.limit})"
        what = f"its full text takes {known[key]:,} bytes in a feed, {reason}; feeds show its excerpt instead"
        lower = "" if is_alone else "lower feeds.limit, "
        hint = f"{lower}store embedded pictures as files, split the post, or raise feeds.max_bytes"
        yield Problem(in_folder(config.posts.folder, key), 0, what, hint, Severity.WARNING)
    rest = len(short) - len(crowd)
    if rest:
        what = f"feeds.limit: the {len(newest)} newest posts are too large together; feeds show excerpts of {rest}"
        yield Problem(CONFIG_FILE, 0, what, "lower feeds.limit, or raise feeds.max_bytes", Severity.WARNING)


# lxml and feedgen take 0.1 s to import. They are imported only when a file is made, because `publisher status` and
# `check` only plan.


def _opml(config: Config, feeds: Sequence[Feed]) -> bytes:
    from publisher.site.feeds.opml import opml  # not at the top: see above

    return opml(config, feeds)


# If a feed would fit even if it were this many times as large, the weights of its entries are not needed: an entry's
# weight never exceeds its size by more.
_SURELY_FITS = 4


def _largest(documents: Mapping[str, bytes]) -> int:
    return max(map(len, documents.values()))


class _Writer:
    """Writes documents. It keeps the XML entries for other feeds that show them, and the last part in all formats."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._entries: dict[str, XmlEntry] = {}
        self._shortened: dict[str, Item] = {}
        self._part: FeedPart | None = None
        self._documents: dict[str, bytes] = {}

    def write(self, part: FeedPart, name: FeedName) -> bytes:
        """Return a part in one format. All formats are made together, because they must have the same entries."""
        if self._part is not part:
            self._part, self._documents = part, self._fitting(part)
        return self._documents[name.path]

    def _fitting(self, part: FeedPart) -> dict[str, bytes]:
        """Return every format of a part, by path. If feeds.max_bytes is too small, some entries have no full text.

        These entries are chosen by weight alone, so that `size_problems` can find them without making a document. If
        even that is not enough, the oldest entries are dropped, except from archive documents, whose entries were
        chosen by weight (see pages_of).
        """
        most = self._config.feeds.max_bytes
        items = part.feed.source.items(part.keys)
        documents = self._documents_of(part, items)
        if _SURELY_FITS * _largest(documents) <= most:
            return documents
        part.feed.source.weights(part.keys)  # keeps them for size_problems
        short = left_out(list(map(item_weight, items)), entries_weight(self._config, part.feed))
        if short:
            items = [self._short(item) if at in short else item for at, item in enumerate(items)]
            documents = self._documents_of(part, items)
        if _largest(documents) > most:
            items = list(map(self._short, items))
            documents = self._documents_of(part, items)
        while _largest(documents) > most and not part.number and len(items) > 1:
            # Drop entries in proportion to the excess, at least one, so that a few rounds are enough.
            items = items[: max(1, min(len(items) - 1, len(items) * most // _largest(documents)))]
            documents = self._documents_of(part, items)
        return documents

    def _documents_of(self, part: FeedPart, items: Sequence[Item]) -> dict[str, bytes]:
        names = part.feed.files(self._config.feeds.formats, part.number)
        return {name.path: self._document(part, name, items) for name in names}

    def _short(self, item: Item) -> Item:
        return self._shortened.setdefault(item.id, item.short)

    def _document(self, part: FeedPart, name: FeedName, items: Sequence[Item]) -> bytes:
        document = Document(part, items, self._config, name.path)
        if name.kind == "json":
            return json_feed(document)
        from publisher.site.feeds.xml_feed import XmlEntry, atom, rss  # not at the top: see above

        entries = []
        for item in items:
            entry = self._entries.get(item.id)
            if entry is None or entry.item is not item:
                entry = self._entries[item.id] = XmlEntry(item)
            entries.append(entry)
        return rss(document, entries) if name.kind == "rss" else atom(document, entries)
