"""The stored items of a project's sources, which the archive reads like files: their stamps show changes.

The database is opened only if it has changed since the index was written, or if the text of an item is needed.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from publisher.config import Config
from publisher.core.errors import PostError
from publisher.core.models import Problem, Severity
from publisher.posts.clashes import Seen
from publisher.posts.index import Index, PostRow
from publisher.posts.post_file import Entry, ParsedFile, PostSettings
from publisher.posts.scan import Stamp, is_item, item_number, item_source, source_name
from publisher.posts.sources.item_post import SourceSite, item_body, item_post
from publisher.posts.sources.same_link import links_of
from publisher.store import open_store
from publisher.store.location import sources_key, store_exists

if TYPE_CHECKING:
    from publisher.core.source_records import StoredItem
    from publisher.store import Store

_FACT = "sources"


class StoredItems:
    """The items of the sources in the configuration. Methods raise StoreError if the database cannot be used.

    sites  the site of each source, by the source's name
    """

    def __init__(self, config: Config, index: Index, settings: PostSettings) -> None:
        """Compare the database with the index."""
        self._config, self._index, self._settings = config, index, settings
        self._sources = {source.name: source for source in config.sources}
        self._store: Store | None = None
        self._fact = ""
        self.sites = {source.name: SourceSite.of(source) for source in config.sources}
        self.found = self._found() if store_exists(config.database.url, config.root) else {}

    def entries(self, sources: Collection[str]) -> Iterator[Entry]:
        """Yield the index entries of items, given their Post.source."""
        for stored in self._opened().sources.some([item_number(source) for source in sources]):
            path = item_source(stored.source, stored.number)
            parsed = self._parsed(stored)
            yield path, self.found[path], parsed.post.digest if parsed.post else "", parsed

    def _parsed(self, stored: StoredItem) -> ParsedFile:
        needs_text = not (stored.item.title or stored.item.summary)
        html = self._opened().sources.html(stored.number) if needs_text else ""
        site = self.sites[stored.source]
        try:
            return ParsedFile(item_post(stored, self._sources[stored.source], site, self._settings, html))
        except Exception as error:  # noqa: BLE001 - a defect that one item shows must not leave out the others
            where = f"source {stored.source}, item {(stored.item.title or stored.post_id)!r}"
            what = f"is left out because of a defect in Publisher ({type(error).__name__})"
            return ParsedFile(None, (Problem(where, 0, what, "please report it", Severity.WARNING),))

    def text(self, source: str) -> bytes:
        """Return the HTML of an item, given its Post.source; raise PostError if it is no longer stored."""
        number, sources = item_number(source), self._opened().sources
        settings, html, summary = self._sources[source_name(source)], sources.html(number), ""
        if not html or settings.content == "excerpt":
            stored = sources.item(number)
            if stored is None:
                raise PostError("is no longer stored")
            summary = stored.item.summary
        return item_body(html, summary, settings).encode("utf-8", "replace")

    def links(self, rows: Sequence[PostRow]) -> dict[str, tuple[str, ...]]:
        """Return the links by which posts are recognised, by Post.source. rows: all posts of the archive"""
        homes = [site.url for site in self.sites.values()]
        return links_of(rows, self._index.canonical(), homes, self._settings.site_url)

    def seen(self, sources: Collection[str]) -> dict[str, Seen]:
        """Return, by Post.source, when each item was first seen, and the position of its source in the settings."""
        places = {name: place for place, name in enumerate(self._sources)}
        return {
            post.source: ((post.first_seen or post.published).timestamp(), places[post.from_source])
            for post in self._index.posts(sources, {}, {})
        }

    def keep(self) -> None:
        """Record in the index, once it has all entries, the state of the database from which they come."""
        if self._fact:
            self._index.keep_fact(_FACT, self._fact)
            self._fact = ""

    def close(self) -> None:
        """Close the database if it was opened."""
        if self._store:
            self._close()

    def _found(self) -> dict[str, Stamp]:
        """Return the stamp of every item that may be a post, by Post.source."""
        url, root = self._config.database.url, self._config.root
        key = sources_key(url, root)
        known = json.loads(self._index.fact(_FACT) or "{}")
        if key is None:
            key = f"revision {self._opened().sources.revision()}"
        elif not key:
            return {}
        if known.get("key") != key:
            return self._listed(key)
        self._know(known["sites"])
        return {source: stamp for source, stamp in self._index.stamps().items() if is_item(source)}

    def _listed(self, key: str) -> dict[str, Stamp]:
        sources = self._opened().sources
        sites = {state.name: [state.title, state.link, state.language] for state in sources.states()}
        self._know(sites)
        rows = [row for row in sources.listing() if row.source in self._sources]
        self._fact = json.dumps({"key": key, "sites": sites})
        marks = {name: (crc32(repr(site).encode()) & 0x3FFFFFFF) << 32 for name, site in self.sites.items()}
        # A post shows its source's title and language too, so its stamp changes with them.
        return {item_source(row.source, row.number): (row.size, row.revision + marks[row.source]) for row in rows}

    def _know(self, sites: dict[str, list[str]]) -> None:
        for name, source in self._sources.items():
            self.sites[name] = SourceSite.of(source, *sites.get(name, ()))

    def _opened(self) -> Store:
        if self._store is None:
            self._store = open_store(self._config.database.url, self._config.root)
            self._close = weakref.finalize(self, self._store.close)
        return self._store
