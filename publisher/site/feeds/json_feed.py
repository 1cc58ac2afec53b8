"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from typing import Any

from publisher.core.models import Author, Image
from publisher.site.feeds.documents import Document
from publisher.site.feeds.feed_list import site_image
from publisher.site.feeds.feed_text import rfc3339, xml_text
from publisher.site.feeds.items import Item


def json_feed(document: Document) -> bytes:
    """Return the JSON Feed document, with the same entries, ids and order as RSS and Atom."""
    feed, config = document.feed, document.config
    person, image = config.site.author, site_image(config)
    hub = config.feeds.hub if not document.part.number else ""
    found: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": xml_text(feed.title),
        "home_page_url": feed.page,
        "feed_url": document.url,
        "next_url": document.older("json"),
        "description": xml_text(feed.description) if feed.has_description else "",
        "icon": image,
        "favicon": image,
        "language": feed.language,
        "authors": [_author(Author(person.name, person.email, person.url))] if person.name else None,
        "hubs": [{"type": "WebSub", "url": hub}] if hub else None,
    }
    kept = {key: value for key, value in found.items() if value} | {"items": [_item(i) for i in document.items]}
    return json.dumps(kept, ensure_ascii=False, indent=1).encode() + b"\n"


def _item(item: Item) -> dict[str, Any]:
    """Return an entry as JSON values, without keys whose values are empty."""
    found: dict[str, Any] = {
        "id": item.guid or item.id,
        "url": item.url,
        "external_url": item.external_url,
        "title": item.title,
        "content_html": item.html,
        "content_text": "" if item.html else item.summary,
        "summary": item.summary,
        "image": item.image.url if item.image else "",
        "_image": _words_of(item.image) if item.image else None,
        "date_published": rfc3339(item.published),
        "date_modified": rfc3339(item.updated),
        "authors": [_author(author) for author in item.authors],
        "tags": list(item.tags),
        "language": item.language,
        "attachments": [
            {"url": e.url, "mime_type": e.media_type}
            | ({"size_in_bytes": e.length} if e.length else {})
            | ({"duration_in_seconds": e.duration} if e.duration else {})
            for e in item.enclosures
        ],
    }
    return {key: value for key, value in found.items() if value}


def _words_of(image: Image) -> dict[str, str]:
    """Return the description and the caption of a picture, for which JSON Feed itself has no keys."""
    texts = {"alt": xml_text(image.alt), "caption": xml_text(image.caption)}
    return {key: text for key, text in texts.items() if text}


def _author(author: Author) -> dict[str, str]:
    url = author.url or (f"mailto:{author.email}" if author.email else "")
    return {"name": xml_text(author.name)} | ({"url": url} if url else {})
