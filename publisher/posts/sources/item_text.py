"""The texts of items: HTML that is as safe as in our own posts, with absolute URLs and without a feed's extras."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from html import escape, unescape

from publisher.core import patterns
from publisher.core.characters import shorten
from publisher.core.errors import PostError
from publisher.core.frozen import dataclass
from publisher.posts.rendering.allowed_html import TAGS, Sanitiser, has_safe_scheme, sanitise
from publisher.posts.rendering.lazy_media import END_NOSCRIPT, NOSCRIPT, is_lazy, loaded
from publisher.posts.sources.feed_extras import without_extras, without_marked
from publisher.posts.text.excerpt import decoded, plain_text, shown_words
from publisher.posts.text.nesting import require_shallow_html
from publisher.posts.urls import absolute, is_web_url

# Longer URLs are not those of pages or pictures.
_LONGEST_URL = 2000
_LONGEST_TITLE = 500
_LONGEST_SUMMARY = 10_000
_COMPARED = 20_000  # characters of a text
_ALIKE = 8  # characters that two texts rarely share by chance
# A longer text is not one of a post, and is left out.
MOST_TEXT = 2_000_000
# A text of this length is more than an excerpt, even if it has no markup.
_MORE_THAN_AN_EXCERPT = 1200

_TAG = patterns.compile(r"</?([A-Za-z][A-Za-z0-9]{0,20})\b[^<>]*>")
_PAIR = patterns.compile(r"</[A-Za-z]|<br\s?/?>", re.IGNORECASE)
_BLOCKS = patterns.compile(
    r"<(?:p|div|ul|ol|img|figure|h[1-6]|blockquote|pre|table|iframe|video|audio|br)\b", re.IGNORECASE
)
_NOSCRIPT = patterns.compile(r"<(/?)noscript\b[^<>]*>", re.IGNORECASE)
_VOID_ENDS = patterns.compile(r"</(?:br|hr|img|col|input|source|track|wbr)>", re.IGNORECASE)
_BRACKETED_DOTS = patterns.compile(r"\s?[\[(]\s?(?:…|\.\.\.)\s?[\])]\s{0,9}\Z")
_CUT_OFF = patterns.compile(r"(?:\[\s?(?:…|\.\.\.|&#8230;|&hellip;)\s?\]|…|\.\.\.|&#8230;|&hellip;)\W{0,9}\Z")


@dataclass(frozen=True, slots=True)
class ItemText:
    """A text as a feed contains it, or cleaned.

    base      the URL in xml:base; "" if there is none
    is_plain  whether it is plain text rather than HTML
    is_xml    whether it is XHTML, in which feedparser closes every element
    html      its clean HTML; "" before it is cleaned
    """

    written: str
    base: str = ""
    is_plain: bool = False
    is_xml: bool = False
    html: str = ""

    @property
    def as_html(self) -> str:
        """The text as HTML, in which the lines of plain text are paragraphs."""
        if not self.is_plain:
            written = unescape(self.written) if _is_escaped_twice(self.written) else self.written
            return _VOID_ENDS.sub("", written) if self.is_xml else written
        blocks = re.split(r"\n\s*\n", self.written.strip())
        return "\n".join(
            f"<p>{escape(block.strip(), quote=False).replace(chr(10), '<br>')}</p>" for block in blocks if block.strip()
        )

    @property
    def is_whole(self) -> bool:
        """Whether a clean description is probably the whole text: it has paragraphs or pictures, and is not cut off."""
        if not self.html or _CUT_OFF.search(plain_text(self.html[-2000:])):
            return False
        return len(self.html) >= _MORE_THAN_AN_EXCERPT or (
            not self.is_plain and _BLOCKS.search(self.written) is not None
        )


def _is_escaped_twice(text: str) -> bool:
    """Return whether a text is HTML whose tags were all escaped once too often."""
    return "<" not in text and "&lt;/p" in text.lower() and is_markup(unescape(text))


def too_long(texts: int) -> tuple[str, ...]:
    """Return the problem of a feed from which this many texts were left out; none for 0."""
    return (f"has {texts} texts of more than {MOST_TEXT // 1_000_000} MB, which are left out",) if texts else ()


def absolute_web(base: str, reference: str) -> str:
    """Return the absolute http(s) URL of a reference; "" if there is none."""
    reference = reference.strip()
    url = absolute(base, reference) if reference and len(reference) <= _LONGEST_URL else ""
    return url if is_web_url(url) else ""


def is_markup(text: str) -> bool:
    """Return whether a text that may be plain is HTML: it contains a pair of tags, and only known tags."""
    return _PAIR.search(text) is not None and all(name.lower() in TAGS for name in _TAG.findall(text))


def plain_title(written: str, *, is_text: bool = False) -> str:
    """Return a title, name or category as one line of plain text.

    is_text: whether the feed says that the text is plain. Otherwise entities are decoded, and HTML tags removed.
    """
    if not is_text:
        if is_markup(written):
            written = shown_words(written)
        written = decoded(written)
    return closed(shorten(" ".join(written.split()), _LONGEST_TITLE))


# What ends a change of direction, by what begins it (Unicode Standard Annex 9).
_ENDS = {**dict.fromkeys("\u202a\u202b\u202d\u202e", "\u202c"), **dict.fromkeys("\u2066\u2067\u2068", "\u2069")}


def closed(text: str) -> str:
    """Return a text that does not change the direction of the words after it."""
    if text.isascii() or _ENDS.keys().isdisjoint(text):
        return text
    ends: list[str] = []
    for sign in text:
        if sign in _ENDS:
            ends.append(_ENDS[sign])
        elif sign in ends and (sign == "\u2069" or ends[-1] == sign):
            del ends[len(ends) - 1 - ends[::-1].index(sign) :]
    return text + "".join(reversed(ends))


def summary_of(text: ItemText) -> str:
    """Return a clean summary as plain text."""
    return shorten(_without_brackets(plain_text(text.html)), _LONGEST_SUMMARY)


def _without_brackets(text: str) -> str:
    """Return a summary in which dots in brackets at the end become "…", or are removed after a whole sentence."""
    dots = _BRACKETED_DOTS.search(text)
    if dots is None:
        return text
    words = text[: dots.start()].rstrip()
    return words if words.endswith((".", "!", "?", "…", "。", "！", "？")) else f"{words}…"


def _loaded(html: str) -> str:
    """Return HTML in which no picture needs a script to load, since no reader runs scripts."""
    if not is_lazy(html):
        return html
    return loaded(_NOSCRIPT.sub(lambda tag: END_NOSCRIPT if tag[1] else NOSCRIPT, html))


@cache
def _sanitiser() -> Sanitiser:
    return Sanitiser()


def clean_text(text: ItemText, url: str, link: str, home: str) -> ItemText:
    """Return a text with clean HTML: safe, without a feed's extras, and with absolute URLs.

    url   the address of the feed
    link  the URL of the item's page, or the URL that takes its place
    home  the URL of the site; "" if unknown
    URLs are relative to the text's base or, without one, to the item's link. A text that is nested too deeply to be
    shown anywhere is reduced to its words.
    """
    base = (absolute(url, text.base) if 0 < len(text.base) <= _LONGEST_URL else "") or link

    def absolutise(tag: str, reference: str) -> str | None:
        """Return an absolute URL, or None if it is not a safe one."""
        return absolute(base, reference) or None if has_safe_scheme(reference, tag) else None

    clean = sanitise(_loaded(without_marked(text.as_html)), absolutise, _sanitiser())
    clean = without_extras(clean, link, home)
    try:
        require_shallow_html(clean, "")
    except PostError:
        clean = f"<p>{escape(plain_text(clean), quote=False)}</p>"
    return replace(text, base=base, html=clean)


def have_words_in_common(one: str, other: str) -> bool:
    """Return whether two texts in HTML may be versions of the same one: a quarter of the shorter is in the longer."""
    texts = ["".join(filter(str.isalnum, plain_text(text[:_COMPARED]).casefold())) for text in (one, other)]
    size = min(_ALIKE, *map(len, texts))
    first, second = ({text[at : at + size] for at in range(len(text) - size + 1)} for text in texts)
    return 4 * len(first & second) >= min(len(first), len(second))
