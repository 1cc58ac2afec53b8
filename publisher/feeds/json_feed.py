"""JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from publisher.config.keys import Config
from publisher.feeds.text import feed_html, rfc3339, xml_text
from publisher.feeds.which import Feed, feed_url
from publisher.model import Author, RenderedPost


def json_feed(feed: Feed, config: Config, posts: Sequence[RenderedPost], full: bool) -> bytes:
    """Return the document: the same entries, ids and order as in the other formats."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": xml_text(feed.title),
        "home_page_url": feed.page,
        "feed_url": feed_url(config, feed.path("json")),
        "description": xml_text(feed.description),
        "language": config.site.language,
    }
    person = config.site.author
    document["authors"] = [_author(Author(person.name or config.site.title, person.email, person.url))]
    document["items"] = [item(rendered, full) for rendered in posts]
    return json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"


def item(rendered: RenderedPost, full: bool) -> dict[str, Any]:
    """Return one post; a key without a value is left out."""
    post = rendered.post
    summary = xml_text(rendered.excerpt) or xml_text(post.title)
    found: dict[str, Any] = {
        "id": xml_text(post.id),
        "url": post.url,
        "title": xml_text(post.title),
        "content_html": feed_html(rendered.html) if full else None,
        "content_text": None if full else summary,
        "summary": summary,
        "image": post.image.url if post.image else None,
        "date_published": rfc3339(post.published),
        "date_modified": rfc3339(post.updated) if post.updated != post.published else None,
        "authors": [_author(author) for author in post.authors],
        "tags": [xml_text(tag.name) for tag in post.tags],
        "language": post.language,
        "attachments": [
            {"url": e.url, "mime_type": e.media_type}
            | ({"size_in_bytes": e.length} if e.length else {})
            | ({"duration_in_seconds": e.duration} if e.duration else {})
            for e in post.enclosures
        ],
    }
    return {key: value for key, value in found.items() if value}


def _author(author: Author) -> dict[str, str]:
    url = author.url or (f"mailto:{author.email}" if author.email else "")
    return {"name": xml_text(author.name)} | ({"url": url} if url else {})
