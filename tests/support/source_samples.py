"""A project with sources whose items are stored in its database as a fetch would, without a network."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from publisher.config import Config, NewsletterConfig, SourceConfig
from publisher.core.source_models import FeedItem
from publisher.core.source_records import ChangedItem, ItemChanges, ItemKeys, NewItem
from publisher.store import Store, open_store
from tests.support.posts_samples import NOW

BLOG = SourceConfig(name="blog", url="https://blog.example.net/feed.xml")
NEWS = SourceConfig(name="news", url="https://news.example.net/feed.xml")
DIGEST = NewsletterConfig(name="digest", sources=("blog",))


def item(number: int, **values: Any) -> FeedItem:
    """Return an item whose link, title and text contain its number, without a date."""
    link = f"https://blog.example.net/{number}/"
    usual = {"guid": link, "link": link, "title": f"Item {number}", "html": f"<p>The text of {number}.</p>\n"}
    return FeedItem(**(usual | values))


def opened(config: Config) -> Store:
    """Yield the database of a project."""
    return open_store(config.database.url, config.root)


def fetched(
    config: Config, *items: FeedItem, at: datetime = NOW, name: str = "blog", title: str = "The Blog", **values: Any
) -> None:
    """Record a document with new items, oldest first. In the first document of a source they are its backlog."""
    with opened(config) as store:
        source = config.source(name)
        assert source is not None
        state = store.sources.see({name: source.url}, at)[name]
        first = state.first_fetched_at is None
        new = tuple(
            replace(
                NewItem(each, each.guid or f"tag:blog,2026:{each.title}", ItemKeys(each.guid or each.title), each.html),
                **({"is_backlog": first} | values),
            )
            for each in items
        )
        told = replace(state, title=title, link=f"https://{name}.example.net/", first_fetched_at=at, fetched_at=at)
        assert store.sources.apply(told, ItemChanges(new, listed=tuple(-n for n in range(len(new), 0, -1))), at)


def changed(config: Config, before: str, after: FeedItem | None, *, at: datetime = NOW, name: str = "blog") -> None:
    """Record that the item with this title has changed, has vanished (None), or has returned."""
    with opened(config) as store:
        state = store.sources.state(name)
        assert state is not None
        (number,) = [each.number for each in store.sources.items(name) if each.item.title == before]
        changes = ItemChanges(gone=(number,))
        if after and after.title == before:
            changes = ItemChanges(back=(number,))
        elif after:
            changes = ItemChanges(changed=(ChangedItem(number, after, ItemKeys(after.guid), after.html),))
        assert store.sources.apply(state, changes, at)
