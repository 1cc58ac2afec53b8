"""Reads feeds by their specifications, without our own code: with lxml, json, and the rules of each format."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any

from lxml import etree

KINDS = {"rss": "feed.xml", "atom": "atom.xml", "json": "feed.json"}
NAMES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "media": "http://search.yahoo.com/mrss/",
}


@dataclass(frozen=True)
class Read:
    """One entry as a feed reader would read it. summary and title are plain text, html is HTML.

    enclosures  (address, media type, length as written)
    """

    id: str
    url: str
    title: str
    summary: str
    html: str
    authors: tuple[str, ...]
    links_of_authors: tuple[str, ...]
    tags: tuple[str, ...]
    image: str
    enclosures: tuple[tuple[str, str, str], ...]
    published: str
    updated: str
    language: str


def read(kind: str, data: bytes) -> list[Read]:
    """Return the entries of a document; raise the strict parser's error if it is not well-formed."""
    if kind == "json":
        return [_json_item(item) for item in json.loads(data)["items"]]
    root = parse_xml(data)
    if kind == "rss":
        return [_rss_item(item) for item in root.iterfind("channel/item")]
    return [_atom_entry(entry) for entry in root.iterfind("atom:entry", NAMES)]


def parse_xml(data: bytes) -> Any:
    """Return the root of an XML document, parsed strictly."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _rss_item(item: Any) -> Read:
    return Read(
        id=item.findtext("guid"),
        url=item.findtext("link"),
        title=item.findtext("title") or "",
        summary=html.unescape(item.findtext("description")),  # RSS 2.0: a description contains HTML
        html=item.findtext("content:encoded", "", NAMES),
        authors=tuple(found.text for found in item.iterfind("dc:creator", NAMES)),
        links_of_authors=(),
        tags=tuple(found.text for found in item.iterfind("category")),
        image=_attribute(item, "media:content", "url"),
        enclosures=tuple((e.get("url"), e.get("type"), e.get("length")) for e in item.iterfind("enclosure")),
        published=item.findtext("pubDate"),
        updated="",
        language=item.findtext("dc:language", "", NAMES),
    )


def _atom_entry(entry: Any) -> Read:
    links = entry.findall("atom:link", NAMES)
    people = entry.findall("atom:author", NAMES)
    return Read(
        id=entry.findtext("atom:id", None, NAMES),
        url=next(link.get("href") for link in links if link.get("rel") == "alternate"),
        title=_atom_text(entry, "title"),
        summary=_atom_text(entry, "summary"),
        html=entry.findtext("atom:content", "", NAMES),
        authors=tuple(person.findtext("atom:name", None, NAMES) for person in people),
        links_of_authors=tuple(filter(None, (person.findtext("atom:uri", None, NAMES) for person in people))),
        tags=tuple(found.get("term") for found in entry.iterfind("atom:category", NAMES)),
        image=_attribute(entry, "media:content", "url"),
        enclosures=tuple(
            (link.get("href"), link.get("type"), link.get("length", "0"))
            for link in links
            if link.get("rel") == "enclosure"
        ),
        published=entry.findtext("atom:published", None, NAMES),
        updated=entry.findtext("atom:updated", None, NAMES),
        language=entry.get("{http://www.w3.org/XML/1998/namespace}lang"),
    )


def _json_item(item: dict[str, Any]) -> Read:
    return Read(
        id=item["id"],
        url=item["url"],
        title=item.get("title", ""),
        summary=item["summary"],
        html=item.get("content_html", ""),
        authors=tuple(author["name"] for author in item.get("authors", ())),
        links_of_authors=tuple(author["url"] for author in item.get("authors", ()) if "url" in author),
        tags=tuple(item.get("tags", ())),
        image=item.get("image", ""),
        enclosures=tuple(
            (file["url"], file["mime_type"], str(file.get("size_in_bytes", 0))) for file in item.get("attachments", ())
        ),
        published=item["date_published"],
        updated=item["date_modified"],
        language=item.get("language", ""),
    )


def _attribute(parent: Any, name: str, attribute: str) -> str:
    found = parent.find(name, NAMES)
    return "" if found is None else found.get(attribute)


def _atom_text(entry: Any, name: str) -> str:
    """Return a text construct; one of type html is unescaped a second time (RFC 4287, section 3.1)."""
    found = entry.find(f"atom:{name}", NAMES)
    text = found.text or ""
    return html.unescape(text) if found.get("type") == "html" else text
