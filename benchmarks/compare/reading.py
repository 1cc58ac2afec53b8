"""Reads the feeds that a generator wrote: RSS 2.0, Atom 1.0 and JSON Feed become one kind of object.

A file that is not well-formed is kept with its error, and read as far as possible: one defect should not decide every
row.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from benchmarks.compare.feed import Attached, Entry, Feed

_PREFIXES = {
    "http://www.w3.org/2005/Atom": "atom",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://search.yahoo.com/mrss/": "media",
    "http://purl.org/syndication/history/1.0": "fh",
    "http://www.w3.org/XML/1998/namespace": "xml",
}
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_ENDINGS = {".xml", ".rss", ".atom", ".json", ""}


def read_feeds(folder: Path) -> tuple[Feed, ...]:
    """Return every feed below `folder`, by path; other files are skipped."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in _ENDINGS and path.is_file():
            feed = read_feed(path.relative_to(folder).as_posix(), path.read_bytes())
            if feed is not None:
                found.append(feed)
    return tuple(found)


def read_feed(path: str, data: bytes) -> Feed | None:
    """Return the feed in `data`, or None if it isn't a feed."""
    head = data[:2_000]
    if b"jsonfeed.org/version" in head:
        return _json_feed(Feed(path, "json", data))
    if b"<rss" in head:
        return _xml_feed(Feed(path, "rss", data))
    if re.search(rb"<feed\b", head):
        return _xml_feed(Feed(path, "atom", data))
    return None


def _xml_feed(feed: Feed) -> Feed:
    broken = ""
    try:
        root = etree.fromstring(feed.data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError as error:
        broken = error.msg.removesuffix(f" (<string>, line {error.lineno})")
        root = etree.fromstring(feed.data, etree.XMLParser(recover=True, resolve_entities=False, huge_tree=True))
    feed = replace(feed, broken=broken)
    if root is None:
        return feed
    return _rss(feed, root) if feed.kind == "rss" else _atom(feed, root)


def _rss(feed: Feed, root: Any) -> Feed:
    channel = next(iter(_children(root, "channel")), root)
    links = _children(channel, "atom:link")
    return replace(
        _linked(feed, links),
        image=next((_text(image, "url") for image in _children(channel, "image")), ""),
        updated=_moment(_text(channel, "lastBuildDate") or _text(channel, "pubDate")),
        entries=tuple(_item(item) for item in _children(channel, "item")),
    )


def _item(item: Any) -> Entry:
    encoded, description = _text(item, "content:encoded"), _text(item, "description")
    authors = [_text_of(child) for child in _children(item, "dc:creator")]
    authors += [_name(_text_of(child)) for child in _children(item, "author")]
    authors += [_text(child, "atom:name") for child in _children(item, "atom:author")]
    return Entry(
        id=_text(item, "guid"),
        title=_text(item, "title"),
        link=_text(item, "link"),
        dates=_dates(_text(item, "pubDate"), _text(item, "atom:updated")),
        summary=description,
        html=encoded or description,
        authors=tuple(authors),
        tags=tuple(_text_of(child) for child in _children(item, "category")),
        language=_text(item, "dc:language") or item.get(_LANG, ""),
        images=_pictures(item),
        attached=tuple(_attached(child, "url") for child in _children(item, "enclosure")),
    )


def _atom(feed: Feed, root: Any) -> Feed:
    return replace(
        _linked(feed, _children(root, "atom:link")),
        image=_text(root, "atom:logo") or _text(root, "atom:icon"),
        updated=_moment(_text(root, "atom:updated")),
        entries=tuple(_atom_entry(entry, root.get(_LANG, "")) for entry in _children(root, "atom:entry")),
    )


def _atom_entry(entry: Any, language: str) -> Entry:
    links = _children(entry, "atom:link")
    content = [_markup(child) for child in _children(entry, "atom:content")]
    summary = " ".join(_markup(child) for child in _children(entry, "atom:summary"))
    titles = _children(entry, "atom:title")
    return Entry(
        id=_text(entry, "atom:id"),
        title=_title(titles[0]) if titles else "",
        link=next((link.get("href", "") for link in links if link.get("rel", "alternate") == "alternate"), ""),
        dates=_dates(_text(entry, "atom:published"), _text(entry, "atom:updated")),
        summary=summary,
        html=" ".join(content) or summary,
        authors=tuple(_text(child, "atom:name") for child in _children(entry, "atom:author")),
        tags=tuple(child.get("term", "") for child in _children(entry, "atom:category")),
        language=entry.get(_LANG, language),
        images=_pictures(entry),
        attached=tuple(_attached(link, "href") for link in links if link.get("rel") == "enclosure"),
    )


def _linked(feed: Feed, links: list[Any]) -> Feed:
    by_relation: dict[str, list[str]] = {}
    for link in links:
        by_relation.setdefault(link.get("rel", "alternate"), []).append(link.get("href", ""))
    return replace(
        feed,
        own=by_relation.get("self", [""])[0],
        hubs=tuple(by_relation.get("hub", ())),
        older=(by_relation.get("prev-archive") or by_relation.get("next") or [""])[0],
    )


def _json_feed(feed: Feed) -> Feed:
    try:
        data = json.loads(feed.data)
        items = tuple(_json_entry(item) for item in data["items"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return replace(feed, broken=f"{type(error).__name__}: {error}")
    return replace(
        feed,
        own=str(data.get("feed_url", "")),
        hubs=tuple(hub["url"] for hub in data.get("hubs", ())),
        image=str(data.get("icon", "")),
        older=str(data.get("next_url", "")),
        entries=items,
    )


def _json_entry(item: dict[str, Any]) -> Entry:
    files = (Attached(a["url"], a.get("size_in_bytes", -1), a["mime_type"]) for a in item.get("attachments", ()))
    return Entry(
        id=str(item.get("id", "")),
        title=item.get("title", ""),
        link=item.get("url", ""),
        dates=_dates(item.get("date_published", ""), item.get("date_modified", "")),
        summary=item.get("summary", ""),
        html=item.get("content_html", "") or item.get("content_text", ""),
        authors=tuple(author.get("name", "") for author in item.get("authors", ())),
        tags=tuple(item.get("tags", ())),
        language=item.get("language", ""),
        images=(item["image"],) if item.get("image") else (),
        attached=tuple(files),
    )


def _named(element: Any) -> str:
    """Return the name as people write it, "dc:creator"; a prefix without a declaration is unchanged."""
    if not isinstance(element.tag, str):
        return ""
    match = re.fullmatch(r"\{(.*)\}(.*)", element.tag)
    return f"{_PREFIXES.get(match[1], match[1])}:{match[2]}" if match else element.tag


def _children(element: Any, name: str) -> list[Any]:
    return [child for child in element if _named(child) == name]


def _text(element: Any, name: str) -> str:
    return next((_text_of(child) for child in _children(element, name)), "")


def _text_of(element: Any) -> str:
    return "".join(element.itertext()).strip()


def _markup(element: Any) -> str:
    if element.get("type") == "xhtml":
        return "".join(etree.tostring(child, encoding="unicode") for child in element)
    return _text_of(element)


def _title(element: Any) -> str:
    if element.get("type") == "html" and _text_of(element):
        return str(lxml_html.fromstring(_text_of(element)).text_content())
    return _text_of(element)


def _name(text: str) -> str:
    """Return the name in RSS's "mail@example.org (Name)"."""
    match = re.search(r"\((.*)\)", text)
    return match[1] if match else text


def _pictures(element: Any) -> tuple[str, ...]:
    return tuple(
        child.get("url", "") for child in element.iter() if _named(child) in ("media:content", "media:thumbnail")
    )


def _attached(element: Any, address: str) -> Attached:
    length = element.get("length", "")
    return Attached(element.get(address, ""), int(length) if length.isdecimal() else -1, element.get("type", ""))


def _dates(*texts: str) -> tuple[datetime, ...]:
    return tuple(moment for moment in map(_moment, texts) if moment)


def _moment(text: str) -> datetime | None:
    """Read a date in either format, without fractions of a second; None if it is missing or invalid."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text)
        except ValueError:
            continue
        return moment.replace(microsecond=0, tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return None
