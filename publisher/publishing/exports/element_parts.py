"""The elements of an export's HTML that a tool wrote for its own pages, found by their classes.

Only tags are read, because nothing else in the text may change: what an author wrote stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape, unescape
from urllib.parse import urlsplit

_TAG = re.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][a-zA-Z0-9-]{0,30})\b((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""", re.DOTALL
)
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]{1,60})(?:\s{0,9}=\s{0,9}(?:"([^"]*+)"|'([^']*+)'|([^\s"'<>`]{1,3000})))?""")
_WITHOUT_WORDS = re.compile(r"<(script|style|svg|button|select)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_ANY_TAG = re.compile(r"<[^<>]*>")
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905
# At most this many elements of one name may be open; no tool writes a text with more.
_MOST_OPEN = 10_000
# Nested elements that are not replaced are read down to this many layers.
_MOST_LAYERS = 20

# Takes the attributes and the content of an element; returns its replacement, or None to leave it.
Replace = Callable[[Mapping[str, str], str], str | None]


def replaced(html: str, by_class: Mapping[str, Replace]) -> str:
    """Return HTML in which the outermost elements with one of the classes are replaced.

    An element that is never closed counts as a single tag, and stays.
    """
    if not any(name in html for name in by_class):
        return html
    pieces, last = [], 0
    work = _MOST_LAYERS * len(html)
    for start, inside, end, attributes in _elements(html, by_class):
        if start < last:
            continue
        work -= end - start
        if work < 0:
            break
        make = next(by_class[name] for name in attributes["class"].split() if name in by_class)
        made = make(attributes, html[inside[0] : inside[1]])
        if made is not None:
            pieces += [html[last:start], made]
            last = end
    return "".join([*pieces, html[last:]])


def _elements(html: str, by_class: Mapping[str, Replace]) -> list[tuple[int, tuple[int, int], int, Mapping[str, str]]]:
    """Return start, start of the content, end and attributes of elements with one of the classes, sorted by start."""
    found = []
    opened: dict[str, list[tuple[int, int, Mapping[str, str] | None]]] = {}
    for tag in _TAG.finditer(html):
        name = (tag[2] or "").lower()
        if tag[1] and opened.get(name):
            start, inside, attributes = opened[name].pop()
            if attributes is not None:
                found.append((start, (inside, tag.start()), tag.end(), attributes))
        elif name and not tag[1] and name not in _VOID and not tag[3].endswith("/"):
            attributes = attributes_of(tag[3]) if "class" in tag[3] else {}
            is_one = any(each in by_class for each in attributes.get("class", "").split())
            stack = opened.setdefault(name, [])
            if len(stack) < _MOST_OPEN:
                stack.append((tag.start(), tag.end(), attributes if is_one else None))
    return sorted(found, key=lambda each: each[0])


def attributes_of(written: str) -> Mapping[str, str]:
    """Return the attributes of a tag; if two have the same name, the first counts, as in browsers."""
    found: dict[str, str] = {}
    for name, one, two, three in _ATTRIBUTE.findall(written):
        found.setdefault(name.lower(), unescape(one or two or three))
    return found


def tags_of(html: str, name: str) -> Iterator[Mapping[str, str]]:
    """Yield the attributes of each tag with the given name."""
    for tag in _TAG.finditer(html):
        if not tag[1] and (tag[2] or "").lower() == name:
            yield attributes_of(tag[3])


def content_of(html: str, name: str) -> str:
    """Return the content of the first element with a class; "" if there is none."""
    taken: list[str] = []
    replaced(html, {name: lambda _, inside: taken.append(inside)})
    return taken[0].strip() if taken else ""


def words_of(html: str) -> str:
    """Return the words of HTML as plain text in one line."""
    return " ".join(unescape(_ANY_TAG.sub(" ", _WITHOUT_WORDS.sub(" ", html))).split())


def web_url(url: object) -> str:
    """Return an address if it is on the web or relative to the old site; "" for anything else."""
    text = url.strip() if isinstance(url, str) else ""
    if not text or len(text) > 2_000 or re.search(r"[\s<>\"\x00-\x1f]", text):
        return ""
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        return ""
    return text if scheme in ("", "http", "https") else ""


def linked(url: object, words: object) -> str:
    """Return words that link to an address as HTML, or the words alone if it is not valid; "" if both are missing."""
    address, text = web_url(url), " ".join(words.split()) if isinstance(words, str) else ""
    shown = escape(text or address, quote=False)
    return f'<a href="{escape(address)}">{shown}</a>' if address else shown


def figure(inside: str, caption: str) -> str:
    """Return a figure with a caption, which is HTML; "" if it would be empty."""
    if not inside:
        return ""
    return f"<figure>{inside}{f'<figcaption>{caption}</figcaption>' if caption else ''}</figure>"


def picture(url: object, alt: object = "") -> str:
    """Return a picture as HTML; "" if it has no address."""
    address = web_url(url)
    return f'<img src="{escape(address)}" alt="{escape(alt if isinstance(alt, str) else "")}">' if address else ""


def player(kind: str, url: object, poster: object = "") -> str:
    """Return a player of audio or video as HTML; "" if there is no address."""
    address, shown = web_url(url), web_url(poster)
    picture_of = f' poster="{escape(shown)}"' if shown else ""
    return f'<{kind} controls src="{escape(address)}"{picture_of}></{kind}>' if address else ""


def quotation(url: object, title: object, *texts: object) -> str:
    """Return a quotation of another page with a link to it; "" if there is nothing to show."""
    parts = [
        f"<p>{escape(' '.join(text.split()), quote=False)}</p>"
        for text in texts
        if isinstance(text, str) and text.strip()
    ]
    link = linked(url, title)
    return f"<blockquote>{''.join(parts)}{f'<p>{link}</p>' if link else ''}</blockquote>" if parts or link else ""
