"""RSS 2.0 and Atom 1.0 by feedgen, mended where feedgen errs. The only user of feedgen.

feedgen keeps what it does right: the element structure, escaping, order, required fields. Mended here:
its dates (they flip the process's locale, and default to now), names of authors in RSS, rel, type and
length of an entry's links in Atom, the language of an entry, pictures without a media:group, content that
is split where ]]> would end its CDATA section.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from publisher import __version__
from publisher.config.keys import Config
from publisher.feeds.text import feed_html, rfc2822, rfc3339, xml_text
from publisher.feeds.which import FILES, Feed, feed_url
from publisher.model import Author, RenderedPost

ATOM = "http://www.w3.org/2005/Atom"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Entry(FeedEntry):  # type: ignore[misc]
    """One post in RSS and Atom. Made once, it may stand in several feeds, one after the other."""

    def __init__(self, rendered: RenderedPost, full: bool) -> None:
        super().__init__()
        post = rendered.post
        self.post = post
        self._content = feed_html(rendered.html) if full else ""
        self._rss: Any = None
        self._atom: Any = None
        self.id(xml_text(post.id))
        self.title(xml_text(post.title))
        self.updated(post.updated)
        self._summary = xml_text(rendered.excerpt) or xml_text(post.title)
        if self._content:
            self.content(self._content, type="html")
        self.summary(self._summary)
        self.link(href=post.url, rel="alternate")
        for tag in post.tags:
            self.category(term=xml_text(tag.name))

    def rss_entry(self, extensions: bool = True) -> Any:
        """Return the <item>; what feedgen leaves out or writes wrongly is put right."""
        if self._rss is None:
            item = super().rss_entry(extensions)
            _set(item, "description", self._summary)
            if self._content:
                _cdata(item, f"{{{CONTENT}}}encoded", self._content)
            _add(item, "pubDate", rfc2822(self.post.published))
            for author in self.post.authors:
                _add(item, f"{{{DC}}}creator", author.name)
            for enclosure in self.post.enclosures[:1]:  # RSS 2.0 readers take one
                etree.SubElement(
                    item,
                    "enclosure",
                    url=enclosure.url,
                    length=str(enclosure.length),
                    type=enclosure.media_type,
                )
            self._picture(item)
            self._rss = item
        return self._rss

    def atom_entry(self, extensions: bool = True) -> Any:
        """Return the <entry>; what feedgen leaves out or writes wrongly is put right."""
        if self._atom is None:
            entry = super().atom_entry(extensions)
            entry.set(XML_LANG, self.post.language)
            _set(entry, "updated", rfc3339(self.post.updated))
            _add(entry, "published", rfc3339(self.post.published))
            link = entry.find("link")
            link.set("rel", "alternate")
            link.set("type", "text/html")
            for author in self.post.authors:
                _person(entry, author)
            for enclosure in self.post.enclosures:
                etree.SubElement(
                    entry,
                    "link",
                    rel="enclosure",
                    href=enclosure.url,
                    type=enclosure.media_type,
                    length=str(enclosure.length),
                )
            self._picture(entry)
            self._atom = entry
        return self._atom

    def _picture(self, parent: Any) -> None:
        if self.post.image:
            media = etree.SubElement(parent, f"{{{MEDIA}}}content", url=self.post.image.url, medium="image")
            if self.post.image.alt:
                _add(media, f"{{{MEDIA}}}description", self.post.image.alt)
            etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", url=self.post.image.url)


class _Namespaces(BaseExtension):  # type: ignore[misc]
    """Declares the namespaces of what the entries add, once at the root."""

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DC, "media": MEDIA}


def generator(feed: Feed, config: Config, entries: Sequence[Entry], updated: datetime) -> FeedGenerator:
    """Return feedgen's object for one feed, with everything but the links that depend on the format."""
    made = FeedGenerator()
    made.register_extension("publisher", _Namespaces, None)
    made.id(feed.id)
    made.title(xml_text(feed.title))
    made.subtitle(xml_text(feed.description))
    made.description(xml_text(feed.description))
    made.updated(updated)
    made.language(config.site.language)
    made.generator("Publisher", version=__version__)
    made.docs("https://www.rssboard.org/rss-specification")
    for entry in entries:
        made.add_entry(entry, order="append")
    # feedgen would format this date by switching the locale of the whole process; it has no way to unset it.
    made._FeedGenerator__rss_lastBuildDate = None
    return made


def rss(feed: Feed, config: Config, entries: Sequence[Entry], updated: datetime) -> bytes:
    """Return the RSS 2.0 document; updated is the moment of its newest change."""
    made = generator(feed, config, entries, updated)
    made.link(href=feed_url(config, feed.path("rss")), rel="self", type=FILES["rss"][1])
    made.link(href=feed.page, rel="alternate")
    root, document = made._create_rss()
    channel = root.find("channel")
    _add(channel, "lastBuildDate", rfc2822(updated), before="item")
    return _document(document)


def atom(feed: Feed, config: Config, entries: Sequence[Entry], updated: datetime) -> bytes:
    """Return the Atom 1.0 document; updated is the moment of its newest change."""
    made = generator(feed, config, entries, updated)
    made.link(href=feed_url(config, feed.path("atom")), rel="self", type=FILES["atom"][1])
    made.link(href=feed.page, rel="alternate", type="text/html")
    person = config.site.author
    root, document = made._create_atom()
    root.set(XML_LANG, config.site.language)
    _set(root, "updated", rfc3339(updated))
    # RFC 4287 section 4.1.1: a feed has an author unless each of its entries has one.
    _person(root, Author(person.name or config.site.title, person.email, person.url), before="entry")
    return _document(document)


def _document(document: Any) -> bytes:
    return bytes(etree.tostring(document, encoding="UTF-8", xml_declaration=True)) + b"\n"


def _add(parent: Any, name: str, text: str, before: str = "") -> Any:
    element = etree.Element(name)
    element.text = xml_text(text)
    first = parent.find(before) if before else None
    if first is None:
        parent.append(element)
    else:
        first.addprevious(element)
    return element


def _set(parent: Any, name: str, text: str) -> None:
    element = parent.find(name)
    if element is None:
        element = etree.SubElement(parent, name)
    element.text = text


def _person(parent: Any, author: Author, before: str = "") -> None:
    element = _add(parent, "author", "", before)
    element.text = None
    _add(element, "name", author.name)
    if author.email:
        _add(element, "email", author.email)
    if author.url:
        _add(element, "uri", author.url)


def _cdata(parent: Any, name: str, text: str) -> None:
    """Put the text into a CDATA section: half the size of escaped HTML. libxml2 splits it at ]]> itself."""
    element = parent.find(name)
    if element is None:
        element = etree.SubElement(parent, name)
    element.text = etree.CDATA(text)
