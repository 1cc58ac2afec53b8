"""How many bytes an entry may take in a document, known without writing it: what an archive is cut by.

Never too few, whatever the format; a little too many. The bytes of a document are at most `frame_weight` and the
sum of its entries' `item_weight` (a test tries to break that).
"""

from __future__ import annotations

from publisher.config import Config
from publisher.site.feeds.item import Item

# Tags, names of fields, dates, the namespaces of the root: no text of a writer's.
_FRAME, _ENTRY, _PERSON, _TAG, _ENCLOSURE = 2500, 700, 120, 40, 250


def item_weight(item: Item) -> int:
    """Return at least as many bytes as the entry has in RSS, in Atom and in JSON Feed."""
    image = item.image
    texts = [item.id, item.url, item.title, item.title, item.summary, item.language]
    texts += [text for author in item.authors for text in (author.name, author.email, author.url)]
    texts += item.tags
    texts += [text for each in item.enclosures for text in (each.url, each.media_type)]
    texts += [image.url, image.url, image.url, image.alt] if image else []
    fixed = _ENTRY + _PERSON * len(item.authors) + _TAG * len(item.tags) + _ENCLOSURE * len(item.enclosures)
    # Without full text, JSON Feed has the summary twice: content_text may not be missing (section "Items").
    content = markup_weight(item.html or item.summary)
    return fixed + sum(map(text_weight, texts)) + content + text_weight(item.markdown)


def frame_weight(config: Config, title: str, description: str, address: str) -> int:
    """Return at least as many bytes as a document has around its entries; address: the longest in it."""
    site, person = config.site, config.site.author
    texts = [title, title, description, site.title, site.title, site.language, site.image, site.image, site.image]
    texts += [person.name, person.name, person.email, person.email, person.url, config.feeds.hub]
    texts += [config.feeds.podcast_category, *[address] * 8]
    return _FRAME + sum(map(text_weight, texts))


def text_weight(text: str) -> int:
    """Bytes of a text that may be escaped twice: & at its worst is &#x26;amp; and a quotation mark is &quot;."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    marks = text.count("&") + text.count("<") + text.count(">")
    return size + 9 * marks + 5 * sum(map(text.count, '"\\\n\t'))


def markup_weight(html: str) -> int:
    """Bytes of full text: in a section of its own in RSS, escaped in Atom, quoted in JSON."""
    size = len(html) if html.isascii() else len(html.encode("utf-8", "surrogatepass"))
    section = 12 * html.count("]]>")
    escaped = 4 * html.count("&") + 3 * (html.count("<") + html.count(">"))
    return size + max(section, escaped, sum(map(html.count, '"\\\n\t')))
