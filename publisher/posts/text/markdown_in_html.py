"""HTML elements that say that their content is Markdown: <div markdown="1"> of kramdown, PHP Markdown Extra and MkDocs.

A parser of CommonMark takes everything up to the next blank line for HTML. Elements that are only for looks lose their
tags; the tags of others, such as <details>, get blank lines around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from publisher.core import patterns
from publisher.posts.tags.expanded import Expanded, Pieces
from publisher.posts.text.prose import masked

# How many such elements are read in a post.
_MOST = 200

_ONLY_FOR_LOOKS = frozenset(
    ["article", "aside", "center", "div", "footer", "header", "main", "nav", "p", "section", "span"]
)
_BLOCKS = frozenset(("blockquote", "details", "figure"))
_VALUE = r"markdown(?:[ \t]?=[ \t]?(?:\"\w{0,9}\"|'\w{0,9}'|\w{1,9}))?"
_MAYBE = patterns.compile(r"<[a-z][^<>]{0,500}?[ \t\n]markdown[ \t]?[=>]", re.IGNORECASE)
_ATTRIBUTE = patterns.compile(rf"[ \t\n]{_VALUE}(?=[ \t\n/>])", re.IGNORECASE)
_TAG = patterns.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b([^<>]{0,500})>")
_ID = patterns.compile(r"\bid[ \t]?=[ \t]?[\"']?([\w:.-]+)")
_SUMMARY = patterns.compile(r"\s*<summary\b[^<>]*>[^<\n]*(?:<[^<>\n]*>[^<\n]*)*?</summary>", re.IGNORECASE)


def has_markdown_in_html(body: str) -> bool:
    """Return whether an element of a body says that its content is Markdown. Most have none, and this is cheap."""
    return "<" in body and "markdown" in body and _MAYBE.search(body) is not None


def with_markdown_read(body: str) -> Expanded:
    """Return a Markdown body in which the content of such elements is Markdown for any parser."""
    view = masked(body)
    pieces, last, line = Pieces(), 0, 1
    for start, end, text in sorted(_changes(body, view)):
        pieces.copy(body[last:start], line)
        line += body.count("\n", last, start)
        pieces.insert(text, line)
        line += body.count("\n", start, end)
        last = end
    pieces.copy(body[last:], line)
    return pieces.expanded()


def _changes(body: str, view: str) -> Iterator[tuple[int, int, str]]:
    """Yield each replacement: its start, its end, and the new text."""
    opened: dict[str, list[re.Match[str] | None]] = {}  # the open elements of each name; None for one without Markdown
    count = 0
    for tag in _TAG.finditer(view):
        name = tag[2].lower()
        if tag[1]:
            opening = opened[name].pop() if opened.get(name) else None
            if opening:
                yield from _of_element(body, name, opening, tag)
        elif not tag[3].endswith("/"):
            is_one = count < _MOST and _ATTRIBUTE.search(tag[0]) is not None
            count += is_one
            if is_one or name in opened:
                opened.setdefault(name, []).append(tag if is_one else None)


def _of_element(body: str, name: str, opening: re.Match[str], closing: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the changes of an element whose content is Markdown."""
    (start, end), (stop, after) = opening.span(), closing.span()
    if name in _ONLY_FOR_LOOKS:
        target = _ID.search(opening[3])
        is_block = name != "span" and _begins_line(body, start)
        before = "\n" if is_block and _text_above(body, start) else ""
        behind = "\n\n" if is_block and body[after : after + 1] not in ("\n", "") else ""
        behind = "\n" if is_block and not behind and _text_below(body, after) else behind
        yield start, end, before + (f'<a id="{target[1]}"></a>' if target else "")
        yield stop, after, behind
        return
    yield start, end, _ATTRIBUTE.sub("", opening[0])
    if name not in _BLOCKS:
        return
    summary = _SUMMARY.match(body, end, stop)
    place = summary.end() if summary else end
    if body[place : place + 2] != "\n\n":
        yield place, place, "\n" if body[place : place + 1] == "\n" else "\n\n"
    if not body[place:stop].rstrip(" \t").endswith("\n\n"):
        yield stop, stop, "\n" if body[place:stop].rstrip(" \t").endswith("\n") else "\n\n"


def _begins_line(body: str, place: int) -> bool:
    return not body[max(body.rfind("\n", 0, place) + 1, place - 100) : place].strip()


def _text_above(body: str, place: int) -> bool:
    """Return whether the line above is not blank."""
    end = max(body.rfind("\n", 0, place), 0)
    return bool(body[max(end - 100, 0) : end].rpartition("\n")[2].strip())


def _text_below(body: str, place: int) -> bool:
    return bool(body[place + 1 : place + 100].partition("\n")[0].strip())
