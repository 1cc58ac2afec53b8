"""Ordinary tags that a sentence only mentions, such as "Prefer <strong> over <b>" and vector<int>.

A browser would format the rest of the post, or drop the word. A tag is a mention if it is not closed where it was
opened, and is not of a kind that writers leave open on purpose, such as a <p> between two sentences, or a <br>.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from publisher.core import patterns
from publisher.posts.rendering.allowed_html import TAGS


class Place(NamedTuple):
    """The place of a tag: the innermost element that Markdown made, and whether that is a paragraph or the like."""

    container: int
    in_text: bool


class WrittenTag(NamedTuple):
    """A tag that the writer typed, from one offset to another."""

    name: str
    closing: bool
    start: int
    end: int
    attributes: str
    place: Place

    @property
    def is_bare(self) -> bool:
        """Whether it has no attributes."""
        return not self.attributes.strip(" \t\n\f/")

    @property
    def closes_itself(self) -> bool:
        """Whether it is written as an element without content, as in XML."""
        return _SLASH.search(self.attributes[-20:]) is not None


class Mention(NamedTuple):
    """A tag to show as text or, if is_text is false, a tag that only needs its missing closing tag."""

    tag: WrittenTag
    is_text: bool = True


# Tags whose content looks different, up to their closing tag.
_FORMATS = frozenset(
    """
    a abbr b bdo cite code del dfn em h1 h2 h3 h4 h5 h6 i ins kbd mark q s samp small strike strong sub sup tt u var
    """.split()  # noqa: SIM905 - as in allowed_html
)
_STRIKES = frozenset(("s", "strike", "del"))
VOID = frozenset(("br", "hr", "wbr", "img", "input", "source", "track", "col"))
_BREAKS = frozenset(("br", "hr", "wbr"))
# Tags that many pages have without their closing tags.
_WITHOUT_WORDS = frozenset(("meta", "link", "base", "embed", "param", "area", "frame", "bgsound", "keygen", "font"))
_PARTS = frozenset(("option", "optgroup"))

# The only field of a form that a post may have.
CHECKBOX = patterns.compile(r"\btype\s*=\s*[\"']?checkbox", re.IGNORECASE)
_SLASH = patterns.compile(r"(?:^|[\s\"'])/\s*$")
_TAG = patterns.compile(r"<(/?)([a-zA-Z][\w.-]*+)(?=[\s/>])")
_MENTIONED_BREAK = patterns.compile(
    r"[ \t(]<(?:[bh]r|wbr)[ \t]*/?>(?:[,.;:!?)]|[ \t]+(?:tags?|elements?)\b)", re.IGNORECASE
)
# A tag without attributes that may be a word: one in front of a space, and a picture without an address.
_MAYBE_WORD = patterns.compile(r"<(?:[a-z][a-z0-9]*+>[\s,.;:!?)\]]|img[ \t]*/?>)", re.IGNORECASE)
# A name or a target of links, which needs no content.
_ANCHOR = patterns.compile(r"(?:^|\s)(?:name|id)\s*=", re.IGNORECASE)
_LINK = patterns.compile(r"(?:^|\s)href\s*=", re.IGNORECASE)
_AND = patterns.compile(
    r"\s+(?:(?:and|or|with|und|oder|mit|et|ou|ni|y|o|e|en|of)(?: (?:a|an|the|its|closing|ein|eine|un|une))?|[,/…&;-])"
    r"\s+",
    re.IGNORECASE,
)
_WORD_BEFORE = patterns.compile(r"[^\s<>.!?:;…。！？：][ \t]+[(\[\"'“‘„«]?\Z|[(\[\"'“‘„«/]\Z")
_WORD_AFTER = patterns.compile(
    r"[,.;:!?)\]/\"'”’“»…]|[ \t]+[^\s<]|[ \t]*(?:\n[ \t]*[^\s<]|</(?:p|li|h[1-6]|td|th|em|strong)>)"
)
_APART = patterns.compile(r"[\s,.;:!?)\]]")
# After a tag that begins a line, and so a block of HTML, this shows that it is the subject of a sentence.
_SUBJECT = patterns.compile(r"[,;:.)]|[ \t]+(?:is|are|must|should|means|needs|tags?|elements?|ist|est)\b")
_NEAR = 30
# Put in front of a tag that would begin a block of HTML, so that the tag is in a paragraph.
MARK = "\x18"


def may_mention(written: str) -> bool:
    """Return whether a text may have tags that `mentions` finds. Most texts have none, and this is cheap."""
    opened: dict[str, int] = {}
    for closing, written_name in _TAG.findall(written):
        name = written_name.lower()
        if name not in TAGS or name == "input":
            return True
        if name not in VOID:
            opened[name] = opened.get(name, 0) + (-1 if closing else 1)
    return any(opened.values()) or (
        "<" in written and (_MAYBE_WORD.search(written) or _MENTIONED_BREAK.search(written)) is not None
    )


def mentions(raw: str, tags: Sequence[WrittenTag]) -> Iterator[Mention]:
    """Yield the mentions among the ordinary tags of a text, in the order in which they are closed.

    raw   the HTML that Markdown made
    tags  the writer's tags in it, except those that lone_tags handles itself
    """
    waiting: dict[str, list[WrittenTag]] = {}
    has_form = any(tag.name == "form" for tag in tags)
    select = _select(raw) if any(tag.name in _PARTS for tag in tags) else range(0)
    for tag in tags:
        if tag.name in VOID or tag.name in _PARTS:
            if _is_bare_word(raw, tag, has_form=has_form) and tag.start not in select:
                yield Mention(tag)
        elif not tag.closing:
            waiting.setdefault(tag.name, []).append(tag)
        elif opened := waiting.get(tag.name):
            yield from _of_pair(raw, opened.pop(), tag)
        elif tag.place.in_text and _is_word(raw, tag):
            yield Mention(tag)
    yield from _left_open(raw, chain.from_iterable(waiting.values()))


def _select(raw: str) -> range:
    """Return the range in which <option> tags are not words: from the first <select> to the end of the last."""
    lower = raw.lower()
    return range(max(lower.find("<select"), 0), lower.rfind("</select") + 1)


def _is_bare_word(raw: str, tag: WrittenTag, *, has_form: bool) -> bool:
    """Return whether a tag without attributes is part of a sentence rather than a break in it."""
    if not tag.place.in_text:
        return False
    if not tag.is_bare:
        return tag.name == "input" and not has_form and not CHECKBOX.search(tag.attributes)
    return tag.name not in _BREAKS or _MENTIONED_BREAK.match(raw, max(tag.start - 1, 0)) is not None


def _of_pair(raw: str, opening: WrittenTag, closing: WrittenTag) -> Iterator[Mention]:
    if not (opening.place.in_text and closing.place.in_text and opening.is_bare):
        return
    inside = raw[opening.end : closing.start] if closing.start - opening.end <= _NEAR else ""
    is_apart = opening.place.container != closing.place.container and _APART.match(raw, opening.end)
    is_mentioned = _AND.fullmatch(inside) is not None
    if is_mentioned or (is_apart and _is_open(raw, opening)):
        yield Mention(opening)
    if is_mentioned or (is_apart and _is_word(raw, closing)):
        yield Mention(closing)


def _left_open(raw: str, tags: Iterable[WrittenTag]) -> Iterator[Mention]:
    for tag in tags:
        if tag.name in TAGS and _lacks_only_its_end(tag):
            yield Mention(tag, is_text=False)
        elif _is_open(raw, tag):
            yield Mention(tag)


def _lacks_only_its_end(tag: WrittenTag) -> bool:
    if tag.closes_itself and not tag.is_bare:
        return True
    return tag.name == "a" and _ANCHOR.search(tag.attributes) is not None and not _LINK.search(tag.attributes)


def _is_open(raw: str, tag: WrittenTag) -> bool:
    """Return whether a tag that is never closed is meant as a word, rather than left open on purpose."""
    if tag.is_bare and _SUBJECT.match(raw, tag.end):
        return True
    if not tag.place.in_text:
        return tag.name in _STRIKES or (tag.name in _FORMATS and tag.is_bare and _is_word(raw, tag))
    if tag.name not in TAGS:
        return tag.name not in _WITHOUT_WORDS or tag.is_bare
    return tag.name in _FORMATS or (tag.is_bare and _is_word(raw, tag))


def _is_word(raw: str, tag: WrittenTag) -> bool:
    """Return whether a tag is set off from the text around it, as a word would be."""
    before, after = raw[max(0, tag.start - _NEAR) : tag.start].rstrip(MARK), raw[tag.end : tag.end + _NEAR]
    return _WORD_BEFORE.search(before) is not None and _WORD_AFTER.match(after) is not None
