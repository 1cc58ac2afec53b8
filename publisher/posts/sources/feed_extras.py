"""Extras that tools add to a feed's texts: counters, share buttons, lines about the post itself.

The table in feed_extras.tsv says which parts are left out: by the classes of elements ("word*" is any class that begins
with that word), by parts of the addresses of counters, emoji pictures and share pages, and by phrases in a last line.
To add something, add a row with the tool that writes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html import escape, unescape
from importlib.resources import files
from urllib.parse import urlsplit

from publisher.core import patterns

# A longer paragraph says more than where the post is from.
_LONGEST_LINE = 600
# The most characters of text in front of share links, and around the two links of a line about the post itself.
_MOST_BEFORE, _MOST_OTHER = 25, 80
# An element with more words is not an extra, whatever its class says. The second is how many elements are looked at.
_MOST_WORDS, _MOST_TRIES = 120, 100
# How many last paragraphs may be removed.
_MOST_LINES = 3
_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())  # noqa: SIM905

_TAG = patterns.compile(
    r"""<!--.*?(?:-->|\Z)|<(/?)([a-zA-Z][a-zA-Z0-9]{0,30})\b((?:[^<>"']++|"[^"]*+"|'[^']*+')*+)>""", re.DOTALL
)
_UNSEEN = patterns.compile(r"<(script|style|svg)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)
_HIDDEN = patterns.compile(r"(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden)", re.IGNORECASE)
_MARKED = patterns.compile(r"\s(?:class|id)\s{0,9}=", re.IGNORECASE)
_CLASSES = patterns.compile(
    r"""(?i:\sclass|\sid)\s{0,9}=\s{0,9}(?:"([^"]{1,2000})"|'([^']{1,2000})'|([^\s"'>]{1,2000}))"""
)
_IMAGE = patterns.compile(r"<img\b((?:\s[a-z:-]+(?:=\"[^\"]*\")?)*)\s*/?>")
_ATTRIBUTE = patterns.compile(r'\s([a-z:-]+)="([^"]*)"')
_PIXEL = patterns.compile(r'\s(?:width|height)="[01](?:px)?"')
_NOTHING_LINKED = patterns.compile(r"<a\b[^<>]*>\s*</a>")
_PARAGRAPH = patterns.compile(r"<(p|ul)\b[^<>]*>(.*?)(</\1>\s*|\Z)", re.DOTALL)
_LINK = patterns.compile(r'<a\b[^<>]*?\shref="([^"]*)"[^<>]*>(.*?)(?:</a>|\Z)', re.DOTALL)
_HREF = patterns.compile(r'\shref="([^"]*)"')
_ANY_TAG = patterns.compile(r"<[^<>]*>")
_LAST = patterns.compile(r"<p\b[^<>]*>((?:(?!</?p\b).)*)</p>\s*((?:</(?:div|section|article)>\s*)*)\Z", re.DOTALL)
# Elements that may be at the end of a text without saying anything.
_EMPTY_END = patterns.compile(r"(?:<hr\b[^<>]*>|<br\b[^<>]*>|<(p|div)\b[^<>]*>(?:&nbsp;|<br>|\s){0,9}</\1>)\Z")
_MOST_EMPTY = 20


def without_marked(fragment: str) -> str:
    """Remove the elements of unsanitised HTML whose class says that they are extras, with their content.

    Pictures that a style hides are removed too, since they only count readers and the style is lost.

    An element that is never closed stays, with its content.
    """
    pattern = _classes()
    if not (_MARKED.search(fragment) and pattern.search(fragment)) and not _HIDDEN.search(fragment):
        return fragment
    removed: list[tuple[int, int]] = []
    opened: dict[str, list[tuple[int, bool]]] = {}
    for tag in _TAG.finditer(fragment):
        name = (tag[2] or "").lower()
        if tag[1] and opened.get(name):
            start, is_extra = opened[name].pop()
            if is_extra:
                removed.append((start, tag.end()))
        elif name and not tag[1]:
            is_extra = any(pattern.search(f" {a or b or c} ".lower()) for a, b, c in _CLASSES.findall(tag[3]))
            is_extra = is_extra or (name == "img" and _HIDDEN.search(tag[3]) is not None)
            if name not in _VOID and not tag[3].endswith("/"):
                opened.setdefault(name, []).append((tag.start(), is_extra))
            elif is_extra:
                removed.append(tag.span())
    return _without(fragment, _small(fragment, removed))


def _small(fragment: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans that have few words and are not inside another. A span with many words is the author's text."""
    found, last, tries = [], 0, 0
    for start, end in sorted(spans):
        if start >= last and tries < _MOST_TRIES:
            tries += 1
            if len(_words(_UNSEEN.sub("", fragment[start:end])).split()) <= _MOST_WORDS:
                found.append((start, end))
                last = end
    return found


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """Return a text without the spans, some of which may be in others."""
    pieces, last = [], 0
    for start, end in sorted(spans):
        pieces.append(text[last : max(start, last)])
        last = max(last, end)
    return "".join([*pieces, text[last:]])


def without_extras(clean: str, link: str, home: str) -> str:
    """Return clean HTML without counters, emoji pictures, share buttons, and last lines about the post itself.

    link  the URL of the item's page
    home  the URL of its site; "" if unknown
    """
    if "<img" in clean:
        clean, before = _IMAGE.sub(_shown, clean), clean
        clean = clean if clean == before else _NOTHING_LINKED.sub("", clean)
    if any(_share().search(href) for href in _HREF.findall(clean)):
        clean = _PARAGRAPH.sub(lambda found: "" if found[3] and _only_shares(found[2]) else found[0], clean)
    return _without_last_lines(clean.strip(), link, home)


def _shown(image: re.Match[str]) -> str:
    """Return the picture as it is, nothing if it only counts readers, or the character if it is an emoji."""
    attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(image[1])}
    source = attributes.get("src", "").lower()
    if _PIXEL.search(image[1]) or _pixel().search(source):
        return ""
    alt = attributes.get("alt", "").strip()
    return escape(alt, quote=False) if alt and len(alt) <= 30 and _emoji().search(source) else image[0]


def _only_shares(inside: str) -> bool:
    """Return whether a paragraph or list consists of links to share the post."""
    links = [unescape(href).lower() for href, _ in _LINK.findall(inside)]
    if "<ul" in inside or not links or not all(_share().search(href) for href in links):
        return False
    before, *others = _LINK.sub("\0", inside).split("\0")
    return len(_words(before)) <= _MOST_BEFORE and not any(map(str.isalnum, _words(" ".join(others))))


def _without_last_lines(clean: str, link: str, home: str) -> str:
    for _ in range(_MOST_LINES):
        clean = _without_empty_end(clean)
        last = _LAST.search(clean, max(0, len(clean) - 5 * _LONGEST_LINE))
        if not last or not _is_about_itself(last[1], link, home):
            break
        clean = f"{clean[: last.start()].rstrip()}{last[2].strip()}"
    return clean


def _without_empty_end(clean: str) -> str:
    for _ in range(_MOST_EMPTY):
        found = _EMPTY_END.search(clean, max(0, len(clean) - 200))
        if not found:
            break
        clean = clean[: found.start()].rstrip()
    return clean


def _is_about_itself(paragraph: str, link: str, home: str) -> bool:
    """Return whether a paragraph only says where the post is, judging by its words or by the two pages it links to."""
    words = _words(paragraph)
    if len(words) > _LONGEST_LINE or "<img" in paragraph:
        return False
    links = [_page(unescape(href)) for href, _ in _LINK.findall(paragraph)]
    says_so = any(phrase in words.casefold() for phrase in _rows("last"))
    if not links or links[0] != _page(link):
        return says_so and not links  # with other links, the author says where else the text is
    if says_so:
        return True
    other_words = len(_words(_LINK.sub(" ", paragraph)))
    if len(links) == 1:  # such as "Read more"
        return other_words <= 5
    return len(links) == 2 and other_words <= _MOST_OTHER and links[1] in (_page(home), _page(link).partition("/")[0])


def _words(html: str) -> str:
    return " ".join(unescape(_ANY_TAG.sub("", html)).split())


def _page(url: str) -> str:
    """Return the part that all addresses of one page have in common: without scheme, www and query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return f"{parts.netloc.lower().removeprefix('www.')}{parts.path}".rstrip("/")


@cache
def _table() -> tuple[tuple[str, str], ...]:
    text = files(__package__).joinpath("feed_extras.tsv").read_text(encoding="utf-8")
    return tuple((kind, pattern) for kind, pattern, _ in (line.split("\t") for line in text.splitlines()[1:]))


def _rows(kind: str) -> Iterator[str]:
    return (pattern for each, pattern in _table() if each == kind)


def _any_of(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(pattern) for pattern in _rows(kind)))


@cache
def _classes() -> re.Pattern[str]:
    words = (re.escape(word.rstrip("*")) + ("" if word.endswith("*") else r"(?![\w-])") for word in _rows("class"))
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})", re.IGNORECASE)


@cache
def _pixel() -> re.Pattern[str]:
    return _any_of("pixel")


@cache
def _emoji() -> re.Pattern[str]:
    return _any_of("emoji")


@cache
def _share() -> re.Pattern[str]:
    return re.compile(_any_of("share").pattern, re.IGNORECASE)
