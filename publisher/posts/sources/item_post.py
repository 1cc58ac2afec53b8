"""Conversion of an item of a source to a Post, according to the source's settings.

The post's page is where the item was published. If the source is republished, the post has a page here too. Its id was
decided when the item was first seen, and never changes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from publisher.config import ItemFilter, SourceConfig
from publisher.core.characters import shorten
from publisher.core.models import Post, Tag
from publisher.core.source_models import FeedItem
from publisher.core.source_records import StoredItem
from publisher.posts.cache_keys import hash_of
from publisher.posts.permalinks import permalink
from publisher.posts.post_file import PostSettings
from publisher.posts.scan import item_source
from publisher.posts.slugs import post_slug, tag_slug
from publisher.posts.text.excerpt import excerpt_of
from publisher.posts.urls import quoted

# The title of an item without one, such as a note.
_WORDS_OF_TITLE = 60


class SourceSite(NamedTuple):
    """The site of a source, according to its feed and settings. title: never empty. url: its page, or the feed."""

    title: str
    url: str
    language: str = ""

    @classmethod
    def of(cls, source: SourceConfig, title: str = "", link: str = "", language: str = "") -> SourceSite:
        """Return the site of a source. title, link, language: from its last document."""
        host = urlsplit(source.url).hostname or source.name
        return cls(source.title or title or host, link or source.url, language)


def item_post(
    stored: StoredItem, source: SourceConfig, site: SourceSite, settings: PostSettings, html: str = ""
) -> Post | None:
    """Return the post of an item; None if it has vanished from the feed, or if the source's filters leave it out.

    site  the site of the source
    html  the item's text, which is needed only if it has neither a title nor a summary
    """
    item = stored.item
    if stored.gone_at is not None or not is_wanted(item, source):
        return None
    published = item.published or stored.first_seen_at
    title = _title(item, html)
    there = item.link or site.url
    path = _own_path(stored, published, settings)
    changed_at = stored.changed_at if stored.changed_at > stored.first_seen_at else published
    return Post(
        source=item_source(source.name, stored.number),
        id=stored.post_id,
        title=title or site.title,
        permalink=path,
        url=settings.site_url + quoted(path) if source.republish else there,
        canonical=there,
        published=published,
        updated=max(item.updated or changed_at, published),
        digest=hash_of(source.name, str(stored.number), str(stored.revision), stored.digest, source.content, *site),
        language=item.language or site.language or settings.language,
        excerpt=item.summary,
        authors=tuple(author for author in item.authors if author.name != site.title),  # that says nothing
        tags=_tags(item.categories),
        image=item.image,
        enclosures=item.enclosures,
        episode=item.episode,
        in_newsletters=stored.skipped_at is None,
        has_title=bool(item.title),
        from_source=source.name,
        first_seen=stored.first_seen_at,
        changed_at=_unchanged_since(stored, published),
        is_backlog=stored.is_backlog and published <= stored.first_seen_at,
        is_old=stored.is_old,
        is_excerpt=source.content == "excerpt" or not stored.size,
    )


def item_name(stored: StoredItem, html_of: Callable[[int], str]) -> str:
    """Return a name of an item for people: its title or first words, or its link if it has neither, or else its id.

    html_of  returns the text of an item, given its number
    """
    item = stored.item
    html = "" if item.title or item.summary else html_of(stored.number)
    return _title(item, html) or item.link or stored.post_id


def item_body(html: str, summary: str, source: SourceConfig) -> str:
    """Return the text of an item as HTML: all of it, or an excerpt if the source is set to that."""
    if html and source.content == "feed":
        return html
    words = summary or excerpt_of(html)
    return f"<p>{escape(words, quote=False)}</p>\n" if words else ""


def is_wanted(item: FeedItem, source: SourceConfig) -> bool:
    """Return whether the filters of a source accept an item."""
    return (not source.include or _matches(item, source.include)) and not _matches(item, source.exclude)


def _title(item: FeedItem, html: str) -> str:
    return item.title or shorten(item.summary or excerpt_of(html), _WORDS_OF_TITLE)


def _matches(item: FeedItem, wanted: ItemFilter) -> bool:
    slugs = {tag_slug(name) for name in item.categories}
    names = {_folded(author.name) for author in item.authors}
    title = f" {_folded(item.title)} "
    return (
        any(tag_slug(name) in slugs for name in wanted.categories)
        or any(_folded(name) in names for name in wanted.authors)
        or any(words != " " and f" {words.strip()} " in title for words in map(_folded, wanted.title_words))
    )


def _folded(text: str) -> str:
    """Return the words of a text in the form in which they are compared, with one space between them."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _tags(names: tuple[str, ...]) -> tuple[Tag, ...]:
    slugs: dict[str, Tag] = {}
    for name in names:
        slugs.setdefault(tag_slug(name), Tag(name, tag_slug(name)))
    return tuple(slugs.values())


def _own_path(stored: StoredItem, published: datetime, settings: PostSettings) -> str:
    """Return the path of the item's page here. Its number makes it unique, and a new title does not change it."""
    last = unquote(urlsplit(stored.item.link).path).rstrip("/").rpartition("/")[2]
    name = post_slug(re.sub(r"\.\w{1,5}$", "", last)) if last else ""
    day = published.astimezone(settings.zone).date()
    slug = f"{name}-{stored.number}" if name else f"{stored.number}"
    language = stored.item.language or settings.language
    return permalink(settings.pattern, folder=stored.source, day=day, slug=slug, language=language)


def _unchanged_since(stored: StoredItem, published: datetime) -> datetime:
    """Return the time since which an item is unchanged; for an item of the first fetch, the time that it gives."""
    if stored.changed_at > stored.first_seen_at or not stored.is_backlog:
        return stored.changed_at
    return min(stored.first_seen_at, max(published, stored.item.updated or published))
