"""One entry in RSS 2.0 and Atom 1.0, by feedgen and mended.

feedgen keeps what it does right: the structure, the order, escaping, required fields. Mended here: dates
(feedgen flips the process's locale to format them), names of authors in RSS, an entry's links in Atom, its
language, pictures without a media:group, enclosures, CDATA.
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from feedgen.entry import FeedEntry
from lxml import etree

from publisher.core.models import Author
from publisher.site.feeds.item import Item
from publisher.site.feeds.text import rfc2822, rfc3339, xml_text

CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA = "http://search.yahoo.com/mrss/"
SOURCE = "http://source.scripting.com/"
# What a reader that guesses would take for HTML. Only such a text is declared and escaped: some readers ignore the
# declaration (rss-parser 3.13, feedsmith 3.0) and show "Use &lt;head&gt;" where the plain text was sure to arrive.
_LIKE_HTML = re.compile(r"</\w+>|&#?\w")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Entry(FeedEntry):  # type: ignore[misc]
    """An item that may stand in several feeds, one after the other; each format of it is made once."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
        self._rss: Any = None
        self._atom: Any = None
        self.id(item.id)
        self.title(item.title or item.summary)
        self.updated(item.updated)
        if item.html:
            self.content(item.html, type="html")
        self.summary(item.summary)
        self.link(href=item.url, rel="alternate")
        for tag in item.tags:
            self.category(term=tag)

    def rss_entry(self, extensions: bool = True) -> Any:
        """Return the <item>; what feedgen leaves out or writes wrongly is put right."""
        if self._rss is None:
            self._rss = self._mended_rss(super().rss_entry(extensions))
        return self._rss

    def atom_entry(self, extensions: bool = True) -> Any:
        """Return the <entry>; what feedgen leaves out or writes wrongly is put right."""
        if self._atom is None:
            self._atom = self._mended_atom(super().atom_entry(extensions))
        return self._atom

    def _mended_rss(self, element: Any) -> Any:
        item = self.item
        # Readers take a description for HTML: feedparser makes "Use  & <3" of "Use <head> & <3".
        set_text(element, "description", escape(item.summary, quote=False))
        if item.html:
            # Half the size of escaped HTML. libxml2 splits the section where ]]> would end it.
            element.find(f"{{{CONTENT}}}encoded").text = etree.CDATA(item.html)
        add(element, "pubDate", rfc2822(item.published))
        for author in item.authors:
            add(element, f"{{{DC}}}creator", author.name)
        add(element, f"{{{DC}}}language", item.language)
        for enclosure in item.enclosures[:1]:  # more than one is against RSS 2.0 as its readers know it
            attributes = {"url": enclosure.url, "length": str(enclosure.length), "type": enclosure.media_type}
            etree.SubElement(element, "enclosure", attributes)
            if enclosure.media_type.startswith("audio/"):
                if enclosure.duration:
                    add(element, f"{{{ITUNES}}}duration", str(enclosure.duration))
                if item.image:
                    etree.SubElement(element, f"{{{ITUNES}}}image", href=item.image.url)
        self._picture(element)
        if item.markdown:
            add(element, f"{{{SOURCE}}}markdown", item.markdown)
        return element

    def _mended_atom(self, element: Any) -> Any:
        item = self.item
        element.set(XML_LANG, item.language)
        for name in ("title", "summary"):
            declare_html(element.find(name))
        set_text(element, "updated", rfc3339(item.distinct_updated))
        add(element, "published", rfc3339(item.published))
        link = element.find("link")
        link.set("rel", "alternate")
        link.set("type", "text/html")
        for author in item.authors:
            add_person(element, author)
        for enclosure in item.enclosures:
            attributes = {"rel": "enclosure", "href": enclosure.url, "type": enclosure.media_type}
            if enclosure.length:
                attributes["length"] = str(enclosure.length)
            etree.SubElement(element, "link", attributes)
        self._picture(element)
        return element

    def _picture(self, parent: Any) -> None:
        if self.item.image:
            media = etree.SubElement(parent, f"{{{MEDIA}}}content", url=self.item.image.url, medium="image")
            if self.item.image.alt:
                add(media, f"{{{MEDIA}}}description", self.item.image.alt)
            etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", url=self.item.image.url)


def add(parent: Any, name: str, text: str, before: str = "") -> Any:
    """Add an element with text to the end of `parent`, or before its first child of the name `before`."""
    element = etree.Element(name)
    element.text = xml_text(text)
    first = parent.find(before) if before else None
    if first is None:
        parent.append(element)
    else:
        first.addprevious(element)
    return element


def set_text(parent: Any, name: str, text: str) -> None:
    """Set the text of a child, adding it where it is missing."""
    element = parent.find(name)
    if element is None:
        element = etree.SubElement(parent, name)
    element.text = text


def declare_html(element: Any) -> None:
    """Make an Atom text construct that looks like HTML say that it is, escaped once more (RFC 4287 section 3.1)."""
    if element is not None and element.text and _LIKE_HTML.search(element.text):
        element.set("type", "html")
        element.text = escape(element.text, quote=False)


def add_person(parent: Any, author: Author, before: str = "") -> None:
    """Add an Atom person construct (RFC 4287 section 3.2)."""
    element = add(parent, "author", "", before)
    element.text = None
    add(element, "name", author.name)
    if author.email:
        add(element, "email", author.email)
    if author.url:
        add(element, "uri", author.url)
