"""The list of all feeds for feed readers to import (OPML 2.0, http://opml.org/spec2.opml)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lxml import etree

from publisher.config import Config
from publisher.site.feeds.feed_list import Feed, feed_url
from publisher.site.feeds.feed_text import xml_text

GROUPS = {"site": "", "newsletters": "Newsletters", "tags": "Tags", "authors": "Authors"}


def opml(config: Config, feeds: Sequence[Feed]) -> bytes:
    """Return the OPML document, which lists each feed once, as RSS or Atom if either is configured.

    It contains no date, which would change the file with every build.
    """
    # Every feed reader that imports OPML reads RSS and Atom.
    kind = next((kind for kind in config.feeds.formats if kind != "json"), "json" if config.feeds.formats else "rss")
    root = etree.Element("opml", version="2.0")
    head = etree.SubElement(root, "head")
    etree.SubElement(head, "title").text = xml_text(f"Feeds of {config.site.title}")
    etree.SubElement(head, "docs").text = "http://opml.org/spec2.opml"
    body = etree.SubElement(root, "body")
    for group, heading in GROUPS.items():
        members = [feed for feed in feeds if feed.group == group]
        if members:
            parent = etree.SubElement(body, "outline", text=heading) if heading else body
            for feed in members:
                _outline(parent, config, feed, kind)
    etree.indent(root)
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _outline(parent: Any, config: Config, feed: Feed, kind: str) -> None:
    attributes = {
        # In OPML 2.0, "rss" includes Atom. There is no type for JSON Feed, but FreshRSS needs this one, and feed
        # readers that use only the URL ignore it.
        "type": "JSONFeed" if kind == "json" else "rss",
        "text": xml_text(feed.label),
        "title": xml_text(feed.title),
        "description": xml_text(feed.description),
        "language": feed.language,
        "xmlUrl": feed_url(config, feed.path(kind)),
        "htmlUrl": feed.page,
    }
    etree.SubElement(parent, "outline", attributes)
