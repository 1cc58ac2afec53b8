"""JSON Feed, by its specification (https://www.jsonfeed.org/version/1.1/), as a FeedDocument."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from publisher.core.errors import FeedError
from publisher.core.models import Author, Enclosure, Image
from publisher.core.source_models import FeedDocument, FeedItem
from publisher.posts.media_types import media_type_of
from publisher.posts.sources.item_dates import read_date
from publisher.posts.sources.item_picture import NamedPictures, picture_of
from publisher.posts.sources.item_text import MOST_TEXT, ItemText, absolute_web, clean_text, closed, too_long
from publisher.posts.sources.xml_text import decoded_text, no_feed, too_many, without_forbidden
from publisher.posts.text.excerpt import decoded

_MOST_AUTHORS, _MOST_TAGS, _MOST_ATTACHMENTS = 50, 100, 20
Table = Mapping[str, Any]


def read_json(body: bytes, url: str, headers: Mapping[str, str], most_items: int) -> FeedDocument:
    """Return the content of a JSON Feed. Raises FeedError if it is not one, or has too many items."""
    text, _ = decoded_text(body, headers)
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = f" in line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise FeedError(
            f"is not valid JSON{line}", hint="report it to the site, since no feed reader can read it"
        ) from error
    if not isinstance(feed, dict) or not isinstance(feed.get("items"), list):
        raise no_feed(text)
    items = [item for item in feed["items"] if isinstance(item, dict)]
    if len(items) > most_items:
        raise too_many(most_items)
    return _JsonFeed(feed, url).document(items)


class _JsonFeed:
    """A feed while it is read, with the values that all of its items share."""

    def __init__(self, feed: Table, url: str) -> None:
        self._feed, self._url = feed, url
        self._link = absolute_web(url, _text(feed, "home_page_url"))
        self._too_long = 0
        self._authors = self._authors_of(feed)

    def document(self, items: Sequence[Table]) -> FeedDocument:
        """Return the whole feed."""
        hubs = self._feed.get("hubs")
        hub = next((each for each in hubs if isinstance(each, dict)), {}) if isinstance(hubs, list) else {}
        read = tuple(self._item(item) for item in items)
        return FeedDocument(
            kind="json",
            title=_line(self._feed, "title"),
            link=self._link,
            items=read,
            description=_line(self._feed, "description"),
            language=_line(self._feed, "language")[:40],
            url=absolute_web(self._url, _text(self._feed, "feed_url")),
            hub=absolute_web(self._url, _text(hub, "url")),
            icon=absolute_web(self._url, _text(self._feed, "icon") or _text(self._feed, "favicon")),
            problems=too_long(self._too_long),
        )

    def _item(self, item: Table) -> FeedItem:
        link = absolute_web(self._url, _text(item, "url")) or absolute_web(self._url, _text(item, "external_url"))
        title, base = _line(item, "title"), link or self._link or self._url
        html, plain = _text(item, "content_html"), _text(item, "content_text")
        if len(html or plain) > MOST_TEXT:
            self._too_long, html, plain = self._too_long + 1, "", ""
        content = clean_text(ItemText(html or plain, is_plain=not html), self._url, base, self._link)
        return FeedItem(
            guid=" ".join(_id(item).split()),
            link=link,
            title=title,
            html=content.html,
            summary=_line(item, "summary"),
            authors=self._authors_of(item) or self._authors,
            categories=_tags(item),
            published=read_date(_text(item, "date_published")) or read_date(_text(item, "date_modified")),
            updated=read_date(_text(item, "date_modified")),
            image=self._picture(item, content, base, title),
            enclosures=tuple(_attachments(item, base)),
            language=_line(item, "language")[:40],
        )

    def _picture(self, item: Table, content: ItemText, base: str, title: str) -> Image | None:
        own = item.get("_image")  # as this program writes it
        said = own if isinstance(own, dict) else {}
        pictures = NamedPictures(
            own=_text(item, "image") or _text(item, "banner_image"),
            html=content.html,
            words=_line(said, "alt"),
            caption=_line(said, "caption"),
        )
        return picture_of(pictures, base, title)

    def _authors_of(self, found: Table) -> tuple[Author, ...]:
        written = found.get("authors") if isinstance(found.get("authors"), list) else [found.get("author")]
        named = [each for each in written[:_MOST_AUTHORS] if isinstance(each, dict)]  # type: ignore[index]
        authors = [Author(_line(each, "name"), "", absolute_web(self._url, _text(each, "url"))) for each in named]
        return tuple(author for author in authors if author.name)


def _text(found: Table, key: str) -> str:
    value = found.get(key)
    return without_forbidden(value) if isinstance(value, str) else ""


def _line(found: Table, key: str) -> str:
    """Return a text on one line. Some tools write entities of HTML into it by mistake."""
    return closed(decoded(" ".join(_text(found, key).split()))[:1000])


def _id(item: Table) -> str:
    """Return an item's id. As the specification demands, a number is read as text."""
    value = item.get("id")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else _text(item, "id")


def _tags(item: Table) -> tuple[str, ...]:
    tags = item.get("tags")
    names = (
        [decoded(" ".join(without_forbidden(tag).split())) for tag in tags if isinstance(tag, str)]
        if isinstance(tags, list)
        else []
    )
    return tuple({name.lower(): name for name in reversed(names[:_MOST_TAGS]) if name}.values())[::-1]


def _attachments(item: Table, base: str) -> Iterator[Enclosure]:
    attachments = item.get("attachments")
    for each in attachments[:_MOST_ATTACHMENTS] if isinstance(attachments, list) else ():
        url = absolute_web(base, _text(each, "url")) if isinstance(each, dict) else ""
        if url:
            kind = _line(each, "mime_type") or media_type_of(url.partition("?")[0]) or "application/octet-stream"
            yield Enclosure(url, kind, _whole(each.get("size_in_bytes")), _whole(each.get("duration_in_seconds")))


def _whole(value: object) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and 0 <= value < 1e15 else 0  # type: ignore[call-overload, operator]
