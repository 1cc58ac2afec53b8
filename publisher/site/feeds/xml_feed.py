"""RSS 2.0 and Atom 1.0 documents. Only this module uses feedgen.

feedgen handles the structure, the order of elements, escaping and required fields. This module corrects what feedgen
omits or gets wrong: dates (it switches the locale of the process to format them), authors' names in RSS, an Atom
entry's links and language, pictures without a media:group, enclosures, and CDATA.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape, unescape
from typing import Any
from urllib.parse import urlsplit

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from publisher import __version__
from publisher.config import Config
from publisher.core import patterns
from publisher.core.models import Author, Episode
from publisher.posts.front_matter.enclosures import is_played
from publisher.site.feeds.documents import Document
from publisher.site.feeds.feed_list import MEDIA_TYPES, feed_url, site_image
from publisher.site.feeds.feed_text import rfc2822, rfc3339, xml_text
from publisher.site.feeds.items import Item

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
HISTORY = "http://purl.org/syndication/history/1.0"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
MEDIA = "http://search.yahoo.com/mrss/"
PODCAST = "https://podcastindex.org/namespace/1.0"
SOURCE = "http://source.scripting.com/"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def rss(document: Document, entries: Sequence[XmlEntry]) -> bytes:
    """Return the RSS 2.0 document."""
    feed, config = document.feed, document.config
    namespaces = [("dc", DC), ("media", MEDIA)]
    has_episodes = any(is_played(enclosure) for entry in entries for enclosure in entry.item.enclosures)
    if has_episodes:
        namespaces.append(("itunes", ITUNES))
    episodes = [entry.item.episode for entry in entries if entry.item.episode]
    if any(episode.transcripts or episode.chapters for episode in episodes):
        namespaces.append(("podcast", PODCAST))
    if any(entry.item.markdown for entry in entries):
        namespaces.append(("source", SOURCE))
    made = _generator(document, entries, namespaces)
    made.link(href=document.url, rel="self", type=MEDIA_TYPES["rss"])
    made.link(href=feed.page, rel="alternate")
    image = site_image(config)
    if image:
        made.image(url=image, title=xml_text(feed.title), link=feed.page)
    root, tree = made._create_rss()
    channel = root.find("channel")
    set_text(channel, "description", escape(xml_text(feed.description), quote=False))
    add(channel, "lastBuildDate", rfc2822(document.updated), before="item")
    if has_episodes:
        _podcast(channel, config)
    for relation, address in _relations(document, "rss"):
        _place(channel, f"{{{ATOM}}}link", {"rel": relation, "href": address}, before="item")
    if document.is_archive:
        _place(channel, f"{{{HISTORY}}}archive", {}, before="item")
    return _hexadecimal(_bytes(tree))


def atom(document: Document, entries: Sequence[XmlEntry]) -> bytes:
    """Return the Atom 1.0 document."""
    feed, config = document.feed, document.config
    made = _generator(document, entries, [("media", MEDIA)])
    made.link(href=document.url, rel="self", type=MEDIA_TYPES["atom"])
    made.link(href=feed.page, rel="alternate", type="text/html")
    image = site_image(config)
    if image:
        made.logo(image)
        made.icon(image)
    root, tree = made._create_atom()
    root.set(XML_LANG, feed.language)
    set_text(root, "updated", rfc3339(document.distinct_updated))
    person = config.site.author
    # RFC 4287 section 4.1.1: a feed has an author unless each of its entries has one.
    if person.name or not entries or not all(entry.item.authors for entry in entries):
        add_person(root, Author(person.name or config.site.title, person.email, person.url), before="entry")
    for relation, address in _relations(document, "atom"):
        _place(root, "link", {"rel": relation, "href": address}, before="entry")
    if document.is_archive:
        _place(root, f"{{{HISTORY}}}archive", {}, before="entry")
    if not feed.has_description:
        root.remove(root.find("subtitle"))  # feedgen writes one because RSS needs it
    for name in ("title", "subtitle"):
        declare_html(root.find(name))
    return _bytes(tree)


def _generator(document: Document, entries: Sequence[XmlEntry], namespaces: list[tuple[str, str]]) -> Any:
    """Return a feedgen generator for a document, with everything that RSS and Atom share."""
    feed = document.feed
    if document.is_archive:
        namespaces = [*namespaces, ("fh", HISTORY)]
    made = FeedGenerator()
    made.register_extension("publisher", lambda: _Namespaces(*namespaces), None)
    made.id(feed.id)
    made.title(xml_text(feed.title))
    made.subtitle(xml_text(feed.description))
    made.description(xml_text(feed.description))
    made.updated(document.updated)
    made.language(feed.language)
    made.generator("Publisher", version=__version__)
    made.docs("https://www.rssboard.org/rss-specification")
    for entry in entries:
        made.add_entry(entry, order="append")
    # To format this date, feedgen would switch the locale of the whole process. It has no method to unset it.
    made._FeedGenerator__rss_lastBuildDate = None
    return made


def _podcast(channel: Any, config: Config) -> None:
    """Add the elements that podcast directories require for a channel with episodes."""
    person = config.site.author
    if person.name:
        add(channel, f"{{{ITUNES}}}author", person.name, before="item")
    if person.email:
        owner = add(channel, f"{{{ITUNES}}}owner", "", before="item")
        owner.text = None
        add(owner, f"{{{ITUNES}}}name", person.name or config.site.title)
        add(owner, f"{{{ITUNES}}}email", person.email)
    add(channel, f"{{{ITUNES}}}explicit", str(config.feeds.podcast_explicit).lower(), before="item")
    if config.feeds.podcast_type == "serial":  # "episodic" is the default of directories
        add(channel, f"{{{ITUNES}}}type", "serial", before="item")
    if config.feeds.podcast_category:
        category, _, below = (part.strip() for part in config.feeds.podcast_category.partition(">"))
        _place(channel, f"{{{ITUNES}}}category", {"text": category}, before="item")
        if below:
            etree.SubElement(channel.find(f"{{{ITUNES}}}category"), f"{{{ITUNES}}}category", text=below)
    image = site_image(config)
    if urlsplit(image).path.lower().endswith((".jpg", ".jpeg", ".png")):  # directories accept no other formats
        _place(channel, f"{{{ITUNES}}}image", {"href": image}, before="item")


def _relations(document: Document, kind: str) -> list[tuple[str, str]]:
    """Return the links other than self and alternate as (relation, URL) pairs (WebSub and RFC 5005, both section 4)."""
    found = []
    if document.config.feeds.hub and not document.part.number:
        found.append(("hub", document.config.feeds.hub))
    if document.older(kind):
        found.append(("prev-archive", document.older(kind)))
    if document.part.number:
        found.append(("current", document.current(kind)))
    if document.part.number == 1 and document.is_archive:
        # The oldest document has no prev-archive. RFC 5005 requires a link, and this one always has a target.
        found.append(("next-archive", feed_url(document.config, document.feed.path(kind, 2))))
    return found


class _Namespaces(BaseExtension):  # type: ignore[misc]
    """A feedgen extension that declares the namespaces of added elements once, at the root."""

    def __init__(self, *wanted: tuple[str, str]) -> None:
        self._wanted = dict(wanted)

    def extend_ns(self) -> dict[str, str]:
        """Return the namespaces that the feed uses."""
        return self._wanted


class XmlEntry(FeedEntry):  # type: ignore[misc]
    """An item as an RSS and an Atom element. Each element is made once, and is moved from feed to feed."""

    def __init__(self, item: Item) -> None:
        super().__init__()
        self.item = item
        self._rss: Any = None
        self._atom: Any = None
        self.id(item.id)
        self.title(item.title or item.label or item.summary)
        self.updated(item.updated)
        if item.html:
            self.content(item.html, type="html")
        self.summary(item.summary)
        self.link(href=item.url, rel="alternate")
        for tag in item.tags:
            self.category(term=tag)

    def rss_entry(self, extensions: bool = True) -> Any:
        """Return the <item>, completed and corrected."""
        if self._rss is None:
            self._rss = self._complete_rss(super().rss_entry(extensions))
            set_text(self._rss, "guid", self.item.guid or self.item.id)
            if not self.item.title:
                self._rss.remove(self._rss.find("title"))
        return self._rss

    def atom_entry(self, extensions: bool = True) -> Any:
        """Return the <entry>, completed and corrected."""
        if self._atom is None:
            self._atom = self._complete_atom(super().atom_entry(extensions))
        return self._atom

    def _complete_rss(self, element: Any) -> Any:
        item = self.item
        # Feed readers treat a description as HTML: feedparser turns "Use <head> & <3" into "Use  & <3".
        set_text(element, "description", escape(item.summary, quote=False))
        if item.html:
            # CDATA is half the size of escaped HTML. Where ]]> would end the section, libxml2 splits it.
            element.find(f"{{{CONTENT}}}encoded").text = etree.CDATA(item.html)
        add(element, "pubDate", rfc2822(item.published))
        if item.updated != item.published:
            add(element, f"{{{ATOM}}}updated", rfc3339(item.updated))
        if item.external_url:
            etree.SubElement(element, f"{{{ATOM}}}link", rel="related", href=item.external_url)
        for author in item.authors:
            add(element, f"{{{DC}}}creator", author.name)
        add(element, f"{{{DC}}}language", item.language)
        for enclosure in item.enclosures[:1]:  # podcast apps expect at most one
            attributes = {"url": enclosure.url, "length": str(enclosure.length), "type": enclosure.media_type}
            etree.SubElement(element, "enclosure", attributes)
            if is_played(enclosure):
                _episode(element, item, enclosure.duration)
        self._picture(element)
        if item.markdown:
            add(element, f"{{{SOURCE}}}markdown", item.markdown)
        return element

    def _complete_atom(self, element: Any) -> Any:
        item = self.item
        element.set(XML_LANG, item.language)
        for name in ("title", "summary"):
            declare_html(element.find(name))
        set_text(element, "updated", rfc3339(item.distinct_updated))
        add(element, "published", rfc3339(item.published))
        link = element.find("link")
        link.set("rel", "alternate")
        link.set("type", "text/html")
        if item.external_url:
            etree.SubElement(element, "link", rel="related", href=item.external_url)
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
            for name, text in (("title", self.item.image.caption), ("description", self.item.image.alt)):
                if text:
                    add(media, f"{{{MEDIA}}}{name}", text)
            etree.SubElement(parent, f"{{{MEDIA}}}thumbnail", url=self.item.image.url)


def _episode(element: Any, item: Item, duration: int) -> None:
    """Add the elements of an <item> that podcast directories show: Apple's, and those of Podcasting 2.0."""
    episode = item.episode or Episode()
    texts = {
        "duration": str(duration or ""),
        "title": episode.title,
        "season": str(episode.season or ""),
        "episode": str(episode.number or ""),
        "episodeType": episode.kind,
        "explicit": "" if episode.explicit is None else str(episode.explicit).lower(),
    }
    for name, text in texts.items():
        if text:
            add(element, f"{{{ITUNES}}}{name}", text)
    if item.image:
        etree.SubElement(element, f"{{{ITUNES}}}image", href=item.image.url)
    for url, media_type in episode.transcripts:
        etree.SubElement(element, f"{{{PODCAST}}}transcript", url=url, type=media_type)
    if episode.chapters:
        etree.SubElement(element, f"{{{PODCAST}}}chapters", url=episode.chapters, type="application/json+chapters")


# Text that a feed reader would guess to be HTML. Only such text is declared as HTML and escaped, because some readers
# ignore the declaration (rss-parser 3.13, feedsmith 3.0, sfeed) and show "Use &lt;head&gt;"; plain text is safe, and so
# is an ampersand that no HTML parser takes for an entity, as in AT&T and Q&A.
_LIKE_HTML = patterns.compile(r"</\w+>|&#?\w+;|&#\w")


def looks_like_html(text: str) -> bool:
    """Return whether a feed reader that guesses the type of a text would treat this plain text as HTML."""
    return _LIKE_HTML.search(text) is not None or ("&" in text and unescape(text) != text)


def declare_html(element: Any) -> None:
    """Declare an Atom text construct as HTML, and escape it, if it looks like HTML (RFC 4287 section 3.1)."""
    if element is not None and element.text and looks_like_html(element.text):
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


def add(parent: Any, name: str, text: str, before: str = "") -> Any:
    """Add an element with text at the end of `parent`, or before its first child called `before`."""
    element = etree.Element(name)
    element.text = xml_text(text)
    first = parent.find(before) if before else None
    if first is None:
        parent.append(element)
    else:
        first.addprevious(element)
    return element


def set_text(parent: Any, name: str, text: str) -> None:
    """Set the text of a child element, and add the element if it is missing."""
    element = parent.find(name)
    if element is None:
        element = etree.SubElement(parent, name)
    element.text = text


def _place(parent: Any, name: str, attributes: dict[str, str], before: str) -> None:
    element = etree.Element(name, attributes)
    first = parent.find(before)
    if first is None:
        parent.append(element)
    else:
        first.addprevious(element)


_CDATA, _END_OF_CDATA = b"<![CDATA[", b"]]>"


def _hexadecimal(data: bytes) -> bytes:
    """Write & and < outside CDATA as hexadecimal references, as the RSS Best Practices Profile recommends."""
    before, *sections = data.split(_CDATA)
    pieces = [_with_hexadecimal_signs(before)]
    for section in sections:
        inside, end, behind = section.partition(_END_OF_CDATA)
        pieces += [_CDATA, inside, end, _with_hexadecimal_signs(behind)]
    return b"".join(pieces)


def _with_hexadecimal_signs(data: bytes) -> bytes:
    return data.replace(b"&amp;", b"&#x26;").replace(b"&lt;", b"&#x3C;")


def _bytes(tree: Any) -> bytes:
    return bytes(etree.tostring(tree, encoding="UTF-8", xml_declaration=True)) + b"\n"
