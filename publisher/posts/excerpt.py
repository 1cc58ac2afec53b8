"""The plain text of a post, its excerpt and its number of words. All functions are pure."""

from __future__ import annotations

import html
import re
from functools import cache

from publisher.posts.encoding import without_controls

# About three lines on a page and in an email.
MOST_CHARACTERS = 300

# Only tags that are certainly markup: "<head>" in a sentence about HTML is text.
_MARKUP = re.compile(r"</?(?:a|abbr|b|br|code|div|em|i|img|p|small|span|strong|sub|sup|u)\b[^<>]*>", re.IGNORECASE)

# An opening tag, whose name is the first group, or a closing one, whose name is the second.
_PAIRED = re.compile(
    r"<(a|abbr|b|code|em|i|small|span|strong|sub|sup|u)\b[^<>]*>|</(a|abbr|b|code|em|i|small|span|strong|sub|sup|u)\s*>",
    re.IGNORECASE,
)
_ACTIVE = re.compile(r"<(script|style)\b.*?(</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)

# A pattern that searches for a closing sign far away ends at the end of the text as well. Otherwise it would be tried
# again from each opening sign.
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_EMPHASIS = re.compile(r"(?<![\w*`])([*`])(?![\s*`])([^*`]*[^\s*`])\1(?![\w*`])")
_STRONG = re.compile(r"\*\*(?=\S)(.+?)((?<=\S)\*\*|\Z)", re.DOTALL)

_PARAGRAPH = re.compile(r"<p\b[^<>]*>(.*?)(</p>|\Z)", re.DOTALL | re.IGNORECASE)
_SKIPPED = re.compile(r"<(pre|script|style|figcaption|table|svg)\b.*?(</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_ANCHOR = re.compile(r"<a\b[^<>]*>.*?(?:</a>|\Z)", re.DOTALL)
_RAISED = re.compile(r"<sup\b(?:(?!</?sup\b).)*</sup>", re.DOTALL | re.IGNORECASE)
_PUNCTUATION = re.compile(r"(?:</\w+>)*[,.;:!?…)\]、。，]")
_BREAK = re.compile(r"<(?:br|/p|/li|/h[1-6]|/div|/blockquote|/dt|/dd)\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
# All scripts without spaces are in these two ranges. Python takes 2.5 ms to compile their exact six ranges, and 0.2 ms
# for these.
_MAYBE_WIDE = re.compile("[\u0e00-\u17ff\u3040-\ufaff]")
_LEFTOVER = re.compile(r"\{[%{]|import .* from [‘’'\"“”]|export (?:const|default|function) ")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")


def plain_text(fragment: str) -> str:
    """Return an HTML fragment as a line of text, with entities decoded, but no tags, code blocks or footnote marks."""
    text = _TAG.sub("", _BREAK.sub(" ", _skipped(fragment)))
    if "&" in text:
        text = html.unescape(text)
    return " ".join(text.replace("\u200b", "").split())


def _skipped(fragment: str) -> str:
    if "<sup" in fragment:
        fragment = _without_footnote_marks(fragment)
    return _SKIPPED.sub(lambda found: " " if found[2] else found[0], fragment)


def _without_footnote_marks(fragment: str) -> str:
    """Remove footnote marks, and the spaces before marks that punctuation follows: "One [^1], two" becomes "One, two".

    A space between a mark and the punctuation is the writer's, as in French.
    """
    kept: list[str] = []
    begin, takes_space = len(fragment), False  # of the mark on the right, while going from the last to the first
    for mark in reversed([found for found in _RAISED.finditer(fragment) if "footnote" in found[0].lower()]):
        between = fragment[mark.end() : begin]
        if kept and not between.strip(" \n"):
            between = "" if takes_space else between
        else:
            between = between.rstrip(" \n") if takes_space else between
            takes_space = _PUNCTUATION.match(fragment, mark.end()) is not None
        kept.append(between)
        begin = mark.start()
    first = fragment[:begin]
    kept.append(first.rstrip(" \n") if takes_space else first)
    return "".join(reversed(kept))


def plain_line(text: str) -> str:
    """Return a line of text from front matter without its Markdown or HTML markup."""
    if "**" in text or "](" in text:
        text = _STRONG.sub(lambda found: found[1] if found[2] else found[0], _LINK.sub(r"\1", text))
    if "*" in text or "`" in text:
        text = _EMPHASIS.sub(r"\2", text)
    if "<" not in text and "&" not in text:
        return text
    return " ".join(html.unescape(_MARKUP.sub(" ", _without_active(text))).split())


def _without_active(text: str) -> str:
    """Remove scripts and styles. A single tag, as in "The <script> element", is text and stays."""
    return _ACTIVE.sub(lambda found: " " if found[2] else found[0], text)


_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def decoded(text: str) -> str:
    """Return a title or name with its entities as characters, on one line. "AT&T" and "&copy 2026" stay as they are."""
    if "&" not in text:
        return text
    return without_controls(" ".join(_ENTITY.sub(lambda found: html.unescape(found[0]), text).split()))[0]


def without_pairs(text: str) -> str:
    """Return a title without pairs of tags. A single tag, as in "The <b> element", is text and stays."""
    if "</" not in text:
        return text
    tags = list(_PAIRED.finditer(text))
    closing: dict[
        str, int
    ] = {}  # the next closing tag of each name, as an index, while going from the last tag to the first
    ends: dict[int, int] = {}  # opening tag -> its closing tag
    for index in range(len(tags) - 1, -1, -1):
        if tags[index][2]:
            closing[tags[index][2].lower()] = index
        elif (end := closing.get(tags[index][1].lower())) is not None:
            ends[index] = end
    kept, place, inside = [], 0, -1
    for index, tag in enumerate(tags):
        if index > inside and index in ends:
            end_tag = tags[ends[index]]
            kept += [text[place : tag.start()], text[tag.end() : end_tag.start()]]
            place, inside = end_tag.end(), ends[index]
    return "".join([*kept, text[place:]])


def is_visible(text: str) -> bool:
    """Return whether a text contains any visible character. Spaces and characters without width are not visible."""
    return any(map(str.isprintable, text.replace(" ", "")))


def excerpt_of(fragment: str, limit: int = MOST_CHARACTERS) -> str:
    """Return the first paragraph of prose in a post's HTML as plain text, cut at a word.

    A paragraph that consists only of a picture, a link or another tool's syntax is not prose.
    """
    for match in _PARAGRAPH.finditer(_skipped(fragment)):
        text = plain_text(match[1]) if match[2] else ""
        if _is_prose(text, match[1]):
            return shorten(text, limit)
    return shorten(plain_text(fragment), limit)


def _is_prose(text: str, markup: str) -> bool:
    """Return whether a paragraph is prose: it has words, and it isn't just a short link or another tool's syntax."""
    if _LEFTOVER.match(text) or not _WORD.search(text):
        return False
    linked = plain_text("".join(_ANCHOR.findall(markup)))
    return linked != text or len(text) > 60


def shorten(text: str, limit: int = MOST_CHARACTERS) -> str:
    """Cut a text that is longer than `limit` characters, after a word if possible, and add an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ")
    if space > limit * 0.6:
        cut = cut[:space]
    return cut.rstrip(" ,.;:–—-") + "…"


def count_words(fragment: str) -> int:
    """Return the number of words in an HTML fragment; two characters of a script without spaces count as one word."""
    text = _TAG.sub(" ", fragment)
    if text.isascii() or not _MAYBE_WIDE.search(text):
        return len(text.split())
    text, wide = _wide().subn(" ", text)
    return len(text.split()) + (wide + 1) // 2


@cache
def _wide() -> re.Pattern[str]:
    """Return a pattern that matches one Thai, Lao, Burmese, Khmer, Chinese or Japanese character."""
    return re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
